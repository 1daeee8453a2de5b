"""What the web app serves: one folder per model version, one per panel, and a pointer to both.

    current.json          the pointer, replaced as a whole
    models/<version>/     the model's files, verdict.json, model_card.md
    panels/<name>/        the panel's files, linked to those of the pipelines, not copied

The pointer comes last, so that a command that breaks off leaves the former publication in place.
It also says whether a challenger is served beside the champion, and how.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import Panel
from grocery_demand.core.rollout import ServedChallenger
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.storage.atomic import standing_folder, whole_file
from grocery_demand.storage.model_folder import CHECKSUMS, read_model
from grocery_demand.storage.panel_folder import read_panel
from grocery_demand.storage.placing import (
    MODEL,
    VERDICT,
    model_folder,
    place_model,
    place_panel,
    remove_old,
)
from grocery_demand.storage.pointer import (
    MEND,
    Pointer,
    PublicationError,
    read_pointer,
    write_pointer,
)

_CARD = "model_card.md"
_READS = 5

Read = TypeVar("Read")


@dataclass(frozen=True)
class Publication:
    """The champion as it is served.

    Attributes:
        pointer: Which one it is.
        model: The champion.
        panel: Sales and plan that it forecasts from.
        verdict: Why it became champion; None if that was not kept.
        model_card: Markdown; None until a report was made of it.
    """

    pointer: Pointer
    model: TrainedModel
    panel: Panel
    verdict: dict[str, Any] | None
    model_card: str | None


def publish(  # noqa: PLR0913
    folder: Path,
    version: ModelVersion,
    panel_folder: Path,
    *,
    model_name: str,
    published_at: str,
    verdict: dict[str, Any] | None,
    history: list[dict[str, Any]],
    versions: list[dict[str, Any]],
    challenger: ServedChallenger | None = None,
    rollouts: list[dict[str, Any]] | None = None,
) -> Pointer:
    """Place models and panel in the folder and point to them.

    Args:
        folder: Folder of publications.
        version: The champion.
        panel_folder: The panel as the pipelines left it.
        model_name: Name of the registered model.
        published_at: ISO time.
        verdict: Why it became champion.
        history: Changes of the champion.
        versions: Versions of the model with their scores.
        challenger: What is served beside the champion, from the same panel, and how.
        rollouts: Changes of what challenger is served.

    Raises:
        PanelFolderError: If there is no panel to forecast from.
    """
    panel_name, cutoff = place_panel(folder, panel_folder)
    place_model(folder, version, verdict)
    if challenger is not None:
        place_model(folder, challenger.version, None)
    pointer = Pointer(
        model_name=model_name,
        model_version=version.number,
        run_id=version.run_id,
        panel=panel_name,
        cutoff=cutoff,
        published_at=published_at,
        history=history,
        versions=versions,
        challenger=challenger.rollout if challenger is not None else None,
        rollouts=rollouts or [],
    )
    write_pointer(folder, pointer)
    others = [challenger.version.number] if challenger is not None else []
    remove_old(folder, [version.number, *others], pointer.panel)
    return pointer


def publish_card(folder: Path, model_version: int, card: str) -> None:
    """Put a model card beside a model that was published; do nothing if it was not."""
    if model_folder(folder, model_version).is_dir():
        with whole_file(model_folder(folder, model_version) / _CARD) as beside:
            beside.write_text(card, encoding="utf-8")


def read_as_a_whole(folder: Path, read: Callable[[Pointer], Read]) -> Read:
    """Return what is read by the pointer, all of one moment.

    Args:
        folder: Folder of publications.
        read: Is given the pointer; called again if it fails while another one takes its place.

    Raises:
        PublicationError: If nothing is published or it cannot be read.
    """
    for _ in range(_READS):
        pointer = read_pointer(folder)
        try:
            return read(pointer)
        except (GroceryDemandError, OSError, ValueError) as error:
            # It may have been replaced and removed while it was read.
            if read_pointer(folder) == pointer:
                raise PublicationError(
                    f"The publication in {folder} cannot be read: {error} {MEND}"
                ) from error
    raise PublicationError(f"The publication in {folder} changes faster than it can be read.")


def read_publication(folder: Path) -> Publication:
    """Return the champion as it is to be served, all of one moment.

    Raises:
        PublicationError: If nothing is published or it cannot be read.
    """
    return read_as_a_whole(folder, lambda pointer: _read_parts(folder, pointer))


def read_version(folder: Path, number: int) -> TrainedModel:
    """Return a version of the model that is published.

    Raises:
        ModelFileError: If it is not there whole.
    """
    return read_model(standing_folder(model_folder(folder, number)) / MODEL)


def read_verdict(folder: Path, number: int) -> dict[str, Any] | None:
    """Return why a published version became champion; None if that was not kept."""
    path = standing_folder(model_folder(folder, number)) / VERDICT
    return dict(json.loads(path.read_bytes())) if path.is_file() else None


def read_card(folder: Path, model_version: int) -> str | None:
    """Return the model card of a published version; None if it has none."""
    try:
        return (model_folder(folder, model_version) / _CARD).read_text(encoding="utf-8")
    except OSError:
        return None


def fingerprint(folder: Path, number: int) -> bytes:
    """Return what tells a published version from any other model, also one of its number.

    It is empty if the version is not there.
    """
    try:
        place = standing_folder(model_folder(folder, number))
        return (place / MODEL / CHECKSUMS).read_bytes()
    except OSError:
        return b""


def _read_parts(folder: Path, pointer: Pointer) -> Publication:
    return Publication(
        pointer=pointer,
        model=read_version(folder, pointer.model_version),
        panel=read_panel(folder / "panels" / pointer.panel),
        verdict=read_verdict(folder, pointer.model_version),
        model_card=read_card(folder, pointer.model_version),
    )
