"""Kedro datasets of a panel in parts."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.cluster.client import connect
from grocery_demand.cluster.panel import ClusterPanel
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.datasets.publication import PublicationDataset
from grocery_demand.storage.parted_panel import PartedPanelError, PartedPlace, join_parts


class PartedPanelFileError(GroceryDemandError, DatasetError):
    """The panel in parts is not there or not of this version; Kedro passes it on as it is."""


class PartedPanelDataset(AbstractDataset[Panel, PanelParts]):
    """A panel cut by store into parts, in a folder or on S3, that the workers of a cluster read.

    Args:
        filepath: A folder that driver and workers reach by the same name, or `s3://bucket/prefix`.
        parts: Parts into which a panel is cut; more of them need less memory each.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self, *, filepath: str, parts: int = 8, metadata: dict[str, Any] | None = None
    ) -> None:
        self._place, self._n_parts = PartedPlace(filepath), parts
        self._loaded: ClusterPanel | None = None
        self.metadata = metadata

    def load(self) -> PanelParts:
        """Return the panel; its parts are read by the workers.

        Raises:
            PartedPanelFileError: If there is none, or of another version.
        """
        try:
            standing = self._place.read_manifest()["panel"]
        except PartedPanelError as error:
            raise PartedPanelFileError(str(error)) from error
        if self._loaded is None or self._loaded.version != standing:
            self._loaded = ClusterPanel(connect(), self._place)
        return self._loaded

    def save(self, data: Panel) -> None:
        """Write the panel part by part beside the former one, then name it as what stands."""
        version = self._place.new_version()
        cuts = data.cut_stores(self._n_parts)
        for number, stores in enumerate(cuts):
            self._place.write_part(version, number, data.select_stores(stores))
        facts = {
            "start_date": str(data.start_date),
            "n_days": data.n_days,
            "digest": data.digest,
            "simulated": data.simulated,
        }
        self._place.write_manifest(version, facts, len(cuts))

    def _exists(self) -> bool:
        return self._place.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._place.uri, "parts": self._n_parts}


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

    def save(self, data: ModelVersion) -> None:
        """Join the panel, if it is another than was joined last, and publish a version with it."""
        join_parts(self._parts, Path(self._panel_filepath))
        super().save(data)
