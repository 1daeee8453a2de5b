"""Mistakes of new users, made on purpose: each by its name in docs/errors.md.

Whatever a mistake breaks is mended afterwards, so that all of them share a project.
"""

import gzip
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx

from published import serve
from typed import Outcome, Typed, type_command

SAMPLE = "data/01_raw/sample"
OUTPUT = "data/07_model_output"
FORECAST = "kedro run --pipeline forecast"
PREPROCESS = "kedro run --pipeline preprocess"
WEAK = (
    "training.max_training_rows=20000,model_settings.lightgbm.n_estimators=12,gate.max_nwrmsle=0.9"
)
_HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion\n"


class User:
    """Somebody who tries things out.

    Args:
        project: A project that has been run.
        bare: One without data and runs.
        app: A client of the web app on the first.
    """

    def __init__(self, project: Path, bare: Path, app: httpx.Client) -> None:
        self.project, self.bare, self.app = project, bare, app

    def types(self, line: str, folder: Path | None = None, **options: object) -> Outcome:
        return type_command(line.split(), folder or self.project, **options)

    def asks(self, path: str, **query: object) -> Outcome:
        answer = self.app.get(path, params=query)
        return Outcome(answer.status_code, answer.text)

    @contextmanager
    def without(self, name: str) -> Iterator[Path]:
        """Take a file or folder away for a while."""
        path = self.project / name
        safe = self.project / f"safe-{path.name}"
        path.rename(safe)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
            safe.rename(path)

    @contextmanager
    def changed(self, name: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
        """Change the contents of a file for a while."""
        held = (self.project / name).read_bytes()
        with self.without(name) as path:
            path.write_bytes(change(held))
            yield

    @contextmanager
    def arrived(self, name: str, rows: str) -> Iterator[None]:
        """Let a file of new sales arrive, and undo what an update makes of it."""
        kept = ("data/02_intermediate", "data/03_primary", OUTPUT)
        with ExitStack() as undo:
            for folder in kept:
                safe = self.project / f"{folder}.safe"
                shutil.copytree(self.project / folder, safe)
                undo.callback(safe.rename, self.project / folder)
                undo.callback(shutil.rmtree, self.project / folder)
            path = self.project / "data/01_raw/incoming" / name
            path.parent.mkdir(exist_ok=True)
            undo.callback(shutil.rmtree, path.parent)
            path.write_text(_HEADER + rows)
            yield


Mistake = Callable[[User], Outcome]
MISTAKES: dict[str, Mistake] = {}


def mistake(name: str) -> Callable[[Mistake], Mistake]:
    """Register what makes a mistake under its name."""

    def register(make: Mistake) -> Mistake:
        assert name not in MISTAKES
        MISTAKES[name] = make
        return make

    return register


def _typed(name: str, line: str) -> None:
    MISTAKES[name] = lambda user: user.types(line)


def _typed_first(name: str, line: str) -> None:
    MISTAKES[name] = lambda user: user.types(line, user.bare)


def _with_changed(name: str, file: str, change: Callable[[bytes], bytes], line: str) -> None:
    def make(user: User) -> Outcome:
        with user.changed(file, change):
            return user.types(line)

    MISTAKES[name] = make


def _half(held: bytes) -> bytes:
    return held[: len(held) // 2]


def _garbage(_: bytes) -> bytes:
    return b"no such thing\n" * 9


def _unpacked(former: str, new: str, times: int = -1) -> Callable[[bytes], bytes]:
    """Return a change of a packed file's text."""

    def change(held: bytes) -> bytes:
        text = gzip.decompress(held).decode().replace(former, new, times)
        return gzip.compress(text.encode(), 1)

    return change


def _text(former: str, new: str) -> Callable[[bytes], bytes]:
    def change(held: bytes) -> bytes:
        assert former.encode() in held
        return held.replace(former.encode(), new.encode())

    return change


# Setting up ---------------------------------------------------------------------------------------


@mistake("Another Python than 3.11")
def _(user: User) -> Outcome:
    words = ["make", "--silent", "run", "PYTHON=python2.7"]
    done = subprocess.run(words, cwd=user.bare, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stderr)


@mistake("DVC in a folder that is no git clone")
def _(user: User) -> Outcome:
    words = ["make", "--silent", "repro"]
    done = subprocess.run(words, cwd=user.bare, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stderr)


@mistake("A command outside of the project")
def _(user: User) -> Outcome:
    return user.types("kedro run", user.project.parent)


_typed("A command that does not exist", "kedro rum")
_typed("A pipeline that does not exist", "kedro run --pipeline trian")
_typed("A node that does not exist", "kedro run --nodes fit_modle")
_typed("An environment that does not exist", "kedro run --env kagle")

# Parameters ---------------------------------------------------------------------------------------

_typed("An unknown parameter", "kedro run --params training.modle=lightgbm")
_typed("An unknown group of parameters", "kedro run --params trainin.model=lightgbm")
_typed("A parameter without a value", "kedro run --params training.horizon")
_typed("A parameter of the wrong type", "kedro run --params training.horizon=ten")
_typed("A value that is not allowed", "kedro run --params training.horizon=0")
_typed("An unknown model", "kedro run --params training.model=lightgmb")
_typed(
    "A date in another format, as parameter",
    "kedro run --pipeline simulate --params simulation.end_date=03/15/2017",
)
_with_changed(
    "A slip in a file of conf/", "conf/base/parameters.yml", _text("  seed: 7", "\tseed: 7"),
    "kedro run",
)  # fmt: skip

# Raw files ----------------------------------------------------------------------------------------

_typed("A folder of raw files that is not there", "kedro run --params raw_dir=nowhere")
_typed("The competition's files not downloaded yet", "kedro run --env kaggle")


@mistake("A raw file is missing")
def _(user: User) -> Outcome:
    with user.without(f"{SAMPLE}/items.csv"):
        return user.types(PREPROCESS)


_with_changed("A raw file half downloaded", f"{SAMPLE}/train.csv.gz", _half, PREPROCESS)


def _under(name: str, other: str) -> None:
    """Register a file of sales under an ending that does not fit it."""

    def make(user: User) -> Outcome:
        with user.without(f"{SAMPLE}/train.csv.gz"):
            path = user.project / SAMPLE / other
            path.write_bytes(b"no such thing")
            try:
                return user.types(PREPROCESS)
            finally:
                path.unlink()

    MISTAKES[name] = make


_under("A zip file that is none", "train.csv.zip")
_under("A parquet file that is damaged", "train.parquet")
_with_changed(
    "A column is missing", f"{SAMPLE}/train.csv.gz", _unpacked("unit_sales", "sales", 1), PREPROCESS
)
_with_changed(
    "Words where numbers belong", f"{SAMPLE}/train.csv.gz", _unpacked(",1.0,", ",many,"), PREPROCESS
)
_with_changed(
    "Dates in another format, in a file", f"{SAMPLE}/train.csv.gz",
    _unpacked("2017-05-", "05/2017/"), PREPROCESS,
)  # fmt: skip

# Order --------------------------------------------------------------------------------------------

_typed_first("Forecasting before there is a model", FORECAST)
_typed_first("Monitoring before anything has run", "kedro run --pipeline monitor")
_typed_first("Deploying before there is a model", "kedro deploy")


@mistake("Serving before there is a model")
def _(user: User) -> Outcome:
    with serve(user.bare, ready=False) as app, app.client() as client:
        answer = client.get("/")
    return Outcome(answer.status_code, answer.text)


_typed_first("The verdict before there is one", "kedro verdict")
_typed_first("Rolling back before there is a model", "kedro rollback")
_typed("Rolling back without a previous champion", "kedro rollback")
_typed("A version that does not exist", "kedro challenger canary --version 99")
_typed("A smoke test of an app that does not run", "kedro smoke --url http://127.0.0.1:9 --wait 0")
_typed("Reproducing a run that does not exist", "kedro reproduce 0123456789abcdef")


@mistake("Reproducing a run made without git")
def _(user: User) -> Outcome:
    with closing(sqlite3.connect(user.project / "mlflow.db")) as records:
        run_id = records.execute("select run_uuid from metrics limit 1").fetchone()[0]
    return user.types(f"kedro reproduce {run_id}")


# Files that runs have made ------------------------------------------------------------------------


@mistake("A file of an earlier step was removed")
def _(user: User) -> Outcome:
    with user.without(f"{OUTPUT}/holdout_forecasts.parquet"):
        return user.types("kedro run --pipeline promote")


_with_changed(
    "A file of an earlier step is damaged", "data/06_models/challenger.json", _garbage,
    "kedro run --pipeline promote",
)  # fmt: skip
_with_changed("The panel is damaged", "data/03_primary/panel/units.npy", _half, FORECAST)
_with_changed("The verdict is damaged", "data/08_reporting/verdict.json", _garbage, "kedro verdict")

# MLflow -------------------------------------------------------------------------------------------

_with_changed("mlflow.db is damaged", "mlflow.db", _garbage, FORECAST)


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


# The machine --------------------------------------------------------------------------------------


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


@mistake("Two runs at once")
def _(user: User) -> Outcome:
    with _begun(user) as first:
        outcome = user.types("kedro run")
        first.send(signal.SIGKILL)
    return outcome


@mistake("A run stopped by Ctrl+C")
def _(user: User) -> Outcome:
    with _begun(user) as run:
        run.send(signal.SIGINT)
    return run.outcome


@contextmanager
def _begun(user: User) -> Iterator["_Begun"]:
    """Begin a training, and wait for its end when the block ends."""
    run = _Begun(["kedro", "run", "--pipeline", "fit", "--params", WEAK], user.project)
    while "Backtest: fitting" not in run.said:
        assert run.process.is_alive(), run.said
    yield run
    run.outcome = run.wait()


class _Begun(Typed):
    """A run, and how it ended."""

    outcome: Outcome


def _on_taken_port(name: str, command: str) -> None:
    def make(user: User) -> Outcome:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            outcome = user.types(f"kedro {command} --port {port}")
        return Outcome(outcome.status, outcome.said.replace(str(port), "PORT"))

    MISTAKES[name] = make


_on_taken_port("The port of the web app is taken", "serve")
_on_taken_port("The port of a deployment is taken", "deploy")


@mistake("The web app open to all, without a key")
def _(user: User) -> Outcome:
    return user.types("kedro serve --port 0 --host 0.0.0.0")


# New days -----------------------------------------------------------------------------------------


def _arriving(name: str, file: str, rows: str) -> None:
    def make(user: User) -> Outcome:
        with user.arrived(file, rows):
            return user.types("kedro run --pipeline update")

    MISTAKES[name] = make


_arriving("A file of another day than its name", "train-2017-06-01.csv", "1,2017-06-02,44,1,1,\n")
_arriving("A file with a row twice", "train-2017-06-01.csv", "1,2017-06-01,44,99197,1,\n" * 2)
_arriving("A file whose name is unknown", "sales june.csv", "1,2017-06-01,44,99197,1,\n")

# Questions to the web app -------------------------------------------------------------------------


def _asked(name: str, path: str = "/prediction", **query: object) -> None:
    asked = {"date": "2017-06-05", "item_nbr": "99197"} | query
    MISTAKES[name] = lambda user: user.asks(path, **asked)


_asked("An unknown product", item_nbr="1")
_asked("An unknown store", store_nbr="9999")
_asked("A date in another format, to the API", date="06/15/2017")
_asked("A date before the first sales", date="2001-01-01")
_asked("A date more than a year ahead", date="2019-06-05")
_asked("An unknown product, on the page", "/", item_nbr="1")
_asked("A date in another format, on the page", "/", date="06/15/2017")
