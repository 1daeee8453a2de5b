"""The web app as a background process on this machine: started, replaced, stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.delivery.smoke import smoke_test
from grocery_demand.serving.handover import Running, find_running, is_running
from grocery_demand.serving.settings import default_env, load_settings
from grocery_demand.storage.publication import read_pointer

FOLDER = "build/deploy"
LOG = "web-app.log"
_CANDIDATE_LOG, _CANDIDATE_EVENTS = "candidate.log", "candidate-events.db"
_WAIT_SECONDS, _PAUSE_SECONDS = 90.0, 0.05
_LINES_SHOWN = 15
_ERROR = "Error: "
"""What the app's own message begins with, if it knows why it ends."""

Found = TypeVar("Found")


class DeploymentError(GroceryDemandError):
    """The web app could not be deployed; what ran before runs still."""


@dataclass(frozen=True)
class Deployed:
    """An app that was deployed.

    Attributes:
        running: Its process and address.
        replaced: The process that it replaced; None if none ran.
        log: What it says.
    """

    running: Running
    replaced: int | None
    log: Path


def deploy(
    project: Path,
    tell: Callable[[str], None],
    *,
    env: str | None = None,
    host: str | None = None,
    port: int | None = None,
) -> Deployed:
    """Start the project's web app in the background, or replace the one that runs.

    The code as it stands is tried first, beside the running app: it has to answer a smoke test.
    Then a new process takes over the listening socket, and the former one ends what it has begun.

    Args:
        project: The project's folder.
        tell: Is given a line for each step.
        env: Folder of conf/.
        host: Address to listen on; None for that of the settings.
        port: Port to listen on; None for that of the settings.

    Raises:
        PublicationError: If no champion is published.
        DeploymentError: If the new process does not answer; the former one goes on.
        SmokeTestError: If it does not answer as it should; the former one goes on.
    """
    given = {"host": host, "port": port}
    settings = load_settings(project, env or default_env(), os.environ, given)
    read_pointer(Path(settings.publication_dir))
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    words = ["--env", env] if env else []
    tell("Trying the app on a port of its own …")
    with run_candidate(project, folder, words) as url:
        smoke_test(url, lambda line: tell(f"  {line}"), key=settings.api_key)
    former = find_running(folder)
    tell(f"Replacing process {former.pid} …" if former else "Starting the app …")
    words += ["--host", settings.host, "--port", str(settings.port)]
    running = _start(project, folder, words)
    if former is not None:
        _end(folder, former)
    return Deployed(running, former.pid if former else None, folder / LOG)


def find_deployed(project: Path) -> Running | None:
    """Return the deployed app; None if none runs."""
    return find_running(project / FOLDER)


def stop(project: Path) -> Running | None:
    """Stop the deployed app; return which one it was, None if none ran."""
    running = find_deployed(project)
    if running is not None:
        _end(project / FOLDER, running)
    return running


@contextmanager
def run_candidate(project: Path, folder: Path, words: Sequence[str]) -> Iterator[str]:
    """Run the app on a free port, with events of its own; give its address.

    Raises:
        DeploymentError: If it does not start, with what it says.
    """
    environ = {
        "EVENTS_URL": f"sqlite:///{(folder / _CANDIDATE_EVENTS).resolve()}",
        "FLUENTD_HOST": "",
    }
    arguments = [*words, "--host", "127.0.0.1", "--port", "0"]
    with _spawn(project, folder / _CANDIDATE_LOG, arguments, environ, "w") as process:
        try:
            yield _wait_for(
                lambda: _read_address(folder / _CANDIDATE_LOG), process, folder / _CANDIDATE_LOG
            )
        finally:
            process.terminate()
            process.wait(_WAIT_SECONDS)
            for path in folder.glob(f"{_CANDIDATE_EVENTS}*"):
                path.unlink()


def _start(project: Path, folder: Path, words: Sequence[str]) -> Running:
    """Start the process that stays; return once it answers.

    Raises:
        DeploymentError: If it ends or does not answer in time, with what it says.
    """
    arguments = [*words, "--deployed", str(folder.resolve())]
    process = _spawn(project, folder / LOG, arguments, {}, "a")

    def find_mine() -> Running | None:
        running = find_running(folder)
        return running if running is not None and running.pid == process.pid else None

    try:
        return _wait_for(find_mine, process, folder / LOG)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _spawn(
    project: Path, log: Path, arguments: Sequence[str], environ: Mapping[str, str], mode: str
) -> "subprocess.Popen[bytes]":
    """Start the app so that it outlives this command."""
    program = [sys.executable, "-m", "grocery_demand.serving", *arguments]
    with log.open(mode, encoding="utf-8") as said:
        return subprocess.Popen(  # noqa: S603
            program, cwd=project, env=os.environ | environ, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip


def _wait_for(
    find: Callable[[], Found | None], process: "subprocess.Popen[bytes]", log: Path
) -> Found:
    deadline = time.monotonic() + _WAIT_SECONDS
    while (found := find()) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES_SHOWN:]
            if said and said[-1].startswith(_ERROR):
                raise DeploymentError(f"It did not start. {said[-1].removeprefix(_ERROR)}")
            raise DeploymentError("The web app did not start; it says:\n" + "\n".join(said))
        time.sleep(_PAUSE_SECONDS)
    return found


def _read_address(log: Path) -> str | None:
    """Return the address in the app's first line, once it is written."""
    for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
        if "http://" in line and line.endswith("\n"):
            return "http://" + line.partition("http://")[2].split()[0]
    return None


def _end(folder: Path, running: Running) -> None:
    """Ask a process to end and wait until it has."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _WAIT_SECONDS
    while is_running(running):
        if time.monotonic() > deadline:
            raise DeploymentError(
                f"Process {running.pid} does not end; see {folder / LOG}, then: "
                f"kill -9 {running.pid}"
            )
        time.sleep(_PAUSE_SECONDS)
