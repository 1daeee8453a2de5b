"""The dataset of the sales table: a folder of parquet files, read lazily as one table."""

from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
from kedro.io import AbstractDataset

from grocery_demand.datasets.not_made import NotMadeYetError
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.storage.atomic import standing_folder, whole_file, whole_folder

_HISTORY = "history.parquet"
_DAY = "day-"
_PARTS = "part-*.parquet"


class SalesDataset(AbstractDataset[pl.DataFrame | pl.LazyFrame, pl.LazyFrame]):
    """A large table as parquet, replaced as a whole or day by day, loaded as a lazy frame.

    Beside the history lies a file for each day that came later or was corrected; it stands for
    all rows of its day. Files of several later days, which former versions wrote, are read, too,
    and so are the parts by store that a cluster leaves in place of the history.

    Args:
        filepath: The folder.
        by_day: Whether `save` replaces the days it is given, each by a file of its own, instead
            of all.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self, *, filepath: str, by_day: bool = False, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = PurePosixPath(filepath)
        self._by_day = by_day
        self.metadata = metadata

    def load(self) -> pl.LazyFrame:
        """Return the table, not yet read: the history, then the days beside it.

        Raises:
            NotMadeYetError: If nothing was saved yet.
        """
        paths = sorted(standing_folder(Path(self._filepath)).glob("[!.]*.parquet"))
        if not paths:
            raise NotMadeYetError(
                f"There is no sales table in {self._filepath}. Make it with `make run`, which runs "
                "the whole loop, or alone with `kedro run --pipeline preprocess`."
            )
        by_day = {day: path for path in paths if (day := _find_day(path)) is not None}
        others = [path for path in paths if path not in by_day.values()]
        parts = [pl.scan_parquet(others, glob=False)] if others else []
        if by_day:
            replaced = pl.Series(list(by_day), dtype=pl.Date).implode()
            parts = [part.filter(~pl.col("date").is_in(replaced)) for part in parts]
            parts.append(pl.scan_parquet(list(by_day.values()), glob=False))
        return pl.concat(parts)

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        return show_rows(self.load().head(nrows).collect().to_pandas())

    def save(self, data: pl.DataFrame | pl.LazyFrame) -> None:
        """Write the table in its order."""
        folder = Path(self._filepath)
        if self._by_day:
            days = data.lazy().collect().partition_by("date", as_dict=True, maintain_order=True)
            for (day,), rows in days.items():
                with whole_file(folder / f"{_DAY}{day}.parquet") as beside:
                    _write(rows, beside)
        else:
            with whole_folder(folder) as new:
                _write(data, new / _HISTORY)

    def _exists(self) -> bool:
        folder = standing_folder(Path(self._filepath))
        return (folder / _HISTORY).is_file() or any(folder.glob(_PARTS))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "by_day": self._by_day}


def _find_day(path: Path) -> date | None:
    """Return the day that a file stands for; None for the history and for files of several."""
    if not path.name.startswith(_DAY):
        return None
    return date.fromisoformat(path.stem.removeprefix(_DAY))


def _write(data: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    data.lazy().sink_parquet(path, compression="zstd", compression_level=1)
