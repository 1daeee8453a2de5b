"""A panel whose parts lie with the workers of a cluster, or are made by them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from distributed import Client, get_worker

from grocery_demand.cluster.sources import KeptParts, OpenedParts, Source
from grocery_demand.cluster.tables import ClusterTable
from grocery_demand.cluster.training import fit_where_rows_lie
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, Model, PanelParts
from grocery_demand.core.rows import Recipe
from grocery_demand.core.sales_parts import PanelFacts
from grocery_demand.storage.parted_panel import PartedPlace

_DISTRIBUTED = "lightgbm"


class ClusterPanel(PanelParts):
    """A panel in parts, each asked by the worker that has it.

    A part that is lost with its worker is read or made again by another.
    """

    def __init__(self, source: Source, facts: PanelFacts, version: str | None = None) -> None:
        """Say where the parts are.

        Args:
            source: The parts, each a `Panel`.
            facts: What is known of the whole.
            version: As the manifest names it; None if it is not stored.
        """
        self.start_date = np.datetime64(int(facts.start_day), "D")
        self.digest, self.simulated = facts.digest, facts.simulated
        self.facts, self.version, self._source = facts, version, source

    @classmethod
    def read(cls, client: Client, place: PartedPlace) -> "ClusterPanel":
        """Have the parts read that stand in a place, which workers reach by the same name."""
        manifest = place.read_manifest()
        facts = PanelFacts(
            start_day=manifest["start_day"],
            n_days=manifest["n_days"],
            n_planned_days=manifest["n_planned_days"],
            digest=manifest["digest"],
            simulated=manifest["simulated"],
            sizes=manifest["series"],
        )
        version = manifest["panel"]
        open_part = partial(_read_part, place, version)
        return cls(OpenedParts(client, manifest["parts"], open_part, keep=True), facts, version)

    def write(self, place: PartedPlace, beside: str | None = None) -> None:
        """Have each part written by the worker that has it, or makes it, then let them stand.

        Args:
            place: Where they are to lie.
            beside: Digest of the panel that one machine has meanwhile.
        """
        version = place.new_version()
        sizes = self.map(_write_part, place, version, own=range(self.n_parts))
        _let_stand(place, version, self.facts, sizes, beside)

    @property
    def n_days(self) -> int:
        """Days with known sales."""
        return self.facts.n_days

    @property
    def n_planned_days(self) -> int:
        """Days after the cutoff for which promotions are known."""
        return self.facts.n_planned_days

    @cached_property
    def first_sale(self) -> np.ndarray:
        """Day of the first row of each series; `n_days` if it has none, int [series]."""
        return np.concatenate(self.map(_list_first_sales))

    @cached_property
    def bounds(self) -> np.ndarray:
        """Position of the first series of each part, and the number of all, int [part + 1]."""
        return np.cumsum([0, *self.facts.sizes])

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask every part where it lies, and gather the answers."""
        return self._source.ask(function, shared, own)

    def reduce(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Answer:
        """Ask every part, and have workers bring the answers together; one is gathered."""
        answer: Answer = self._source.reduce(function, combine, shared, own)
        return answer

    def tabulate(
        self,
        function: Callable[..., pd.DataFrame],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> ClusterTable:
        """Return the table of all parts' rows, which stay with the workers."""
        return ClusterTable(KeptParts(self._source, function, shared, own))

    def learn(
        self,
        fit: Callable[[list[Answer]], Model],
        function: Callable[..., Answer],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Model:
        """Fit on what every part answers: LightGBM where the rows lie, others here."""
        if not (isinstance(fit, Recipe) and fit.model == _DISTRIBUTED):
            return super().learn(fit, function, *shared, own=own)
        recipe: Recipe = fit
        source = self._source

        def fit_once(crew: Any) -> Any:
            return fit_where_rows_lie(crew, source.submit(function, shared, own), recipe)

        return source.retry(f"fitting {recipe.model} on {source.n_parts} parts", fit_once)


def cut_panel(panel: Panel, place: PartedPlace, n_parts: int, beside: str | None = None) -> None:
    """Write a whole panel in parts of about as many series each; see `ClusterPanel.write`."""
    version, cuts = place.new_version(), panel.cut_stores(n_parts)
    sizes = [
        _write_part(panel.select_stores(stores), part, place, version)
        for part, stores in enumerate(cuts)
    ]
    _let_stand(place, version, PanelFacts.of(panel), sizes, beside)


def _let_stand(
    place: PartedPlace,
    version: str,
    facts: PanelFacts,
    sizes: Sequence[tuple[int, int]],
    beside: str | None,
) -> None:
    """Write the manifest.

    Args:
        place: Where the parts lie.
        version: Which of them.
        facts: What is known of the whole.
        sizes: Series and stores of each part.
        beside: Digest of the panel that one machine has meanwhile.
    """
    known = asdict(facts) | {"beside": beside}
    del known["sizes"]
    n_series, n_stores = (list(each) for each in zip(*sizes, strict=True))
    place.write_manifest(version, known | {"series": n_series, "stores": n_stores}, len(sizes))


def _write_part(panel: Panel, part: int, place: PartedPlace, version: str) -> tuple[int, int]:
    place.write_part(version, part, panel, _find_scratch())
    return len(panel.series), len(panel.stores)


def _read_part(place: PartedPlace, version: str, part: int) -> Panel:
    return place.read_part(version, part, Path(get_worker().local_directory) / "parts")


def _find_scratch() -> Path | None:
    """Return the worker's own folder, which Dask removes after it; None on the driver."""
    try:
        return Path(get_worker().local_directory)
    except ValueError:
        return None


def _list_first_sales(part: Panel) -> np.ndarray:
    return part.first_sale
