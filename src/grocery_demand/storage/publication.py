"""What the web app serves: one folder per model version, one per panel, and a pointer to both.

    current.json          the pointer, replaced as a whole
    models/<version>/     the model's files, verdict.json, model_card.md
    panels/<name>/        the panel's files, linked to those of the pipelines, not copied

The pointer comes last, so that a command that breaks off leaves the former publication in place.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.forecaster import TrainedModel, to_json
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import standing_folder, whole_file, whole_folder
from grocery_demand.storage.model_folder import read_model, write_model
from grocery_demand.storage.panel_folder import META, PanelFolderError, read_panel

POINTER = "current.json"
FORMAT = "grocery-demand publication"
VERSION = 1

_MODEL, _VERDICT, _CARD = "model", "verdict.json", "model_card.md"
_MODELS_KEPT = 3
_PANELS_KEPT = 2
_READS = 5
MEND = "Publish it with `kedro run --pipeline publish`."


class PublicationError(GroceryDemandError):
    """Nothing is published, or what is published cannot be read."""


@dataclass(frozen=True)
class Pointer:
    """Which model and which panel are to be served, and what is known of other versions.

    Attributes:
        model_name: Name of the registered model.
        model_version: Number of the version in the registry.
        run_id: MLflow run that made it, if one did.
        panel: Name of the panel's folder.
        cutoff: Last day with sales in that panel, ISO date.
        published_at: When, ISO in UTC.
        history: Every change of the champion, the oldest first; see `ChampionChange`.
        versions: Versions of the model with their scores, the newest first.
    """

    model_name: str
    model_version: int
    run_id: str | None
    panel: str
    cutoff: str
    published_at: str
    history: list[dict[str, Any]]
    versions: list[dict[str, Any]]


@dataclass(frozen=True)
class Publication:
    """What is served.

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
) -> Pointer:
    """Place model and panel in the folder and point to them.

    Args:
        folder: Folder of publications.
        version: The champion.
        panel_folder: The panel as the pipelines left it.
        model_name: Name of the registered model.
        published_at: ISO time.
        verdict: Why it became champion.
        history: Changes of the champion.
        versions: Versions of the model with their scores.

    Raises:
        PanelFolderError: If there is no panel to forecast from.
    """
    panel_name, cutoff = _place_panel(folder, panel_folder)
    _place_model(folder, version, verdict)
    pointer = Pointer(
        model_name=model_name,
        model_version=version.number,
        run_id=version.run_id,
        panel=panel_name,
        cutoff=cutoff,
        published_at=published_at,
        history=history,
        versions=versions,
    )
    with whole_file(folder / POINTER) as beside:
        contents = {"format": FORMAT, "version": VERSION} | asdict(pointer)
        beside.write_text(json.dumps(contents, indent=1, allow_nan=False), encoding="utf-8")
    _remove_old(folder, pointer)
    return pointer


def publish_card(folder: Path, model_version: int, card: str) -> None:
    """Put a model card beside a model that was published; do nothing if it was not."""
    if _model_folder(folder, model_version).is_dir():
        with whole_file(_model_folder(folder, model_version) / _CARD) as beside:
            beside.write_text(card, encoding="utf-8")


def read_pointer(folder: Path) -> Pointer:
    """Return what is to be served.

    Raises:
        PublicationError: If nothing is published or the pointer cannot be read.
    """
    path = folder / POINTER
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        if (contents.pop("format"), contents.pop("version")) != (FORMAT, VERSION):
            raise ValueError(f"it is not of format {FORMAT!r}, version {VERSION}")
        return Pointer(**contents)
    except FileNotFoundError:
        raise PublicationError(
            f"No champion is published in {folder}. Train one with `kedro run`, or, if there is "
            f"one: {MEND[0].lower()}{MEND[1:]}"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise PublicationError(f"{path} cannot be read: {error}. {MEND}") from error


def read_publication(folder: Path) -> Publication:
    """Return what is to be served, all of one moment.

    Raises:
        PublicationError: If nothing is published or it cannot be read.
    """
    for _ in range(_READS):
        pointer = read_pointer(folder)
        try:
            return _read_parts(folder, pointer)
        except (GroceryDemandError, OSError, ValueError) as error:
            # It may have been replaced and removed while it was read.
            if read_pointer(folder) == pointer:
                raise PublicationError(
                    f"The publication in {folder} cannot be read: {error} {MEND}"
                ) from error
    raise PublicationError(f"The publication in {folder} changes faster than it can be read.")


def read_card(folder: Path, model_version: int) -> str | None:
    """Return the model card of a published version; None if it has none."""
    try:
        return (_model_folder(folder, model_version) / _CARD).read_text(encoding="utf-8")
    except OSError:
        return None


def _read_parts(folder: Path, pointer: Pointer) -> Publication:
    model_folder = standing_folder(_model_folder(folder, pointer.model_version))
    verdict_path = model_folder / _VERDICT
    return Publication(
        pointer=pointer,
        model=read_model(model_folder / _MODEL),
        panel=read_panel(folder / "panels" / pointer.panel),
        verdict=json.loads(verdict_path.read_bytes()) if verdict_path.is_file() else None,
        model_card=read_card(folder, pointer.model_version),
    )


def _model_folder(folder: Path, number: int) -> Path:
    return folder / "models" / str(number)


def _place_model(folder: Path, version: ModelVersion, verdict: dict[str, Any] | None) -> None:
    """Write the version's files unless they are there already."""
    place = _model_folder(folder, version.number)
    if not _holds(place, version):
        with whole_folder(place) as beside:
            write_model(version.model, beside / _MODEL)
    if verdict is not None:
        with whole_file(place / _VERDICT) as beside:
            beside.write_bytes(to_json(verdict))


def _holds(place: Path, version: ModelVersion) -> bool:
    """Return whether a folder holds this very model: numbers begin anew in a new registry."""
    try:
        return read_model(place / _MODEL).to_files() == version.model.to_files()
    except (GroceryDemandError, OSError):
        return False


def _place_panel(folder: Path, source: Path) -> tuple[str, str]:
    """Link the panel's files, which are never written again; return its name and cutoff."""
    source = standing_folder(source)
    panel = read_panel(source)
    made = (source / META).stat().st_mtime_ns
    name = f"{panel.cutoff}-{panel.digest[:8]}-{made:x}".replace(" ", "-")
    place = folder / "panels" / name
    if not (place / META).is_file():
        with whole_folder(place) as beside:
            for path in source.iterdir():
                _link_or_copy(path, beside / path.name)
            if (source / META).stat().st_mtime_ns != made:
                raise PanelFolderError(
                    f"The panel in {source} was replaced meanwhile; publish again."
                )
    return name, str(np.datetime_as_string(panel.cutoff, unit="D"))


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _remove_old(folder: Path, pointer: Pointer) -> None:
    """Remove what is neither served nor among the newest; open files stay readable."""
    keep = {
        "models": (str(pointer.model_version), _MODELS_KEPT),
        "panels": (pointer.panel, _PANELS_KEPT),
    }
    for kind, (served, number) in keep.items():
        found = sorted(
            (path for path in (folder / kind).iterdir() if not path.name.startswith(".")),
            key=lambda path: path.stat().st_mtime_ns,
            reverse=True,
        )
        others = [path for path in found if path.name != served]
        for path in others[number - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
