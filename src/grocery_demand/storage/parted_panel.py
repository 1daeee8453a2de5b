"""A panel in parts by store, in a folder or on S3: arrays by part, and a manifest written last."""

import json
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import standing_folder, whole_file, whole_folder
from grocery_demand.storage.panel_folder import read_panel, write_panel

FORMAT = "grocery-demand panel in parts"
VERSION = 1
MANIFEST = "manifest.json"
_JOINED_FROM = "joined-from"

_MEND = "Make it with `kedro run --pipeline preprocess --env cluster`."


class PartedPanelError(GroceryDemandError):
    """The panel in parts is not there, incomplete or of another version."""


@dataclass(frozen=True)
class PartedPlace:
    """Where a panel in parts lies.

    Each version of the panel is a folder of parts, which is never written to again once the
    manifest names it. What a run that was killed left beside it is removed by the next.

    Attributes:
        uri: A folder, or `s3://bucket/prefix`, which all workers reach by this name.
    """

    uri: str

    @property
    def is_remote(self) -> bool:
        """Whether it lies on S3, so that parts are read from copies."""
        return "://" in self.uri

    def new_version(self) -> str:
        """Return a name that no version had."""
        return f"version-{uuid.uuid4().hex[:12]}"

    def write_part(self, version: str, part: int, panel: Panel) -> None:
        """Write one part of a version that no manifest names yet, anew if it is there."""
        place = f"{version}/{_name(part)}"
        if self.is_remote:
            with tempfile.TemporaryDirectory() as scratch:
                write_panel(Path(scratch), panel)
                self._put_folder(Path(scratch), place)
        else:
            with whole_folder(Path(self.uri) / place) as beside:
                write_panel(beside, panel)

    def read_part(self, version: str, part: int, copies: Path) -> Panel:
        """Return one part; its arrays are read from the disk as they are used.

        Args:
            version: As the manifest names it.
            part: Its number.
            copies: Folder on a local disk for what lies on S3.
        """
        place = f"{version}/{_name(part)}"
        if not self.is_remote:
            return read_panel(Path(self.uri) / place)
        copy = copies / place
        if not copy.is_dir():
            self._fetch_folder(place, copy)
        return read_panel(copy)

    def write_manifest(self, version: str, facts: dict[str, Any], n_parts: int) -> None:
        """Name the version as the one that stands, and remove others but the former."""
        former = self.read_manifest()["panel"] if self.exists() else None
        contents = {"format": FORMAT, "version": VERSION, "panel": version, "parts": n_parts}
        self._put(MANIFEST, json.dumps(contents | facts, indent=2).encode() + b"\n")
        self._remove_all_but({version, former})

    def read_manifest(self) -> dict[str, Any]:
        """Return what stands: `panel` names the version, `parts` their number, and facts.

        Raises:
            PartedPanelError: If there is none, or of another version of this program.
        """
        system, root = self._open()
        try:
            with system.open_input_stream(f"{root}/{MANIFEST}") as file:
                manifest = json.loads(file.read())
        except FileNotFoundError:
            raise PartedPanelError(f"There is no panel in {self.uri}. {_MEND}") from None
        except ValueError as error:
            raise PartedPanelError(
                f"{self.uri}/{MANIFEST} does not describe a panel: {error}. {_MEND}"
            ) from error
        if (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
            raise PartedPanelError(
                f"{self.uri}/{MANIFEST} says {manifest.get('format')!r}, version "
                f"{manifest.get('version')!r}; this program reads {FORMAT!r}, version {VERSION}. "
                f"{_MEND}"
            )
        return manifest

    def exists(self) -> bool:
        """Return whether a panel stands there."""
        system, root = self._open()
        return system.get_file_info(f"{root}/{MANIFEST}").type == fs.FileType.File

    def _open(self) -> tuple[fs.FileSystem, str]:
        if self.is_remote:
            return fs.FileSystem.from_uri(self.uri)
        return fs.LocalFileSystem(), str(Path(self.uri).absolute())

    def _put_folder(self, source: Path, place: str) -> None:
        """Copy a folder's files; each appears in full or not at all."""
        system, root = self._open()
        system.create_dir(f"{root}/{place}", recursive=True)
        fs.copy_files(str(source), f"{root}/{place}", fs.LocalFileSystem(), system)

    def _fetch_folder(self, place: str, target: Path) -> None:
        system, root = self._open()
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent))
        try:
            fs.copy_files(f"{root}/{place}", str(beside), system, fs.LocalFileSystem())
            beside.rename(target)
        except OSError:
            shutil.rmtree(beside, ignore_errors=True)
            if not target.is_dir():
                raise

    def _put(self, name: str, contents: bytes) -> None:
        """Write a file that is there in full or not at all."""
        if not self.is_remote:
            with whole_file(Path(self.uri) / name) as beside:
                beside.write_bytes(contents)
            return
        system, root = self._open()
        with system.open_output_stream(f"{root}/{name}") as file:
            file.write(contents)

    def _remove_all_but(self, kept: set[str | None]) -> None:
        system, root = self._open()
        found = system.get_file_info(fs.FileSelector(root))
        for entry in found:
            stale = entry.base_name.startswith("version-") and entry.base_name not in kept
            if stale and entry.type == fs.FileType.Directory:
                system.delete_dir(entry.path)


def join_parts(place: PartedPlace, folder: Path) -> None:
    """Write the parts as one panel into a folder, unless it was joined from this version already.

    Raises:
        PartedPanelError: If there is no panel in parts.
    """
    manifest = place.read_manifest()
    version: str = manifest["panel"]
    note = standing_folder(folder) / _JOINED_FROM
    if note.is_file() and note.read_text(encoding="utf-8") == version:
        return
    with tempfile.TemporaryDirectory(dir=_make(folder.parent)) as copies:
        parts = [place.read_part(version, i, Path(copies)) for i in range(manifest["parts"])]
        with whole_folder(folder) as beside:
            write_panel(beside, *parts)
            (beside / _JOINED_FROM).write_text(version, encoding="utf-8")


def _make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _name(part: int) -> str:
    return f"part-{part:05d}"
