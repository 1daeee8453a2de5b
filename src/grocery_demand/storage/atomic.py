"""Files and folders that are whole or not there: written beside their place, then renamed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, and rename it to `path` if the block ends without an error.

    A run that breaks off leaves the former file as it was, and at most a hidden file beside it.
    A folder in its place, as of a table in parts, gives way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(0o666 & ~_umask())
        if path.is_dir():
            put_in_place(beside, path)
        else:
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a new folder to write to, and put it in the place of `path` if the block succeeds.

    No call replaces a folder that holds files, so the former one is renamed first. Between these
    two renames, or if the process dies there, `standing_folder` still finds the former one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _recover(path)
    beside, lock = _make_beside(path)
    try:
        yield beside
        beside.chmod(0o777 & ~_umask())
        put_in_place(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_left_beside(path: Path) -> None:
    """Remove what processes that died within `whole_folder` left; what others hold stays."""
    for left in path.parent.glob(f".{path.name}-*"):
        with suppress(OSError, ImportError):
            lock = _hold(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def put_in_place(beside: Path, path: Path) -> None:
    """Rename to `path` what was made beside it; what was there is removed."""
    _recover(path)
    former = _former(path)
    if path.exists():
        path.rename(former)
    beside.rename(path)
    _remove(former)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the folder, and hold it.

    The operating system releases it when the process ends, however it ends. Where there is no such
    lock (Windows), nothing is held.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_beside(path: Path) -> tuple[Path, int | None]:
    """Make a folder, and hold it where that is possible; `_hold` says what comes back of it."""
    while True:
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            return beside, _hold(beside)
        except (BlockingIOError, FileNotFoundError):
            # Another process took it for one that was left, just after it was made.
            continue
        except (OSError, ImportError):
            return beside, None


def _hold(folder: Path) -> int:
    """Hold a folder until this process ends, however it ends; return what to close before.

    Raises:
        OSError: If another process holds it, it is gone, or the disk knows no such locks.
        ImportError: If the system knows none.
    """
    import fcntl

    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.stat()
    except OSError:
        os.close(lock)
        raise
    return lock


def standing_folder(path: Path) -> Path:
    """Return where the folder is to be read: in its place, or where its former one waits."""
    former = _former(path)
    return former if former.exists() and not path.exists() else path


def _recover(path: Path) -> None:
    """Finish what a process that died while replacing the folder left undone."""
    former = _former(path)
    if not path.exists() and former.exists():
        former.rename(path)
    _remove(former)


def _remove(path: Path) -> None:
    if path.is_file():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _former(path: Path) -> Path:
    return path.with_name(f".{path.name}.former")


def _umask() -> int:
    """Return the rights that new files do not get: temporary files are made private at first."""
    umask = os.umask(0o022)
    os.umask(umask)
    return umask
