"""The dataset of the panel: a folder of arrays that are mapped into memory, not read."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import standing_folder, whole_folder
from grocery_demand.storage.panel_folder import (
    META,
    VERSION,
    PanelFolderError,
    read_panel,
    write_panel,
)


class PanelFileError(GroceryDemandError, DatasetError):
    """The panel is not there or not of this version; Kedro passes it on as it is."""


class PanelDataset(AbstractDataset[Panel, Panel]):
    """A panel as a folder of .npy and .parquet files, replaced as a whole.

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
            return read_panel(Path(self._filepath))
        except PanelFolderError as error:
            raise PanelFileError(str(error)) from error

    def save(self, data: Panel) -> None:
        """Write the panel beside the former one, then take its place."""
        with whole_folder(Path(self._filepath)) as beside:
            write_panel(beside, data)

    def _exists(self) -> bool:
        return (standing_folder(Path(self._filepath)) / META).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": VERSION}
