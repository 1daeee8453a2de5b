"""The dataset of the panel: a folder of arrays that are mapped into memory, not read."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.calendar import Calendar
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.datasets.atomic import standing_folder, whole_folder

FORMAT = "grocery-demand panel"
VERSION = 1

_META = "meta.json"
_PANEL_ARRAYS = ("units", "promotions", "open_days")
_CALENDAR_ARRAYS = ("national", "local")
_TABLES = ("series", "stores")
_MEND = "Make it with `kedro run --pipeline preprocess`."


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
        before = self._find()
        try:
            panel = _load_panel(before[0])
        except PanelFileError:
            if self._find() == before:
                raise
            return self.load()
        # Another process may have replaced the folder between two of the files.
        return panel if self._find() == before else self.load()

    def _find(self) -> tuple[Path, int]:
        """Return where the panel stands, and a number that its successor will not have."""
        folder = standing_folder(Path(self._filepath))
        try:
            return folder, folder.stat().st_ino
        except FileNotFoundError:
            return folder, 0

    def save(self, data: Panel) -> None:
        """Write the panel beside the former one, then take its place."""
        with whole_folder(Path(self._filepath)) as beside:
            _save_panel(beside, data)

    def _exists(self) -> bool:
        return (standing_folder(Path(self._filepath)) / _META).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": VERSION}


def _save_panel(folder: Path, panel: Panel) -> None:
    for name in _PANEL_ARRAYS:
        np.save(folder / f"{name}.npy", getattr(panel, name), allow_pickle=False)
    for name in _CALENDAR_ARRAYS:
        np.save(folder / f"{name}.npy", getattr(panel.calendar, name), allow_pickle=False)
    for name in _TABLES:
        getattr(panel, name).to_parquet(folder / f"{name}.parquet", index=False)
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "start_date": str(panel.start_date),
        "calendar_start_date": str(panel.calendar.start_date),
        "digest": panel.digest,
        "simulated": panel.simulated,
    }
    (folder / _META).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def _load_panel(folder: Path) -> Panel:
    meta = _load_meta(folder / _META)
    try:
        return _assemble_panel(folder, meta)
    except (OSError, ValueError, KeyError) as error:
        raise PanelFileError(f"The panel in {folder} is damaged: {error}. {_MEND}") from error


def _load_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        marker = (meta["format"], meta["version"])
    except FileNotFoundError:
        raise PanelFileError(f"There is no panel in {path.parent}. {_MEND}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise PanelFileError(f"{path} does not describe a panel: {error!r}. {_MEND}") from error
    if marker != (FORMAT, VERSION):
        raise PanelFileError(
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
        **arrays,
    )
