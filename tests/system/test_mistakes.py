"""The mistakes of docs/errors.md, made for real: each gives the message that the page shows."""

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from make_targets import ROOT
from mistakes import MISTAKES, User
from mistakes.machine import begun
from project_copies import SMALL_WORLD, WEAK, copy_without_data
from published import serve
from typed_commands import Outcome, type_command

PAGE = ROOT / "docs" / "errors.md"


def read_table() -> dict[str, str]:
    """Return the message that the page's tables show for each mistake that they say a mend of."""
    rows = re.findall(
        r"^\| (.+?) \| (`+)\s?(.+?)\s?\2 \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: message for name, _, message, _ in rows}


TABLE = read_table()


@pytest.fixture(scope="module")
def project(tmp_path_factory, empty_database) -> Path:
    """A project with a champion and forecasts of a small world."""
    place = tmp_path_factory.mktemp("tried") / "project"
    folder = copy_without_data(place, "Makefile", records=empty_database)
    for words in (["--pipeline", "simulate", "--params", SMALL_WORLD], ["--params", WEAK]):
        outcome = type_command(["kedro", "run", *words], folder)
        assert outcome.status == 0, outcome.said
    return folder


@pytest.fixture(scope="module")
def user(project, empty_database):
    bare = copy_without_data(project.parent / "bare", "Makefile", records=empty_database)
    with serve(project) as app, app.client() as client:
        client.get("/prediction", params={"date": "2017-06-05", "item_nbr": 99197})
        yield User(project, bare, client)


def look(project: Path) -> dict[str, str]:
    """Return the digest of every file that counts, and the aliases of the model."""
    files = [path for path in (project / "data").rglob("*") if path.is_file()]
    seen = {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.startswith((".run.lock", ".lock", "events.db"))
    }
    with closing(sqlite3.connect(project / "mlflow.db")) as records:
        aliases = records.execute("select alias, version from registered_model_aliases").fetchall()
    return seen | {f"alias {alias}": str(version) for alias, version in aliases}


def count_events(user: User) -> int:
    return user.app.get("/api/v1/events").json()["total"]


def as_pattern(shown: str) -> re.Pattern[str]:
    """Return what finds a shortened message: … stands for anything."""
    parts = [r"\s+".join(map(re.escape, part.split(" "))) for part in shown.split("…")]
    return re.compile(".*?".join(parts), re.DOTALL)


def test_the_page_shows_every_mistake_that_is_tried_and_no_other():
    assert sorted(TABLE) == sorted(MISTAKES)
    assert len(TABLE) >= 20


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_as_the_page_shows_it_and_leaves_everything_whole(name, user):
    shown = TABLE[name]
    before, events = look(user.project), count_events(user)
    outcome: Outcome = MISTAKES[name].make(user)
    assert as_pattern(shown).search(outcome.said), outcome.said
    assert "Traceback" not in outcome.said, outcome.said
    assert outcome.said.count("Error: ") <= 1, outcome.said
    assert outcome.status == MISTAKES[name].status
    assert look(user.project) == before
    assert count_events(user) >= events > 0


def test_the_daily_job_over_a_cluster_is_refused_before_it_says_what_it_does(user):
    assert user.types("kedro daily --env cluster").said.startswith("Error: New days are taken in")


def test_a_killed_run_is_simply_typed_again(user):
    with begun(user) as run:
        run.process.kill()
    assert run.outcome.status == -9
    again = user.types(f"kedro run --pipeline fit --params {WEAK}")
    assert again.status == 0, again.said
