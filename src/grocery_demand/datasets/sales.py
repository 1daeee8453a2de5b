"""The dataset of the sales table: a folder of parquet files, read lazily as one table."""

from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.storage.atomic import standing_folder, whole_file, whole_folder

_HISTORY = "history.parquet"
_LATER = "later-{date}.parquet"


class SalesDataset(AbstractDataset[pl.DataFrame | pl.LazyFrame, pl.LazyFrame]):
    """A large table as parquet, replaced as a whole or added to, loaded as a lazy frame.

    Args:
        filepath: The folder.
        append: Whether `save` adds a file of later days, named by the first of them, instead of
            replacing all.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self, *, filepath: str, append: bool = False, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = PurePosixPath(filepath)
        self._append = append
        self.metadata = metadata

    def load(self) -> pl.LazyFrame:
        """Return the table, not yet read: the history, then what was added.

        Raises:
            DatasetError: If nothing was saved yet.
        """
        paths = sorted(standing_folder(Path(self._filepath)).glob("[!.]*.parquet"))
        if not paths:
            raise DatasetError(
                f"There is no sales table in {self._filepath}. Make it with "
                "`kedro run --pipeline preprocess`."
            )
        return pl.scan_parquet(paths, glob=False)

    def save(self, data: pl.DataFrame | pl.LazyFrame) -> None:
        """Write the table in its order."""
        folder = Path(self._filepath)
        if self._append:
            first = data.lazy().select(pl.col("date").min()).collect().item()
            with whole_file(folder / _LATER.format(date=first)) as beside:
                _write(data, beside)
        else:
            with whole_folder(folder) as new:
                _write(data, new / _HISTORY)

    def _exists(self) -> bool:
        return (standing_folder(Path(self._filepath)) / _HISTORY).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "append": self._append}


def _write(data: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    data.lazy().sink_parquet(path, compression="zstd", compression_level=1)
