"""One run at a time on the project's data."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grocery_demand.core.errors import GroceryDemandError


class RunLockError(GroceryDemandError):
    """Another run is using the data."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for one run.

    The operating system releases the lock when the process ends, however it ends. Where there is
    no such lock (Windows), nothing is held.

    Raises:
        RunLockError: If another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".run.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RunLockError(
                f"Another run (process {file.read().strip()}) is using {folder}; wait until it "
                "has ended, or run in another copy of the project."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
