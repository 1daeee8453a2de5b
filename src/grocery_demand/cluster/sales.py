"""The sales table in parts by store, read by the workers of a cluster."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import polars as pl
from distributed import Client

from grocery_demand.cluster.panel import ClusterPanel
from grocery_demand.cluster.raw_sales import StagedParts
from grocery_demand.cluster.sources import MadeParts, OpenedParts, Source
from grocery_demand.core.pairs import find_day_span
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, cut_evenly
from grocery_demand.core.quality.sales_staging import KeptSales
from grocery_demand.core.sales_parts import PanelFacts, SalesParts
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.parted_table import TablePlace


class ClusterSales(SalesParts):
    """Checked sales in parts, each read by a worker whenever it is asked."""

    def __init__(self, client: Client, place: TablePlace) -> None:
        """Look up what stands in a place that all workers reach."""
        manifest = place.read_manifest()
        self.first_stores, self.span = manifest["first_stores"], tuple(manifest["span"])
        self._place, self._version, self._n_parts = place, manifest["table"], manifest["parts"]
        open_part = partial(_read_rows, place, self._version)
        self._source: Source = OpenedParts(client, self._n_parts, open_part, keep=False)

    def lazy(self) -> pl.LazyFrame:
        """Return the whole table, read part by part by this process; for notebooks."""
        read = partial(_read_rows, self._place, self._version)
        return pl.concat(read(part) for part in range(self._n_parts))

    def reduce(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
        own: Sequence[Any],
    ) -> Answer:
        """Ask every part, and have workers bring the answers together."""
        answer: Answer = self._source.reduce(function, combine, shared, own)
        return answer

    def become_panel(
        self,
        facts: PanelFacts,
        make: Callable[..., Panel],
        *shared: Any,
        own: Sequence[Any],
    ) -> ClusterPanel:
        """Return the panel whose parts are made when they are written."""
        return ClusterPanel(MadeParts(self._source, make, shared, own), facts)


def write_sales(sales: pl.DataFrame, place: TablePlace, n_parts: int) -> None:
    """Write the table in parts of consecutive stores with about as many series each."""
    by_store = sales.group_by("store_nbr").agg(n=pl.col("item_nbr").n_unique()).sort("store_nbr")
    store_nbrs = by_store["store_nbr"].to_numpy()
    cuts = cut_evenly(by_store["n"].to_numpy().astype(int), n_parts)
    version = place.new_version()
    rows = []
    for part, stores in enumerate(cuts):
        own = sales.filter(
            pl.col("store_nbr").is_between(store_nbrs[stores][0], store_nbrs[stores][-1])
        )
        place.write_part(version, part, own.to_arrow())
        rows.append(own.height)
    facts = {
        "rows": rows,
        "first_stores": [int(store_nbrs[stores.start]) for stores in cuts],
        "span": find_day_span(sales["date"]),
    }
    place.finish(version, len(cuts), facts)


def let_stand(sales: KeptSales, place: TablePlace) -> None:
    """Let parts stand that workers wrote while they checked them.

    Raises:
        PartedPlaceError: If they were written elsewhere.
    """
    staged: StagedParts = sales.place
    if staged.place != place:
        raise PartedPlaceError(
            f"The parts of the {place.thing} were written for {staged.place.uri} and are to stand "
            f"in {place.uri}: give `raw_sales` and `sales` of conf/cluster/catalog.yml one place."
        )
    facts = {"rows": sales.rows, "first_stores": sales.first_stores, "span": sales.span}
    place.finish(staged.version, len(sales.rows), facts)


def _read_rows(place: TablePlace, version: str, part: int) -> pl.LazyFrame:
    return pl.DataFrame(place.read_part(version, part)).lazy()
