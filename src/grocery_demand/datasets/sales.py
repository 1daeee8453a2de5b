"""The dataset of the sales table: one parquet file, read lazily."""

from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
from kedro.io import AbstractDataset

from grocery_demand.datasets.atomic import whole_file


class SalesDataset(AbstractDataset[pl.DataFrame | pl.LazyFrame, pl.LazyFrame]):
    """A large table as parquet, replaced as a whole, loaded as a lazy frame.

    Args:
        filepath: The parquet file.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> pl.LazyFrame:
        """Return the table, not yet read."""
        return pl.scan_parquet(str(self._filepath), glob=False)

    def save(self, data: pl.DataFrame | pl.LazyFrame) -> None:
        """Write the table in its order."""
        with whole_file(Path(self._filepath)) as beside:
            data.lazy().sink_parquet(beside, compression="zstd", compression_level=1)

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
