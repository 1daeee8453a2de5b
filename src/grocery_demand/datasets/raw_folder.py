"""The dataset of a folder of raw tables, written in one stream and put in place as a whole."""

import gzip
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
from kedro.io import AbstractDataset

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import RawTables, TablePart
from grocery_demand.datasets.raw_files import SIMULATED_MARK, RawFileError, is_simulated
from grocery_demand.storage.atomic import standing_folder, whole_folder

logger = logging.getLogger(__name__)

_COMPRESSIONS = ("gzip", "none")
_COMPRESSED_TABLES = ("train", "test", "transactions")
_COMPRESSION_LEVEL = 9
_README = """# Simulated sales

{mark} by `kedro run --pipeline simulate`: no sale in them is real, nor is any
store or item. The files have the names and columns of the Kaggle competition "Corporación Favorita
Grocery Sales Forecasting". The same parameters make the same files, byte for byte; a later
`end_date` continues the same world.

| parameter | value |
|---|---|
{rows}
"""


class RawFolderDataset(AbstractDataset[RawTables, dict[str, pl.LazyFrame]]):
    """Raw tables under Kaggle's names in one folder, replaced as a whole.

    Saving streams the parts of the tables into a hidden folder and then renames that into place;
    the same parts give the same bytes. Loading scans the tables lazily, by name.

    Args:
        filepath: The folder where the files lie; only a simulated or an empty folder is replaced.
        compression: "gzip" to compress the tables that grow by the day, or "none".
        metadata: Anything for other tools; Kedro ignores it.

    Raises:
        RawFileError: If the compression is not known.
    """

    def __init__(
        self, *, filepath: str, compression: str = "none", metadata: dict[str, Any] | None = None
    ) -> None:
        if compression not in _COMPRESSIONS:
            raise RawFileError(
                f"Compression of {filepath} is {compression!r}; allowed: "
                f"{', '.join(_COMPRESSIONS)}. Set it with --params simulated_compression=…"
            )
        self._folder = Path(filepath)
        self._compression = compression
        self.metadata = metadata

    def load(self) -> dict[str, pl.LazyFrame]:
        """Scan the tables, by name.

        Raises:
            RawFileError: If the folder holds no table.
        """
        paths = self._find_tables()
        if not paths:
            raise RawFileError(
                f"{self._folder} holds no tables; make them with `kedro run --pipeline simulate`."
            )
        return {path.name.partition(".")[0]: _scan_table(path) for path in paths}

    def save(self, data: RawTables) -> None:
        """Write the tables and put the folder in place.

        Raises:
            RawFileError: If the folder holds files that were not simulated.
        """
        self._refuse_other_files()
        with whole_folder(self._folder) as folder:
            rows = self._write_parts(folder, data)
            _write_readme(folder, data.parameters)
        logger.info("Simulated %s rows of sales in %s.", f"{rows:,}", self._folder)

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
        return cast(IO[bytes], stack.enter_context(packed))

    def _refuse_other_files(self) -> None:
        """Refuse to replace what a simulation cannot bring back."""
        folder = standing_folder(self._folder)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        others = [path.name for path in found if path.name != ".gitkeep"]
        if others and not is_simulated(folder):
            raise RawFileError(
                f"{folder} holds files that were not simulated ({', '.join(others[:3])}) and is "
                "left as it is; choose another folder with --params simulated_dir=…"
            )

    def _find_tables(self) -> list[Path]:
        return sorted(standing_folder(self._folder).glob("*.csv*"))

    def _exists(self) -> bool:
        return bool(self._find_tables())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "compression": self._compression}


def _scan_table(path: Path) -> pl.LazyFrame:
    """Scan a table; onpromotion stays text, being empty in the early years."""
    promoted = {"onpromotion": pl.String} if path.name.startswith(("train", "test")) else {}
    return pl.scan_csv(path, try_parse_dates=True, schema_overrides=promoted)


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
    values = {field.name: getattr(parameters, field.name) for field in fields(parameters)}
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    text = _README.format(mark=SIMULATED_MARK, rows=rows)
    (folder / "README.md").write_text(text, encoding="utf-8")
