"""A panel in parts by store, in a folder or on S3: arrays by part, and a manifest written last."""

import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import whole_folder
from grocery_demand.storage.manifest import (
    SHARED,
    PartedPlaceError,
    read_manifest,
    write_manifest,
)
from grocery_demand.storage.panel_folder import PanelFolderError, read_panel, write_panel
from grocery_demand.storage.place import Place

MANIFEST = "manifest.json"
_MARKER = ("grocery-demand panel in parts", 2)
_MEND = "Make it with `kedro run --pipeline preprocess --env cluster`."

_ONE_THREAD = threading.Lock()
"""Held while copies are made and removed."""


@dataclass(frozen=True)
class PartedPlace(Place):
    """Where a panel in parts lies.

    What a run that was killed left beside the version that stands is removed by the next.
    """

    def write_part(
        self, version: str, part: int, panel: Panel, scratch: Path | None = None
    ) -> None:
        """Write one part of a version that no manifest names yet, anew if it is there.

        Args:
            version: A new one.
            part: Its number.
            panel: The part.
            scratch: Folder on a local disk for what goes to S3; by default the system's.
        """
        place = f"{version}/{_name(part)}"
        if self.is_remote:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                write_panel(Path(folder), panel)
                self.put_folder(Path(folder), place)
        else:
            with whole_folder(self.folder / place) as beside:
                write_panel(beside, panel)

    def read_part(self, version: str, part: int, copies: Path) -> Panel:
        """Return one part; its arrays are read from the disk as they are used.

        Args:
            version: As the manifest names it.
            part: Its number.
            copies: Folder of this process on a local disk for what lies on S3; copies of other
                versions are removed from it. Panels that are in use outlive them.

        Raises:
            PartedPlaceError: If the part is missing or damaged.
        """
        try:
            return self._read_whole_part(version, part, copies)
        except (PanelFolderError, FileNotFoundError) as error:
            raise PartedPlaceError(
                f"Part {part} of the panel in {self.uri} cannot be read on {socket.gethostname()}. "
                f"{SHARED} If it is damaged, all parts have to be made anew. {_MEND}"
            ) from error

    def _read_whole_part(self, version: str, part: int, copies: Path) -> Panel:
        place = f"{version}/{_name(part)}"
        if not self.is_remote:
            return read_panel(self.folder / place)
        with _ONE_THREAD:
            panel = read_panel(self.fetch_folder(place, copies / place))
            for former in copies.iterdir():
                if former.name != version:
                    shutil.rmtree(former, ignore_errors=True)
        return panel

    def write_manifest(self, version: str, facts: dict[str, Any], n_parts: int) -> None:
        """Name the version as the one that stands, and remove others but the former."""
        former = self.read_manifest()["panel"] if self.is_there() else None
        write_manifest(self, MANIFEST, _MARKER, {"panel": version, "parts": n_parts} | facts)
        self.remove_versions_but({version, former})

    def read_manifest(self) -> dict[str, Any]:
        """Return what stands: `panel` names the version, `parts` their number, and facts.

        Raises:
            PartedPlaceError: If there is none, or of another version of this program.
        """
        return read_manifest(self, MANIFEST, _MARKER, "panel", _MEND)

    def is_there(self) -> bool:
        """Return whether a panel that this program reads stands there."""
        try:
            return bool(self.read_manifest())
        except PartedPlaceError:
            return False


def _name(part: int) -> str:
    return f"part-{part:05d}"
