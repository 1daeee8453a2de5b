"""A folder of raw tables, written in one stream and put in place as a whole."""

import gzip
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import polars as pl
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import RawTables, TablePart

logger = logging.getLogger(__name__)

SIMULATED_MARK = "These data are SIMULATED"
_COMPRESSED_TABLES = ("train", "test", "transactions")
_COMPRESSION_LEVEL = 9
_README = """# Simulated sales

{mark} by `kedro run --pipeline simulate`: no store, item or sale in them is real. The files have
the names and columns of the Kaggle competition "Corporación Favorita Grocery Sales Forecasting".
The same parameters make the same files, byte for byte; a later `end_date` continues the same world.

| parameter | value |
|---|---|
{rows}
"""


class RawFolderDataset(AbstractDataset[RawTables, dict[str, pl.LazyFrame]]):
    """Raw tables under Kaggle's names in one folder.

    Saving streams the parts of the tables into a hidden folder beside it and then renames that
    into place, so that a reader sees the old folder or the new one, never half of one. The same
    parts give the same bytes. Loading scans the tables lazily, by name.
    """

    def __init__(
        self, folder: str, compression: str = "none", metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the folder.

        Args:
            folder: Where the files lie; only a simulated or an empty folder is replaced.
            compression: "gzip" to compress the tables that grow by the day, or "none".
            metadata: For Kedro plugins; not used here.

        Raises:
            DatasetError: When the compression is not known.
        """
        if compression not in ("gzip", "none"):
            raise DatasetError(f"compression is {compression!r}; allowed: gzip, none.")
        self._folder = Path(folder)
        self._compression = compression
        self.metadata = metadata

    def load(self) -> dict[str, pl.LazyFrame]:
        """Scan the tables, by name.

        Raises:
            DatasetError: When the folder holds no table.
        """
        self._recover()
        paths = sorted(self._folder.glob("*.csv*"))
        if not paths:
            raise DatasetError(
                f"{self._folder} holds no tables; make them with `kedro run --pipeline simulate`."
            )
        return {
            path.name.partition(".")[0]: pl.scan_csv(
                path, try_parse_dates=True, schema_overrides={"onpromotion": pl.String}
            )
            for path in paths
        }

    def save(self, data: RawTables) -> None:
        """Write the tables and put the folder in place.

        Raises:
            DatasetError: When the folder holds files that were not simulated.
        """
        self._recover()
        self._refuse_other_files()
        partial = self._beside("partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            rows = self._write_parts(partial, data)
            _write_readme(partial, data.parameters)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self._swap(partial)
        logger.info(
            "Simulated %s rows of sales in %s. Next: kedro run --params raw_dir=%s",
            f"{rows:,}", self._folder, self._folder,
        )  # fmt: skip

    def _write_parts(self, folder: Path, data: RawTables) -> int:
        """Append each part to its table's file; returns the number of rows of sales."""
        files: dict[str, IO[bytes]] = {}
        rows = 0
        with ExitStack() as stack:
            for part in _log_progress(data):
                is_new = part.table not in files
                if is_new:
                    files[part.table] = self._open_file(folder, part.table, stack)
                files[part.table].write(part.rows.write_csv(include_header=is_new).encode())
                rows += len(part.rows) if part.table == "train" else 0
        return rows

    def _open_file(self, folder: Path, table: str, stack: ExitStack) -> IO[bytes]:
        """Open a table's file; gzip's header gets neither a time nor a name."""
        if self._compression == "none" or table not in _COMPRESSED_TABLES:
            return stack.enter_context((folder / f"{table}.csv").open("wb"))
        plain = stack.enter_context((folder / f"{table}.csv.gz").open("wb"))
        packed = gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, plain, mtime=0)
        return stack.enter_context(packed)  # type: ignore[return-value]

    def _refuse_other_files(self) -> None:
        """Refuse to replace what a simulation cannot bring back."""
        readme = self._folder / "README.md"
        is_simulated = readme.is_file() and SIMULATED_MARK in readme.read_text(encoding="utf-8")
        others = [path.name for path in self._list_files() if path.name != ".gitkeep"]
        if others and not is_simulated:
            raise DatasetError(
                f"{self._folder} holds files that were not simulated ({', '.join(others[:3])}); "
                "choose another folder with --params simulated_dir=…"
            )

    def _list_files(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._folder.is_dir() else []

    def _swap(self, partial: Path) -> None:
        replaced = self._beside("replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if self._folder.exists():
            self._folder.rename(replaced)
        partial.rename(self._folder)
        shutil.rmtree(replaced, ignore_errors=True)

    def _recover(self) -> None:
        """Put the old folder back when a run was stopped between the two renames of a swap."""
        replaced = self._beside("replaced")
        if replaced.exists() and not self._folder.exists():
            replaced.rename(self._folder)

    def _beside(self, purpose: str) -> Path:
        return self._folder.with_name(f".{self._folder.name}.{purpose}")

    def _exists(self) -> bool:
        self._recover()
        return any(self._folder.glob("*.csv*"))

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder), "compression": self._compression}


def _log_progress(data: RawTables) -> Iterator[TablePart]:
    """Pass the parts on and say after each tenth of the days how far it is."""
    first, last = data.parameters.first_day, data.parameters.last_day
    days, rows, tenths = (last - first).days + 1, 0, 0
    for part in data.parts:
        yield part
        if part.table != "train":
            continue
        rows += len(part.rows)
        if (done := 10 * ((part.day - first).days + 1) // days) > tenths:
            tenths = done
            logger.info("Simulating: %s, %d %% of days, %s rows", part.day, 10 * done, f"{rows:,}")


def _write_readme(folder: Path, parameters: SimulationParameters) -> None:
    values = {field.name: getattr(parameters, field.name) for field in fields(parameters)}  # type: ignore[arg-type]
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    text = _README.format(mark=SIMULATED_MARK, rows=rows)
    (folder / "README.md").write_text(text, encoding="utf-8")
