"""From a panel in parts to the panel in one folder, from which one machine serves."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from grocery_demand.core.late_days import merge_late_days
from grocery_demand.core.panel import Panel
from grocery_demand.storage.atomic import remove_left_beside, standing_folder, whole_folder
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.panel_folder import (
    read_arrivals,
    read_digest,
    write_calendar_and_meta,
)
from grocery_demand.storage.parted_panel import PartedPlace

_JOINED_FROM = "joined-from"


def require_newest(place: PartedPlace, folder: Path) -> None:
    """Refuse parts that are older than the panel that one machine has.

    Raises:
        PartedPlaceError: If they are, or there are none.
    """
    if not _are_older(place, folder):
        return
    files = sorted(read_arrivals(folder)[0])
    did = f"taken in {len(files)} files of new days, {files[0]} … {files[-1]}" if files else ""
    raise PartedPlaceError(
        f"The panel in parts in {place.uri} is older than the one in {folder}: since these parts "
        f"were made, one machine has {did or 'made its panel anew'}. Nothing is made of the older "
        "sales. Put new days among the raw files and type `kedro run --env cluster`, or "
        "`kedro run --pipeline preprocess --env cluster` for the parts alone; or go on without "
        "--env cluster, on one machine."
    )


def _are_older(place: PartedPlace, folder: Path) -> bool:
    """Return whether one machine has changed its panel since the parts were made.

    It has not if the panel was joined from parts, is the one beside which they were made, or was
    made of the same raw files: then its digest is theirs.
    """
    manifest, standing = place.read_manifest(), read_digest(folder)
    if standing is None or (standing_folder(folder) / _JOINED_FROM).is_file():
        return False
    return standing not in (manifest.get("beside"), manifest.get("digest"))


def join_parts(place: PartedPlace, folder: Path) -> bool:
    """Write the parts as one panel into a folder, unless it was joined from this version already.

    A panel that one machine has changed since the parts were made is newer, and left as it is.

    Parts are read, and on S3 fetched, one after the other, so that none but one is held. Days that
    came late are kept, as `PanelDataset` keeps them. What a join that was killed left is removed.

    Returns:
        Whether it was written.

    Raises:
        PartedPlaceError: If there is no panel in parts.
    """
    manifest = place.read_manifest()
    version: str = manifest["panel"]
    note = standing_folder(folder) / _JOINED_FROM
    if note.is_file() and note.read_text(encoding="utf-8") == version:
        return False
    if _are_older(place, folder):
        return False
    _, late_days = read_arrivals(folder)

    remove_left_beside(folder)
    with whole_folder(folder) as beside:

        def read(part: int) -> Panel:
            with tempfile.TemporaryDirectory(dir=beside) as copies:
                panel = place.read_part(version, part, Path(copies))
            return replace(panel, late_days=merge_late_days(late_days, panel.late_days))

        write_joined(beside, read, manifest["series"], manifest["stores"])
        (beside / _JOINED_FROM).write_text(version, encoding="utf-8")
    return True


def write_joined(
    folder: Path, read: Callable[[int], Panel], n_series: list[int], n_stores: list[int]
) -> None:
    """Write parts that follow each other into an empty folder, as `write_panel` would the whole.

    Args:
        folder: The folder.
        read: Returns a part by its number; each is let go before the next is read.
        n_series: Series of each part.
        n_stores: Stores of each part.
    """
    rows = {"units": n_series, "promotions": n_series, "open_days": n_stores, "local": n_stores}
    with ExitStack() as files:
        arrays = {name: _ArrayFile(folder / f"{name}.npy", sum(n)) for name, n in rows.items()}
        tables = {name: _TableFile(folder / f"{name}.parquet") for name in ("series", "stores")}
        for file in arrays.values():
            files.callback(file.close)
        for table in tables.values():
            files.callback(table.close)
        for part in range(len(n_series)):
            panel = read(part)
            for name, file in arrays.items():
                file.append(getattr(panel.calendar if name == "local" else panel, name))
            for name, table in tables.items():
                table.append(getattr(panel, name))
            if part == 0:
                write_calendar_and_meta(folder, panel)
            del panel


class _ArrayFile:
    """An .npy file to which rows are added."""

    def __init__(self, path: Path, n_rows: int) -> None:
        self._path, self._n_rows = path, n_rows
        self._file: BinaryIO | None = None

    def append(self, rows: np.ndarray) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
            header = np.lib.format.header_data_from_array_1_0(rows)
            header |= {"shape": (self._n_rows, *rows.shape[1:]), "fortran_order": False}
            np.lib.format.write_array_header_1_0(self._file, header)
        np.ascontiguousarray(rows).tofile(self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _TableFile:
    """A parquet file to which rows are added, a group for each part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def append(self, rows: pd.DataFrame) -> None:
        if self._writer is None:
            schema = pa.Schema.from_pandas(rows, preserve_index=False)
            self._writer = pq.ParquetWriter(self._path, schema)
        table = pa.Table.from_pandas(rows, schema=self._writer.schema, preserve_index=False)
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
