"""Commands typed in a project: each a process of its own, with Kedro's own entry point.

Their libraries are imported once, in a process that every command is forked from: a command that
ends in a message then takes a second instead of six.
"""

import ctypes
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

_IMPORTED_ONCE = [
    "grocery_demand.daily", "grocery_demand.pipeline_registry", "kedro.framework.cli.cli",
    "kedro_mlflow.framework.hooks.mlflow_hook", "mlflow.store.tracking.sqlalchemy_store",
    "grocery_demand.datasets.model_registry", "grocery_demand.datasets.raw_files",
    "grocery_demand.settings", "kedro.framework.session", "mlflow.tracking",
    "grocery_demand.datasets.model_versions", "grocery_demand.datasets.publication",
    "grocery_demand.datasets.events", "grocery_demand.datasets.incoming", "lightgbm",
    "kedro_mlflow.io.artifacts", "kedro_datasets.pandas.parquet_dataset",
    "kedro_datasets.pandas.csv_dataset", "kedro_datasets.plotly.json_dataset",
    "kedro_datasets.text.text_dataset", "kedro_datasets.json.json_dataset",
]  # fmt: skip
_VARIABLES = ("MLFLOW_", "GROCERY_DEMAND_", "EVENTS_URL", "KEDRO_ENV", "PUBLICATION_DIR")
LONGEST = 300.0
"""Seconds that a command may take."""

_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()
_CAPABILITIES_VERSION_3 = 0x20080522


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: Its exit status; that of a signal is negative.
        said: What it wrote to standard output and error; to output alone if they are kept apart.
        errors: What it wrote to standard error, if that is kept apart.
    """

    status: int | None
    said: str
    errors: str = ""


class Typed:
    """A command that runs.

    Args:
        words: What is typed, `kedro` first.
        folder: Where it is typed.
        largest_file: Bytes that a file may have at most.
        as_plain_user: Whether rights count for the command even if it is root's.
        variables: Environment variables.
        apart: Whether standard error is kept apart from standard output.
    """

    def __init__(
        self, words: list[str], folder: Path, *, largest_file: int | None = None,
        as_plain_user: bool = False, variables: Mapping[str, str] | None = None,
        apart: bool = False,
    ) -> None:  # fmt: skip
        self.words = words
        self._kept = Path(tempfile.mkdtemp(prefix="typed-"))
        self._written = (self._kept / "output", self._kept / ("errors" if apart else "output"))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED_ONCE)
        given = (words, folder, self._written, largest_file, as_plain_user, dict(variables or {}))
        self.process: BaseProcess = context.Process(target=_run, args=given)
        self.process.start()

    @property
    def said(self) -> str:
        """What it has written until now."""
        return _read(self._written[0])

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = LONGEST) -> Outcome:
        """Return how it ended; one that does not end is killed, and the test fails."""
        self.process.join(seconds)
        ended = not self.process.is_alive()
        if not ended:
            self.kill()
        output, errors = self._written
        outcome = Outcome(
            self.process.exitcode, self.said, _read(errors) if errors != output else ""
        )
        shutil.rmtree(self._kept)
        assert ended, f"{self.words} did not end within {seconds} s:\n{outcome}"
        return outcome

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self.process.kill()
        self.process.join()


def type_command(
    words: list[str], folder: Path, seconds: float = LONGEST, **options: object
) -> Outcome:
    """Type a command and wait for its end."""
    return Typed(words, folder, **options).wait(seconds)  # type: ignore[arg-type]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _run(
    words: list[str], folder: Path, written: tuple[Path, Path], largest_file: int | None,
    as_plain_user: bool, variables: dict[str, str],
) -> None:  # fmt: skip
    """Become the command."""
    for descriptor, path in enumerate(written, 1):
        with path.open("ab", buffering=0) as file:
            os.dup2(file.fileno(), descriptor)
    os.chdir(folder)
    for name in [one for one in os.environ if one.startswith(_VARIABLES)]:
        del os.environ[name]
    os.environ.update(variables)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    if as_plain_user:
        _give_up_capabilities()
    sys.argv = words
    from kedro.framework.cli.cli import main

    main()


def _give_up_capabilities() -> None:
    """Let the rights of files count for root, too."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3, 0)
    assert ctypes.CDLL(None, use_errno=True).capset(header, _NO_CAPABILITIES) == 0
