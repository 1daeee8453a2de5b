"""The dataset of the folder where new sales arrive, as many files as there are."""

import logging
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset

from grocery_demand.core.quality.incoming_files import PLAN, SALES, IncomingFiles
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.simulation.daily_files import DayOfSales
from grocery_demand.datasets.raw_files import (
    SIMULATED_MARK,
    SUFFIXES,
    RawFileError,
    is_simulated,
    open_raw_table,
)
from grocery_demand.storage.atomic import whole_file
from grocery_demand.storage.incoming_folder import write_day

logger = logging.getLogger(__name__)

_README = f"""# Simulated sales

{SIMULATED_MARK} by `kedro run --pipeline simulate_days`.
"""


class IncomingFolderDataset(AbstractDataset[DayOfSales, IncomingFiles]):
    """A folder of sales and promotion plans, `train*` and `test*`, that others put there.

    Saving a simulated day adds its files, to a folder that holds simulated ones only.

    Args:
        filepath: The folder; it may be missing.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> IncomingFiles:
        """Find the files and hash them; reading them is left to `RawTable.read_blocks`."""
        paths = self._list()
        others = [path.name for path in paths if not _is_table(path) and path.name != "README.md"]
        if others:
            logger.warning(
                "%s holds files that are not taken in: %s. Sales are named train…, promotion "
                "plans test…, each with one of the endings %s.",
                self._folder, ", ".join(others[:5]), ", ".join(SUFFIXES),
            )  # fmt: skip
        tables = [_open(path) for path in paths if _is_table(path)]
        return IncomingFiles(str(self._folder), tables, tuple(others))

    def save(self, data: DayOfSales) -> None:
        """Write the files of one simulated day.

        Raises:
            RawFileError: If the folder holds files that were not simulated.
        """
        if not is_simulated(self._folder):
            self._mark_simulated()
        for path in write_day(self._folder, data):
            logger.info("Simulated %s.", path)

    def _mark_simulated(self) -> None:
        others = [path.name for path in self._list()]
        if others:
            raise RawFileError(
                f"{self._folder} holds files that were not simulated ({', '.join(others[:3])}) "
                "and is left as it is; choose another folder with --params new_dir=…"
            )
        with whole_file(self._folder / "README.md") as beside:
            beside.write_text(_README, encoding="utf-8")

    def _list(self) -> list[Path]:
        """Return the files that are not hidden; those being written are."""
        if not self._folder.is_dir():
            _tell_missing(self._folder)
            return []
        return sorted(path for path in self._folder.iterdir() if path.name[0] != ".")

    def _exists(self) -> bool:
        return any(_is_table(path) for path in self._list())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _tell_missing(folder: Path) -> None:
    found = "is no folder" if folder.exists() else "is not there"
    logger.warning(
        "%s, where new sales are to arrive, %s: make it, or name another with "
        "--params new_dir=…", folder, found,
    )  # fmt: skip


def _is_table(path: Path) -> bool:
    return path.name.startswith((SALES, PLAN)) and path.name.endswith(SUFFIXES) and path.is_file()


def _open(path: Path) -> RawTable:
    """Return the file; one that cannot be hashed says so when it is read, as the others go on."""
    table = SALES if path.name.startswith(SALES) else PLAN
    try:
        return open_raw_table(path, table)
    except RawFileError as error:
        return RawTable(table, path.name, str(path.parent), "", 2, partial(_refuse, error))


def _refuse(error: RawFileError) -> NoReturn:
    raise error
