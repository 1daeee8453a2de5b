"""A folder or a prefix on S3 that all machines reach by the same name."""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.storage.atomic import whole_file

_VERSION = "version-"
_OWN_VERSION = re.compile(rf"{_VERSION}[0-9a-f]{{12}}")
"""What `new_version` gives; folders of other names belong to others."""

_OTHER_BUCKET = (
    "Make the bucket, name another in conf/cluster/globals.yml, or give driver and workers keys "
    "that may write there (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL says where "
    "S3 is)."
)
_OTHER_FOLDER = (
    "Give yourself the right to write there, or name another folder in conf/cluster/globals.yml."
)


class PlacesError(GroceryDemandError):
    """Two things in parts would lie in the same place, or one where nothing can be written."""


@dataclass(frozen=True)
class Place:
    """Where something in parts lies.

    Each version of it is a folder of parts, which is never written to again once a manifest, which
    is written last, names it.

    Attributes:
        uri: A folder, or `s3://bucket/prefix`.
    """

    uri: str

    @property
    def is_remote(self) -> bool:
        """Whether it lies on S3, so that files are read from copies."""
        return "://" in self.uri

    @property
    def folder(self) -> Path:
        """The folder, if it is one."""
        return Path(self.uri).absolute()

    @property
    def path(self) -> PurePosixPath:
        """Where it lies, however that was written."""
        if not self.is_remote:
            return PurePosixPath(os.path.normpath(self.folder))
        scheme, _, rest = self.uri.partition("://")
        return PurePosixPath(f"/{scheme}:", *rest.split("/"))

    def new_version(self) -> str:
        """Return a name that no version had."""
        return f"{_VERSION}{uuid.uuid4().hex[:12]}"

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        system, root = self._open()
        return system.get_file_info(f"{root}/{name}").type == fs.FileType.File

    def read(self, name: str) -> bytes:
        """Return a file's contents.

        Raises:
            FileNotFoundError: If there is none.
        """
        system, root = self._open()
        with system.open_input_stream(f"{root}/{name}") as file:
            return bytes(file.read())

    def open(self, name: str) -> pa.NativeFile:
        """Open a file of which only some is to be read.

        Raises:
            FileNotFoundError: If there is none.
        """
        system, root = self._open()
        return system.open_input_file(f"{root}/{name}")

    def put(self, name: str, contents: bytes) -> None:
        """Write a file that is there in full or not at all."""
        if not self.is_remote:
            with whole_file(self.folder / name) as beside:
                beside.write_bytes(contents)
            return
        system, root = self._open()
        with system.open_output_stream(f"{root}/{name}") as file:
            file.write(contents)

    def try_writing(self) -> None:
        """Write something small, and remove it.

        A folder is written to, if it is there, and beside, as what takes its place is made there.

        Raises:
            OSError: If that is not possible, with the cause.
            ValueError: If the name is that of no file system.
        """
        if self.is_remote:
            system, root = self._open()
            tried = f"{root}/.tried-{uuid.uuid4().hex[:12]}"
            with system.open_output_stream(tried) as file:
                file.write(b"tried")
            system.delete_file(tried)
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder.parent, self.folder):
            if folder.is_dir():
                tempfile.TemporaryFile(dir=folder).close()

    def put_folder(self, source: Path, name: str) -> None:
        """Copy a local folder's files; each appears in full or not at all."""
        system, root = self._open()
        system.create_dir(f"{root}/{name}", recursive=True)
        fs.copy_files(str(source), f"{root}/{name}", fs.LocalFileSystem(), system)

    def fetch_folder(self, name: str, target: Path) -> Path:
        """Copy a folder's files to a local disk, unless they are there; return where they are."""
        if target.is_dir():
            return target
        system, root = self._open()
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent))
        try:
            fs.copy_files(f"{root}/{name}", str(beside), system, fs.LocalFileSystem())
            beside.rename(target)
        except OSError:
            shutil.rmtree(beside, ignore_errors=True)
            if not target.is_dir():
                raise
        return target

    def remove_versions_but(self, kept: set[str | None]) -> None:
        """Remove all versions but some; folders that are no versions of ours stay."""
        system, root = self._open()
        for entry in system.get_file_info(fs.FileSelector(root, allow_not_found=True)):
            own = _OWN_VERSION.fullmatch(entry.base_name)
            if own and entry.base_name not in kept and entry.type == fs.FileType.Directory:
                system.delete_dir(entry.path)

    def remove_version(self, version: str) -> None:
        """Remove a version, if there is something of it."""
        system, root = self._open()
        with suppress(FileNotFoundError):
            system.delete_dir(f"{root}/{version}")

    def _open(self) -> tuple[fs.FileSystem, str]:
        if self.is_remote:
            return fs.FileSystem.from_uri(self.uri)
        return fs.LocalFileSystem(), str(self.folder)


def require_apart(places: Mapping[str, Place]) -> None:
    """Refuse places of which one is another, or lies within it: they would replace one another.

    Args:
        places: By what says where they are, for the message.

    Raises:
        PlacesError: If there are such, naming both.
    """
    for (name, place), (other, its_place) in combinations(places.items(), 2):
        inner, outer = sorted((place.path, its_place.path), key=lambda path: -len(path.parts))
        if inner.is_relative_to(outer):
            raise PlacesError(
                f"{name} ({place.uri}) and {other} ({its_place.uri}) are the same place, or one "
                "lies within the other, so that what is written to one would replace what lies in "
                "the other: give each a folder or a prefix of its own."
            )


def require_writable(places: Mapping[str, Place]) -> None:
    """Refuse places to which this process cannot write.

    Args:
        places: By what says where they are, for the message.

    Raises:
        PlacesError: If there are such, with the cause of each.
    """
    told = []
    for name, place in places.items():
        try:
            place.try_writing()
        except (OSError, ValueError) as error:
            mend = _OTHER_BUCKET if place.is_remote else _OTHER_FOLDER
            cause = str(error) if place.is_remote else getattr(error, "strerror", None) or error
            told.append(f"{name} ({place.uri}) cannot be written to: {cause}. {mend}")
    if told:
        raise PlacesError("\n".join(told))
