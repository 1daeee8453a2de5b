"""Commands typed in a project: each a process of its own, with Kedro's own entry point.

Their libraries are imported once, in a process that every command is forked from: a command that
ends in a message then takes a second instead of six.
"""

import ctypes
import multiprocessing
import os
import resource
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
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()
_CAPABILITIES_VERSION_3 = 0x20080522


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: Its exit status; that of a signal is negative.
        said: What it wrote to standard error and output.
    """

    status: int | None
    said: str


class Typed:
    """A command that runs.

    Args:
        words: What is typed, `kedro` first.
        folder: Where.
        largest_file: Bytes that a file may have at most.
        as_plain_user: Whether rights count for the command even if it is root's.
        variables: Environment variables.
    """

    def __init__(
        self, words: list[str], folder: Path, *, largest_file: int | None = None,
        as_plain_user: bool = False, variables: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._written = Path(tempfile.mkstemp(prefix="typed-")[1])
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED_ONCE)
        given = (words, folder, self._written, largest_file, as_plain_user, dict(variables or {}))
        self.process: BaseProcess = context.Process(target=_run, args=given)
        self.process.start()

    @property
    def said(self) -> str:
        """What it has written until now."""
        return self._written.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self) -> Outcome:
        """Return how it ended."""
        self.process.join()
        outcome = Outcome(self.process.exitcode, self.said)
        self._written.unlink()
        return outcome


def type_command(words: list[str], folder: Path, **options: object) -> Outcome:
    """Type a command and wait for its end."""
    return Typed(words, folder, **options).wait()  # type: ignore[arg-type]


def _run(
    words: list[str], folder: Path, written: Path, largest_file: int | None, as_plain_user: bool,
    variables: dict[str, str],
) -> None:  # fmt: skip
    """Become the command."""
    with written.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
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
