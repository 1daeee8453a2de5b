"""Mistakes with MLflow, disks, rights, processes and ports, and in questions to the web app."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mistakes.user import (
    FORECAST,
    OUTPUT,
    PREPROCESS,
    User,
    garbage,
    mistake,
    with_changed,
)
from project_copies import WEAK
from published import wait_for
from typed_commands import Outcome, Typed

with_changed("mlflow.db is damaged", "mlflow.db", garbage, FORECAST)


@mistake("mlflow.db was removed")
def _(user: User) -> Outcome:
    shutil.copy(user.bare / "mlflow.db", user.project / "new.db")
    with user.without("mlflow.db") as path:
        (user.project / "new.db").rename(path)
        return user.types("kedro rollback")


@mistake("mlflow.db is held by another process")
def _(user: User) -> Outcome:
    with closing(sqlite3.connect(user.project / "mlflow.db")) as records:
        records.execute("begin exclusive")
        return user.types("kedro rollback")


@mistake("mlflow.db is of another version of MLflow")
def _(user: User) -> Outcome:
    with user.changed("mlflow.db", bytes):
        with closing(sqlite3.connect(user.project / "mlflow.db")) as records:
            records.execute("update alembic_version set version_num = 'abcdef'")
            records.commit()
        return user.types("kedro rollback")


@mistake("The project was moved, or mlflow.db comes from elsewhere")
def _(user: User) -> Outcome:
    with user.without("mlartifacts"):
        return user.types(FORECAST)


@mistake("The MLflow server does not run")
def _(user: User) -> Outcome:
    away = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    return user.types("kedro rollback", variables=away)


@mistake("An address that MLflow does not know")
def _(user: User) -> Outcome:
    return user.types("kedro rollback", variables={"MLFLOW_TRACKING_URI": "nonsense://x"})


@mistake("The disk is full")
def _(user: User) -> Outcome:
    place = user.project / "data/03_primary"
    panel = sum(path.stat().st_size for path in place.rglob("*"))
    if not _mount_small_disk(place.with_name("small"), panel + 64 * 1024):
        typed = "kedro run --pipeline simulate --params simulated_dir=data/01_raw/longer"
        return user.types(typed, largest_file=100_000)
    small = place.with_name("small")
    try:
        shutil.copytree(place, small, dirs_exist_ok=True)
        before = _read_all(small)
        with user.without("data/03_primary") as path:
            path.symlink_to("small")
            outcome = user.types(PREPROCESS)
            path.unlink()
            path.mkdir()
        assert _read_all(small) == before
        return outcome
    finally:
        subprocess.run(["umount", small], check=True)
        small.rmdir()


def _mount_small_disk(place: Path, size: int) -> bool:
    """Mount a disk of so many bytes; return whether that is allowed."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    mounted = shutil.which("mount") and subprocess.run(words, check=False, stderr=subprocess.PIPE)
    if mounted and mounted.returncode == 0:
        return True
    place.rmdir()
    return False


def _read_all(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@mistake("A folder that may only be read")
def _(user: User) -> Outcome:
    folder = user.project / OUTPUT
    folder.chmod(0o555)
    try:
        return user.types(FORECAST, as_plain_user=os.geteuid() == 0)
    finally:
        folder.chmod(0o755)


class Begun(Typed):
    """A run, and how it ended."""

    outcome: Outcome


@contextmanager
def begun(user: User) -> Iterator[Begun]:
    """Begin a training, and wait for its end when the block ends."""
    run = Begun(["kedro", "run", "--pipeline", "fit", "--params", WEAK], user.project)
    try:
        wait_for(lambda: "Backtest: fitting" in run.said or not run.process.is_alive())
        assert run.process.is_alive(), run.said
        yield run
        run.outcome = run.wait()
    finally:
        run.kill()


@mistake("Two runs at once")
def _(user: User) -> Outcome:
    """The first is stopped meanwhile, as it might have ended before the second begins."""
    with begun(user) as first:
        first.send(signal.SIGSTOP)
        outcome = user.types("kedro run")
        first.send(signal.SIGCONT)
        first.send(signal.SIGKILL)
    return outcome


@mistake("A run stopped by Ctrl+C", 130)
def _(user: User) -> Outcome:
    """Typed again if Python drops it, as it does in the callback of a weak reference."""
    with begun(user) as run:
        run.send(signal.SIGINT)
        for _ in range(20):  # a minute
            run.process.join(3)
            if "Exception ignored in" in run.said and run.process.is_alive():
                run.send(signal.SIGINT)
    said = re.sub(
        r"Exception ignored in: .*?KeyboardInterrupt: *\n", "", run.outcome.said, flags=re.S
    )
    return Outcome(run.outcome.status, said)


@mistake("A run stopped by SIGTERM", 143)
def _(user: User) -> Outcome:
    with begun(user) as run:
        run.send(signal.SIGTERM)
    return run.outcome


def _on_taken_port(name: str, command: str) -> None:
    @mistake(name)
    def _(user: User) -> Outcome:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            outcome = user.types(f"kedro {command} --port {port}")
        return Outcome(outcome.status, outcome.said.replace(str(port), "PORT"))


_on_taken_port("The port of the web app is taken", "serve")
_on_taken_port("The port of a deployment is taken", "deploy")


@mistake("The web app open to all, without a key")
def _(user: User) -> Outcome:
    return user.types("kedro serve --port 0 --host 0.0.0.0")


def _asked(name: str, path: str = "/prediction", **query: object) -> None:
    asked = {"date": "2017-06-05", "item_nbr": "99197"} | query
    mistake(name, 422)(lambda user: user.asks(path, **asked))


_asked("An unknown product", item_nbr="1")
_asked("An unknown store", store_nbr="9999")
_asked("A date in another format, to the API", date="06/15/2017")
_asked("A date before the first sales", date="2001-01-01")
_asked("A date more than a year ahead", date="2019-06-05")
_asked("An unknown product, on the page", "/", item_nbr="1")
_asked("A date in another format, on the page", "/", date="06/15/2017")
