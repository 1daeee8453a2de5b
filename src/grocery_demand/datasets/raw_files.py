"""Raw files as blocks of CSV text: plain, gzip, zip or parquet."""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import time
from functools import partial
from pathlib import Path
from typing import IO, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import DatasetError

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality.raw_table import RawTable

SUFFIXES = (".csv", ".csv.gz", ".csv.zip", ".parquet")

SIMULATED_MARK = "These data are SIMULATED"
"""Stands in the README.md of a folder whose data are simulated."""

_BLOCK_BYTES = 32 * 1024**2
_BATCH_ROWS = 1_000_000

_UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    zipfile.BadZipFile,
    pa.ArrowException,
)


class RawFileError(RawDataError, DatasetError):
    """A raw file cannot be found or read; Kedro passes it on as it is."""


def is_simulated(folder: Path) -> bool:
    """Return whether a folder says of its data that they are simulated."""
    readme = folder / "README.md"
    return readme.is_file() and SIMULATED_MARK in readme.read_text("utf-8", errors="replace")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_raw_table(path: Path, table: str) -> RawTable:
    """Hash a raw file; reading it is left to `RawTable.read_blocks`.

    Raises:
        RawFileError: If the file cannot be read.
    """
    try:
        sha256 = hash_file(path)
    except OSError as error:
        raise RawFileError(f"{path} cannot be read: {error.strerror}.") from error
    return RawTable(
        table=table,
        file=path.name,
        folder=str(path.parent),
        sha256=sha256,
        first_row=1 if path.suffix == ".parquet" else 2,
        read_blocks=partial(read_blocks, path),
        simulated=is_simulated(path.parent),
    )


def read_blocks(path: Path) -> Iterator[bytes]:
    """Read a raw file as CSV text, in blocks that end with a line; the header is in the first.

    The next block is read and unpacked while the caller works on the last one. Nothing is
    unpacked to disk, and never the whole file to memory.

    Raises:
        RawFileError: If the file cannot be read or unpacked.
    """
    blocks = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    with ThreadPoolExecutor(max_workers=1) as reader:
        try:
            following = reader.submit(next, blocks, None)
            while (block := following.result()) is not None:
                following = reader.submit(next, blocks, None)
                yield block
        except _UNREADABLE as error:
            raise RawFileError(_explain(path, error)) from error


def _explain(path: Path, error: BaseException) -> str:
    kinds = {".gz": "a gzip file", ".zip": "a zip file", ".parquet": "a parquet file"}
    kind = kinds.get(path.suffix, "a text file")
    return (
        f"{path.name} (in {path.parent}) cannot be read as {kind}: {error}. "
        f"Copy or download the file again; its ending has to say what it is."
    )


def _read_csv(path: Path) -> Iterator[bytes]:
    with ExitStack() as stack:
        file = _open_text(path, stack)
        while block := file.read(_BLOCK_BYTES):
            yield block + file.readline()


def _open_text(path: Path, stack: ExitStack) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast(IO[bytes], stack.enter_context(gzip.open(path)))
    if path.suffix == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_only_csv(archive)))
    return stack.enter_context(path.open("rb"))


def _only_csv(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    found = [name for name in names if not name.startswith("__MACOSX/")]
    if len(found) != 1:
        held = ", ".join(archive.namelist()) or "nothing"
        raise zipfile.BadZipFile(f"it has to hold one CSV file, it holds {held}")
    return found[0]


def _read_parquet(path: Path) -> Iterator[bytes]:
    """Read parquet as the CSV text it stands for, so that the same checks go over it."""
    with pq.ParquetFile(path) as file:
        header = file.schema_arrow.names
        yield pl.DataFrame(schema=header).write_csv().encode()
        for batch in file.iter_batches(_BATCH_ROWS):
            frame = pl.DataFrame(pl.from_arrow(batch))
            yield _as_texts(frame).write_csv(include_header=False).encode()


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with what CSV writes otherwise: midnights as dates, NaN as empty."""
    moment = pl.selectors.datetime()
    nested = pl.selectors.by_dtype(pl.Binary) | pl.selectors.nested()
    return frame.with_columns(
        pl.when(moment.dt.time() == time(0))
        .then(moment.dt.strftime("%Y-%m-%d"))
        .otherwise(moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")),
        pl.selectors.float().fill_nan(None),
        nested.is_not_null(),
    )
