"""Mistakes in what is typed, and in which order."""

import sqlite3
import subprocess
from contextlib import closing

from mistakes.user import FORECAST, User, in_text, mistake, typed, typed_first, with_changed
from published import serve
from typed_commands import Outcome


@mistake("Another Python than 3.11", 2)
def _(user: User) -> Outcome:
    words = ["make", "--silent", "run", "PYTHON=python2.7"]
    done = subprocess.run(words, cwd=user.bare, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stderr)


@mistake("DVC in a folder that is no git clone", 2)
def _(user: User) -> Outcome:
    words = ["make", "--silent", "repro"]
    done = subprocess.run(words, cwd=user.bare, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stderr)


@mistake("A command outside of the project", 2)
def _(user: User) -> Outcome:
    return user.types("kedro run", user.project.parent)


typed("A command that does not exist", "kedro rum", 2)
typed("A pipeline that does not exist", "kedro run --pipeline trian")
typed("A node that does not exist", "kedro run --nodes fit_modle")
typed("An environment that does not exist", "kedro run --env kagle")

typed("An unknown parameter", "kedro run --params training.modle=lightgbm")
typed("An unknown group of parameters", "kedro run --params trainin.model=lightgbm")
typed("A parameter without a value", "kedro run --params training.horizon", 2)
typed("A parameter of the wrong type", "kedro run --params training.horizon=ten")
typed("A value that is not allowed", "kedro run --params training.horizon=0")
typed("An unknown model", "kedro run --params training.model=lightgmb")
typed(
    "A date in another format, as parameter",
    "kedro run --pipeline simulate --params simulation.end_date=03/15/2017",
)
with_changed(
    "A slip in a file of conf/", "conf/base/parameters.yml", in_text("  seed: 7", "\tseed: 7"),
    "kedro run",
)  # fmt: skip

typed_first("Forecasting before there is a model", FORECAST)
typed_first("Monitoring before anything has run", "kedro run --pipeline monitor")
typed_first("Deploying before there is a model", "kedro deploy")


@mistake("Serving before there is a model", 503)
def _(user: User) -> Outcome:
    with serve(user.bare, ready=False) as app, app.client() as client:
        answer = client.get("/")
    return Outcome(answer.status_code, answer.text)


typed_first("The verdict before there is one", "kedro verdict")
typed_first("Rolling back before there is a model", "kedro rollback")
typed("Rolling back without a previous champion", "kedro rollback")
typed("A version that does not exist", "kedro challenger canary --version 99")
typed("A smoke test of an app that does not run", "kedro smoke --url http://127.0.0.1:9 --wait 0")
typed("Reproducing a run that does not exist", "kedro reproduce 0123456789abcdef")


@mistake("Reproducing a run made without git")
def _(user: User) -> Outcome:
    with closing(sqlite3.connect(user.project / "mlflow.db")) as records:
        run_id = records.execute("select run_uuid from metrics limit 1").fetchone()[0]
    return user.types(f"kedro reproduce {run_id}")
