"""The dataset of batch forecasts as they were made, kept until sales have arrived."""

import logging
import re
from datetime import date, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import polars as pl
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.storage.atomic import whole_file

_SCHEMA = {
    "store_nbr": pl.Int64,
    "item_nbr": pl.Int64,
    "cutoff": pl.Date,
    "date": pl.Date,
    "step": pl.Int16,
    "model_version": pl.Int64,
    "point": pl.Float32,
    "quantile_0.1": pl.Float32,
    "quantile_0.5": pl.Float32,
    "quantile_0.9": pl.Float32,
    "interval_low": pl.Float32,
    "interval_high": pl.Float32,
    "seasonal_naive": pl.Float32,
    "moving_average": pl.Float32,
}

_SET_ASIDE = "set_aside"
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-v\d+\.parquet")

logger = logging.getLogger(__name__)


class ForecastArchiveError(GroceryDemandError, DatasetError):
    """A file of stored forecasts is damaged; Kedro passes it on as it is."""


class ForecastArchiveDataset(AbstractDataset[pd.DataFrame, pl.LazyFrame]):
    """A folder with one parquet file per cutoff and model version; saving adds one.

    The same cutoff and version take the place of the former file, so that a repeated run changes
    nothing. Files whose cutoff lies too long before the one saved are deleted. Those whose cutoff
    lies after it, as the panel was made anew with an earlier end, are moved to `set_aside` in the
    folder, which is not read: nobody can make them again.

    Args:
        filepath: The folder.
        keep_days: How long before the newest cutoff files are kept, those set aside, too.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self, *, filepath: str, keep_days: int = 70, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = PurePosixPath(filepath)
        self._keep_days = keep_days
        self._told: set[Path] = set()
        self.metadata = metadata

    def load(self) -> pl.LazyFrame:
        """Return all forecasts, not yet read; no rows if none were kept yet.

        Files from before intervals had columns of their own promised the outer quantiles.

        Raises:
            ForecastArchiveError: If a file is damaged.
        """
        self._warn_of_others()
        paths = sorted(self._list())
        if not paths:
            return pl.LazyFrame(schema=_SCHEMA)
        for path in paths:
            _require_whole(path)
        scan = pl.scan_parquet(paths, glob=False, schema=_SCHEMA, missing_columns="insert")
        return scan.with_columns(
            pl.col("interval_low").fill_null(pl.col("quantile_0.1")),
            pl.col("interval_high").fill_null(pl.col("quantile_0.9")),
        )

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        return show_rows(self.load().head(nrows).collect().to_pandas())

    def save(self, data: pd.DataFrame) -> None:
        """Keep forecasts of one cutoff, by one version or several."""
        table = pl.from_pandas(data).select(
            pl.col(name).cast(kind) for name, kind in _SCHEMA.items()
        )
        cutoff = table["cutoff"][0]
        for (version,), part in table.partition_by("model_version", as_dict=True).items():
            with whole_file(Path(self._filepath) / f"{cutoff}-v{version}.parquet") as beside:
                part.write_parquet(beside, compression="zstd", compression_level=1)
        self._set_later_aside(cutoff)
        self._delete_old(cutoff)

    def _set_later_aside(self, newest: date) -> None:
        later = sorted(path for path in self._list() if _cutoff_of(path) > newest)
        if not later:
            return
        folder = Path(self._filepath) / _SET_ASIDE
        folder.mkdir(exist_ok=True)
        for path in later:
            path.replace(folder / path.name)
        first, last = _cutoff_of(later[0]), _cutoff_of(later[-1])
        logger.warning(
            "Set aside %d file(s) of stored forecasts, of cutoffs %s: the panel now ends earlier, "
            "on %s. They lie in %s, and are not compared with sales. Move them back to %s once the "
            "panel reaches these days again; if it will have other sales, leave them.",
            len(later), first if first == last else f"{first} … {last}", newest, folder,
            self._filepath,
        )  # fmt: skip

    def _delete_old(self, newest: date) -> None:
        oldest = newest - timedelta(days=self._keep_days)
        aside = _list_forecasts(Path(self._filepath) / _SET_ASIDE)
        for path in [*self._list(), *aside]:
            if _cutoff_of(path) < oldest:
                path.unlink(missing_ok=True)

    def _list(self) -> list[Path]:
        return _list_forecasts(Path(self._filepath))

    def _warn_of_others(self) -> None:
        """Tell of tables that are not named as this dataset names them: copies count for none."""
        others = set(Path(self._filepath).glob("[!.]*.parquet")) - set(self._list())
        if others - self._told:
            self._told |= others
            logger.warning(
                "Left out of the stored forecasts, by their names: %s (in %s). Files are named "
                "2017-06-01-v1.parquet, by cutoff and version; remove the others.",
                ", ".join(sorted(path.name for path in others)), self._filepath,
            )  # fmt: skip

    def _exists(self) -> bool:
        return bool(self._list())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "keep_days": self._keep_days}


def _list_forecasts(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.parquet") if _is_named_by_cutoff(path)]


def _is_named_by_cutoff(path: Path) -> bool:
    named = _NAME.fullmatch(path.name)
    try:
        return named is not None and bool(date.fromisoformat(named[1]))
    except ValueError:
        return False


def _require_whole(path: Path) -> None:
    """Raise a `ForecastArchiveError` if a file's end, which says what is in it, cannot be read.

    Or if it says that other columns are in it.
    """
    try:
        schema = pl.read_parquet_schema(path)
    except PermissionError as error:
        told = f"The stored forecasts {path} cannot be read: give the user of this run the right."
        raise ForecastArchiveError(told) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ForecastArchiveError(_explain(path, str(error).splitlines()[0])) from error
    differing = [name for name, kind in schema.items() if _SCHEMA.get(name) != kind]
    if differing:
        raise ForecastArchiveError(_explain(path, f"unexpected: {', '.join(differing)}"))


def _explain(path: Path, reason: str) -> str:
    return (
        f"The stored forecasts {path} are damaged ({reason}). Restore the file from a backup, or "
        "remove it: its forecasts are then not compared with sales, all others are."
    )


def _cutoff_of(path: Path) -> date:
    return date.fromisoformat(path.name[:10])
