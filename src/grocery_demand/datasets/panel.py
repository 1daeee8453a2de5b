"""The dataset of the panel: a folder of arrays that are mapped into memory, not read."""

import logging
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from weakref import WeakValueDictionary

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.late_days import merge_late_days
from grocery_demand.core.panel import Panel
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.storage.atomic import remove_left_beside, standing_folder, whole_folder
from grocery_demand.storage.panel_folder import (
    META,
    VERSION,
    PanelFolderError,
    read_arrivals,
    read_panel,
    write_panel,
)

logger = logging.getLogger(__name__)

_LOADED: WeakValueDictionary[Path, Panel] = WeakValueDictionary()
"""The panels in use that were loaded, by their folder."""


class PanelFileError(GroceryDemandError, DatasetError):
    """The panel is not there or not of this version; Kedro passes it on as it is."""


class PanelDataset(AbstractDataset[Panel, Panel]):
    """A panel as a folder of .npy and .parquet files, replaced as a whole.

    Saving the very panel that was loaded from there writes nothing. Days that came late are kept
    when a panel is made anew: forecasts served before they came are still in the event log.

    Args:
        filepath: The folder.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> Panel:
        """Return the panel; its arrays are read-only and read from the disk as they are used.

        Raises:
            PanelFileError: If the folder is missing, damaged or of another version.
        """
        try:
            panel = read_panel(Path(self._filepath))
        except PanelFolderError as error:
            raise PanelFileError(str(error)) from error
        _LOADED[self._place] = panel
        return panel

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first series with the units that they sold, for kedro-viz."""
        panel = read_panel(Path(self._filepath))
        series = panel.series.head(nrows)
        return show_rows(series.assign(units_sold=panel.units[: len(series)].sum(axis=1)))

    def save(self, data: Panel) -> None:
        """Write the panel beside the former one, then take its place.

        What a process that was killed while it wrote has left there is removed first.
        """
        if _LOADED.pop(self._place, None) is data:
            return
        taken_in, late_days = read_arrivals(Path(self._filepath))
        note_forgotten(taken_in, data.taken_in)
        data = replace(data, late_days=merge_late_days(late_days, data.late_days))
        remove_left_beside(Path(self._filepath))
        with whole_folder(Path(self._filepath)) as beside:
            write_panel(beside, data)

    @property
    def _place(self) -> Path:
        return Path(self._filepath).resolve()

    def _exists(self) -> bool:
        return (standing_folder(Path(self._filepath)) / META).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": VERSION}


def note_forgotten(former: dict[str, str], taken_in: dict[str, str]) -> None:
    """Log the files of new days that the former panel holds, and the new one will not.

    Args:
        former: Files that joined the former panel, see `Panel.taken_in`.
        taken_in: Those of the new one.
    """
    forgotten = former.keys() - taken_in.keys()
    if forgotten:
        logger.warning(
            "The former panel held the days of %d files that arrived later, %s … %s; the new one "
            "is made without them. `kedro run --pipeline update` takes them in again, if they "
            "still lie in the folder.",
            len(forgotten), min(forgotten), max(forgotten),
        )  # fmt: skip
