"""A table in parts, in a folder or on S3: a parquet file each, and a manifest written last."""

import io
import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from grocery_demand.storage.atomic import put_in_place, standing_folder, whole_file
from grocery_demand.storage.manifest import (
    SHARED,
    PartedPlaceError,
    read_manifest,
    write_manifest,
)
from grocery_demand.storage.place import Place

MANIFEST = "_manifest.json"
_MARKER = ("grocery-demand table in parts", 1)
_KNOWN = re.compile(
    r"(part-\d+|history|day-.*|\.(part|history|day)-.*)\.parquet|\.lock|\.gitkeep|"
    + re.escape(MANIFEST)
)
"""Names in the folder of a table, as one machine or several write it, and what they leave."""

_OWN = {"format", "version", "table", "parts"}
"""What every manifest says; the rest are facts of the table."""


@dataclass(frozen=True)
class TablePlace(Place):
    """Where a table in parts lies.

    In a folder, the parts lie side by side, and all of them take the place of the former ones at
    once: so one machine reads them as the table that it would have written there. On S3 each
    version has a prefix, which the manifest names. What a run that was killed left is removed by
    the next.

    Attributes:
        thing: What it is, for messages.
        mend: How to make it, for messages.
    """

    thing: str
    mend: str

    def new_version(self) -> str:
        """Return a name that no version had.

        Raises:
            PartedPlaceError: If it would take the place of a file other than one machine's table,
                or of a folder of other things.
        """
        self._require_no_others()
        return super().new_version()

    def begin(self, version: str) -> None:
        """Make the folder of a version, so that others can tell whether they reach it."""
        if not self.is_remote:
            self._beside(version).mkdir(parents=True, exist_ok=True)

    def has_begun(self, version: str) -> bool:
        """Tell, in any process, whether it sees what `begin` made."""
        return self.is_remote or self._beside(version).is_dir()

    def write_part(
        self, version: str, part: int, table: pa.Table, group_rows: int | None = None
    ) -> None:
        """Write one part of a version that does not stand yet, anew if it is there.

        Args:
            version: As `new_version` names it.
            part: Its number.
            table: Its rows.
            group_rows: Rows of which each group of the file has its own lowest and highest values;
                by default as many as pyarrow takes.
        """
        if self.is_remote:
            buffer = io.BytesIO()
            pq.write_table(table, buffer, compression="zstd", row_group_size=group_rows)
            self.put(f"{version}/{_name(part)}", buffer.getvalue())
        else:
            with whole_file(self._beside(version) / _name(part)) as beside:
                pq.write_table(table, beside, compression="zstd", row_group_size=group_rows)

    def read_staged(self, version: str, part: int, column: str, first: int, last: int) -> pa.Table:
        """Return the rows of one part of a version that does not stand yet, in their order.

        Args:
            version: As `new_version` names it.
            part: Its number.
            column: Of the rows, those whose value in this column lies …
            first: from here …
            last: to here; groups of rows without any are not read.

        Raises:
            PartedPlaceError: If the part is not there.
        """
        wanted = (ds.field(column) >= first) & (ds.field(column) <= last)
        staged = self if self.is_remote else Place(str(self._beside(version)))
        name = f"{version}/{_name(part)}" if self.is_remote else _name(part)
        try:
            with staged.open(name) as file:
                return pq.read_table(file, filters=wanted)
        except FileNotFoundError as error:
            raise self._missing(part) from error

    def forget(self, version: str) -> None:
        """Remove what there is of a version, unless it stands."""
        if not self.is_remote:
            shutil.rmtree(self._beside(version), ignore_errors=True)
        elif version != self._former_version():
            self.remove_version(version)

    def forget_others(self) -> None:
        """Remove all versions but the one that stands: what runs that were killed left."""
        if self.is_remote:
            former = self._former_version()
            # A manifest that this version of the program cannot read may name any of them.
            if former is not None or not self.is_there():
                self.remove_versions_but({former})
            return
        for left in self.folder.parent.glob(self._beside("version-*").name):
            shutil.rmtree(left, ignore_errors=True)

    def finish(self, version: str, n_parts: int, facts: dict[str, Any]) -> None:
        """Let the version stand, once all of its parts are written.

        Raises:
            PartedPlaceError: If a part is not where the workers were to write it.
        """
        contents = {"parts": n_parts} | facts
        if self.is_remote:
            former = self._former_version()
            write_manifest(self, MANIFEST, _MARKER, {"table": version} | contents)
            self.remove_versions_but({version, former})
            return
        beside = self._beside(version)
        self._require_parts(beside, n_parts)
        write_manifest(Place(str(beside)), MANIFEST, _MARKER, {"table": "."} | contents)
        put_in_place(beside, self.folder)
        self.forget_others()

    def read_manifest(self) -> dict[str, Any]:
        """Return what stands: `table` names the version, `parts` their number, and facts.

        Raises:
            PartedPlaceError: If there is none, or of another version of this program.
        """
        return read_manifest(self._standing, MANIFEST, _MARKER, self.thing, self.mend)

    def read_part(self, version: str, part: int) -> pa.Table:
        """Return one part.

        Args:
            version: As the manifest names it.
            part: Its number.
        """
        try:
            return pq.read_table(io.BytesIO(self._standing.read(f"{version}/{_name(part)}")))
        except FileNotFoundError as error:
            raise self._missing(part) from error

    def is_there(self) -> bool:
        """Return whether a table in parts stands there."""
        return self._standing.exists(MANIFEST)

    @property
    def _standing(self) -> Place:
        return Place(self.uri if self.is_remote else str(standing_folder(self.folder)))

    def _missing(self, part: int) -> PartedPlaceError:
        where = f"{self.uri} on {socket.gethostname()}"
        return PartedPlaceError(f"Part {part} of the {self.thing} is not in {where}. {SHARED}")

    def _former_version(self) -> str | None:
        try:
            return str(self.read_manifest()["table"])
        except PartedPlaceError:
            return None

    def _beside(self, version: str) -> Path:
        return self.folder.with_name(f".{self.folder.name}-{version}")

    def _require_no_others(self) -> None:
        is_table = self.folder.suffix == ".parquet"
        if not self.is_remote and self.folder.is_file() and not is_table:
            raise PartedPlaceError(
                f"The {self.thing} would take the place of the file {self.folder}. Name a folder "
                "of its own in conf/cluster/globals.yml, or move the file away."
            )
        if self.is_remote or not self.folder.is_dir():
            return
        names = sorted(path.name for path in self.folder.iterdir())
        others = [name for name in names if not _KNOWN.fullmatch(name)]
        if others:
            raise PartedPlaceError(
                f"The {self.thing} would take the place of the folder {self.folder} and of all "
                f"that it holds, such as {others[0]}, which is no part of such a table. Name a "
                "folder of its own in conf/cluster/globals.yml, or move away what is there."
            )

    def _require_parts(self, folder: Path, n_parts: int) -> None:
        missing = [part for part in range(n_parts) if not (folder / _name(part)).is_file()]
        if missing:
            raise PartedPlaceError(
                f"Parts {', '.join(map(str, missing))} of the {self.thing} were written, but are "
                f"not in {folder}. {SHARED}"
            )


def copy_table(place: TablePlace, home: TablePlace) -> None:
    """Copy the table that stands in one place to another, part by part."""
    manifest = place.read_manifest()
    version = home.new_version()
    for part in range(manifest["parts"]):
        home.write_part(version, part, place.read_part(manifest["table"], part))
    described = {name: value for name, value in manifest.items() if name not in _OWN}
    home.finish(version, manifest["parts"], described)


def _name(part: int) -> str:
    return f"part-{part:05d}.parquet"
