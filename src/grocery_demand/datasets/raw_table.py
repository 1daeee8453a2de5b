"""The dataset of a raw table: one file by Kaggle's name in a folder."""

from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.parameters import suggestion
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.datasets.raw_files import (
    SUFFIXES,
    RawFileError,
    open_raw_table,
    read_blocks,
)

__all__ = ["RawTable", "RawTableDataset"]

_SOURCE = "https://www.kaggle.com/competitions/favorita-grocery-sales-forecasting/data"


class RawTableDataset(AbstractDataset[RawTable, RawTable]):
    """A raw table that is read, block by block, by whoever checks it.

    Args:
        filepath: The folder of the raw files.
        table: Kaggle's name of the table: the file is `<table>.csv`, `.csv.gz`, `.csv.zip` or
            `.parquet`.
        optional: Whether the file may be missing.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        table: str,
        optional: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = Path(filepath)
        self._table = table
        self._optional = optional
        self.metadata = metadata

    def load(self) -> RawTable:
        """Find the file and hash it; reading it is left to `RawTable.read_blocks`.

        Raises:
            RawFileError: If the folder or the file is missing, or there are two such files.
        """
        found = self._find()
        if not found:
            return RawTable(self._table, "", str(self._folder), "", 0, lambda: iter(()))
        return open_raw_table(found[0], self._table)

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows as they stand in the file, for kedro-viz."""
        found = self._find()
        if not found:
            return show_rows(pd.DataFrame())
        text = next(read_blocks(found[0])).decode("utf-8", errors="replace")
        return show_rows(pd.read_csv(StringIO(text), nrows=nrows, dtype=str, keep_default_na=False))

    def save(self, data: RawTable) -> NoReturn:  # noqa: ARG002
        """Refuse: raw files are never written to."""
        raise DatasetError(f"{self._table} in {self._folder} is raw data: it is only read.")

    def _find(self) -> list[Path]:
        if not self._folder.is_dir():
            raise RawFileError(
                f"The folder of the raw files, {self._folder}, is not there. {self._advice()}"
            )
        names = [f"{self._table}{suffix}" for suffix in SUFFIXES]
        found = [self._folder / name for name in names if (self._folder / name).is_file()]
        if len(found) > 1:
            both = " and ".join(path.name for path in found)
            raise RawFileError(
                f"{self._folder} holds {both}: which one is meant? Remove all but one."
            )
        if not found and not self._optional:
            raise RawFileError(self._describe_missing(names))
        return found

    def _describe_missing(self, names: list[str]) -> str:
        held = sorted(path.name for path in self._folder.iterdir() if path.name[0] != ".")
        return (
            f"{self._folder} has no {self._table} file: one of {', '.join(names)} is needed"
            f"{suggestion(names[0], held)}. It holds {', '.join(held) or 'nothing'}. "
            f"{self._advice()}"
        )

    def _advice(self) -> str:
        if self._folder.name == "kaggle":
            return (
                f"Download the files from {_SOURCE} and put them there as they are (.7z unpacked): "
                "train, items, stores and holidays_events; also test, transactions and oil if you "
                "have them."
            )
        return (
            "Put the files there under Kaggle's names, name another folder with "
            "--params raw_dir=…, or make the sample again with `kedro run --pipeline simulate`."
        )

    def _exists(self) -> bool:
        return any((self._folder / f"{self._table}{suffix}").is_file() for suffix in SUFFIXES)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "table": self._table, "optional": self._optional}
