"""Puts models and panels where the web app finds them, and takes old ones away."""

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.forecaster import to_json
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.storage.atomic import standing_folder, whole_file, whole_folder
from grocery_demand.storage.model_folder import read_model, write_model
from grocery_demand.storage.panel_folder import META, PanelFolderError, read_panel

MODEL, VERDICT = "model", "verdict.json"

_MODELS_KEPT = 3
_PANELS_KEPT = 2
_TRIES = 3


def model_folder(folder: Path, number: int) -> Path:
    """Return where a version of the model is published."""
    return folder / "models" / str(number)


def place_model(folder: Path, version: ModelVersion, verdict: dict[str, Any] | None) -> None:
    """Write the version's files unless they are there already."""
    place = model_folder(folder, version.number)
    if not _holds(place, version):
        with whole_folder(place) as beside:
            write_model(version.model, beside / MODEL)
    if verdict is not None:
        with whole_file(place / VERDICT) as beside:
            beside.write_bytes(to_json(verdict))


def place_panel(folder: Path, source: Path) -> tuple[str, str]:
    """Link the panel's files, which are never written again; return its name and cutoff.

    Raises:
        PanelFolderError: If there is no panel, or it is replaced again and again meanwhile.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(PanelFolderError, FileNotFoundError):
            return _link_panel(folder, source)
    return _link_panel(folder, source)


def _link_panel(folder: Path, source: Path) -> tuple[str, str]:
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


def remove_old(folder: Path, models: Collection[int], panel: str) -> None:
    """Remove what is neither served nor among the newest; open files stay readable.

    Args:
        folder: Folder of publications.
        models: Numbers of the versions that are served.
        panel: Name of the panel that is served.
    """
    keep = {
        "models": ({str(number) for number in models}, _MODELS_KEPT),
        "panels": ({panel}, _PANELS_KEPT),
    }
    for kind, (served, number) in keep.items():
        found = sorted(
            (path for path in (folder / kind).iterdir() if not path.name.startswith(".")),
            key=lambda path: path.stat().st_mtime_ns,
            reverse=True,
        )
        others = [path for path in found if path.name not in served]
        for path in others[number - 1 :]:
            shutil.rmtree(path, ignore_errors=True)


def _holds(place: Path, version: ModelVersion) -> bool:
    """Return whether a folder holds this very model: numbers begin anew in a new registry."""
    try:
        return read_model(place / MODEL).to_files() == version.model.to_files()
    except (GroceryDemandError, OSError):
        return False


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
