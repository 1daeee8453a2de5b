"""A panel as a folder: arrays that are mapped into memory, not read, and small tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.calendar import Calendar
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import standing_folder

FORMAT = "grocery-demand panel"
VERSION = 1
META = "meta.json"

_PANEL_ARRAYS = ("units", "promotions", "open_days")
_CALENDAR_ARRAYS = ("national", "local")
_TABLES = ("series", "stores")
_MEND = (
    "Make it with `make run`, which runs the whole loop, or alone with "
    "`kedro run --pipeline preprocess`."
)


class PanelFolderError(GroceryDemandError):
    """The panel is not there, damaged or of another version."""


def read_panel(path: Path) -> Panel:
    """Return the panel; its arrays are read-only and read from the disk as they are used.

    Raises:
        PanelFolderError: If the folder is missing, damaged or of another version.
    """
    before = _find(path)
    try:
        panel = _read_whole(before[0])
    except PanelFolderError:
        if _find(path) == before:
            raise
        return read_panel(path)
    # Another process may have replaced the folder between two of the files.
    return panel if _find(path) == before else read_panel(path)


def read_arrivals(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files that joined the panel since it was made, and the days that came late.

    Both as in `Panel`; empty if the panel cannot be read.
    """
    try:
        meta = _read_meta(standing_folder(path) / META)
    except (PanelFolderError, OSError):
        return {}, {}
    return dict(meta.get("taken_in", {})), dict(meta.get("late_days", {}))


def read_digest(path: Path) -> str | None:
    """Return the digest of the panel that stands there; None if none can be read."""
    try:
        return str(_read_meta(standing_folder(path) / META)["digest"])
    except (PanelFolderError, OSError, KeyError):
        return None


def _find(path: Path) -> tuple[Path, int]:
    """Return where the panel stands, and a number that its successor will not have."""
    folder = standing_folder(path)
    try:
        return folder, folder.stat().st_ino
    except FileNotFoundError:
        return folder, 0


def write_panel(folder: Path, panel: Panel) -> None:
    """Write a panel into an empty folder."""
    for name in _PANEL_ARRAYS:
        np.save(folder / f"{name}.npy", getattr(panel, name), allow_pickle=False)
    np.save(folder / "local.npy", panel.calendar.local, allow_pickle=False)
    for name in _TABLES:
        getattr(panel, name).to_parquet(folder / f"{name}.parquet", index=False)
    write_calendar_and_meta(folder, panel)


def write_calendar_and_meta(folder: Path, panel: Panel) -> None:
    """Write what is the same for all parts of a panel."""
    np.save(folder / "national.npy", panel.calendar.national, allow_pickle=False)
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "start_date": str(panel.start_date),
        "calendar_start_date": str(panel.calendar.start_date),
        "digest": panel.digest,
        "simulated": panel.simulated,
        "taken_in": panel.taken_in,
        "late_days": dict(sorted(panel.late_days.items())),
    }
    (folder / META).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def _read_whole(folder: Path) -> Panel:
    meta = _read_meta(folder / META)
    try:
        return _assemble_panel(folder, meta)
    except (OSError, ValueError, KeyError) as error:
        raise PanelFolderError(f"The panel in {folder} is damaged: {error}. {_MEND}") from error


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        marker = (meta["format"], meta["version"])
    except FileNotFoundError:
        raise PanelFolderError(f"There is no panel in {path.parent}. {_MEND}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise PanelFolderError(f"{path} does not describe a panel: {error!r}. {_MEND}") from error
    if marker != (FORMAT, VERSION):
        raise PanelFolderError(
            f"{path} says {marker[0]!r}, version {marker[1]!r}; this program reads {FORMAT!r}, "
            f"version {VERSION}. {_MEND}"
        )
    return meta


def _assemble_panel(folder: Path, meta: dict[str, Any]) -> Panel:
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in (*_PANEL_ARRAYS, *_CALENDAR_ARRAYS)
    }
    return Panel(
        start_date=np.datetime64(meta["start_date"], "D"),
        calendar=Calendar(
            np.datetime64(meta["calendar_start_date"], "D"),
            **{name: arrays.pop(name) for name in _CALENDAR_ARRAYS},
        ),
        series=pd.read_parquet(folder / "series.parquet"),
        stores=pd.read_parquet(folder / "stores.parquet"),
        digest=meta["digest"],
        simulated=bool(meta.get("simulated")),
        taken_in=dict(meta.get("taken_in", {})),
        late_days=dict(meta.get("late_days", {})),
        **arrays,
    )
