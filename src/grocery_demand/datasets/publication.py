"""Kedro datasets of what the web app serves."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.datasets.challenger_control import load_served
from grocery_demand.datasets.model_registry import ModelRegistry
from grocery_demand.datasets.registered_versions import CHAMPION
from grocery_demand.storage.atomic import one_at_a_time
from grocery_demand.storage.pointer import POINTER
from grocery_demand.storage.publication import Publication, publish, publish_card, read_publication


class PublicationDataset(AbstractDataset[ModelVersion, Publication]):
    """What the web app serves: saving a version publishes it with the panel as it stands.

    Args:
        filepath: Folder of publications.
        panel: The panel's folder as `filepath`, whose files are linked; Kedro makes paths of this
            name those of the project, from wherever it is called.
        name: Name of the registered model, whose history is shown.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        panel: dict[str, str],
        name: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = PurePosixPath(filepath)
        self._panel_filepath = PurePosixPath(panel["filepath"])
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def save(self, data: ModelVersion) -> None:
        """Publish a version, if it is the champion still, with the challenger that is served."""
        folder = Path(self._filepath)
        with one_at_a_time(folder):
            if self._registry.find(CHAMPION) != data.number:
                return
            publish(
                folder,
                data,
                Path(self._panel_filepath),
                model_name=self._registry.name,
                published_at=datetime.now(UTC).isoformat(timespec="seconds"),
                verdict=self._registry.versions.find_verdict(data),
                history=[asdict(change) for change in self._registry.history()],
                versions=self._registry.versions.describe(),
                challenger=load_served(self._registry),
                rollouts=[asdict(change) for change in self._registry.rollouts.history()],
            )

    def load(self) -> Publication:
        """Return what is served.

        Raises:
            PublicationError: If nothing is published.
        """
        return read_publication(Path(self._filepath))

    def preview(self) -> JSONPreview:
        """Return the pointer: which model is served, with which panel, for kedro-viz."""
        return JSONPreview((Path(self._filepath) / POINTER).read_text(encoding="utf-8"))

    def _exists(self) -> bool:
        return (Path(self._filepath) / POINTER).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "name": self._registry.name}


class PublishedCardDataset(AbstractDataset[tuple[int, str], None]):
    """The card of a published model, which the web app shows; only written.

    Args:
        filepath: Folder of publications.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def save(self, data: tuple[int, str]) -> None:
        """Put the card, given with its model version, beside the model."""
        publish_card(Path(self._filepath), *data)

    def load(self) -> None:
        """Return nothing: the card is `model_card`."""

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
