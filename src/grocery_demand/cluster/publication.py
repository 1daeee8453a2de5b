"""The dataset of what the web app serves, its panel joined from parts."""

from pathlib import Path
from typing import Any

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.datasets.panel import note_forgotten
from grocery_demand.datasets.publication import PublicationDataset
from grocery_demand.storage.panel_folder import read_arrivals
from grocery_demand.storage.panel_joining import join_parts
from grocery_demand.storage.parted_panel import PartedPlace
from grocery_demand.storage.place import Place


class PartedPublicationDataset(PublicationDataset):
    """What the web app serves, its panel joined from parts into a folder of one machine.

    Args:
        filepath: Folder of publications.
        panel: Folder of the joined panel as `filepath`.
        parts: Where the panel in parts lies, as `filepath`.
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        panel: dict[str, str],
        parts: dict[str, str],
        name: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, panel=panel, name=name, metadata=metadata)
        self._parts = PartedPlace(parts["filepath"])
        self._home: Place | None = None

    def save(self, data: ModelVersion) -> None:
        """Join the panel, if it is another than was joined last, and publish a version with it."""
        folder = Path(self._panel_filepath)
        taken_in, _ = read_arrivals(folder)
        if join_parts(self._parts, folder):
            self._home = Place(str(folder))
            note_forgotten(taken_in, {})
        super().save(data)
