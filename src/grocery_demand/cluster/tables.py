"""Tables whose parts lie with the workers of a cluster, or are read and written by them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
from distributed import Client

from grocery_demand.cluster.sources import MadeParts, OpenedParts, Source
from grocery_demand.core.parts import Answer
from grocery_demand.core.table_parts import TableParts
from grocery_demand.storage.parted_table import TablePlace


class ClusterTable(TableParts):
    """A table in parts, each asked by the worker that has it."""

    def __init__(self, source: Source) -> None:
        """Say where the parts are, each a `pd.DataFrame`."""
        self._source = source

    @classmethod
    def read(cls, client: Client, place: TablePlace) -> "ClusterTable":
        """Return the table that stands in a place, read part by part whenever it is asked."""
        manifest = place.read_manifest()
        open_part = partial(_read_frame, place, manifest["table"])
        return cls(OpenedParts(client, manifest["parts"], open_part, keep=False))

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return self._source.n_parts

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask every part where it lies, and gather the answers."""
        return self._source.ask(function, shared, own)

    def derive(self, function: Callable[..., pd.DataFrame], *shared: Any) -> "ClusterTable":
        """Return the table that is made of each part when it is needed."""
        return ClusterTable(MadeParts(self._source, function, shared, None))

    def write(self, place: TablePlace) -> None:
        """Have each part written by the worker that has it, then let them stand."""
        version = place.new_version()
        rows = self.map(_write_frame, place, version, own=range(self.n_parts))
        place.finish(version, self.n_parts, {"rows": rows})


def _read_frame(place: TablePlace, version: str, part: int) -> pd.DataFrame:
    return place.read_part(version, part).to_pandas()


def _write_frame(rows: pd.DataFrame, part: int, place: TablePlace, version: str) -> int:
    place.write_part(version, part, pa.Table.from_pandas(rows, preserve_index=False))
    return len(rows)
