"""Promotion, canary and rollback, typed as an operator types them, while clients keep asking."""

import sqlite3
import threading
import time
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from grocery_demand.core.model_version import Decision
from grocery_demand.core.rollout import take_share
from grocery_demand.datasets import PublicationDataset
from grocery_demand.datasets.challenger_control import serve_challenger
from grocery_demand.datasets.model_registry import ModelRegistry
from grocery_demand.datasets.registered_versions import CHAMPION
from grocery_demand.hooks.run_lock import run_lock
from grocery_demand.storage.atomic import whole_folder
from grocery_demand.storage.panel_folder import write_panel
from mlflow_store import mlflow_at
from published import FOLDER, beside, serve, started_rows, wait_for

NAME = "grocery-demand"
SECONDS_BETWEEN_REQUESTS = 0.02
ANSWERS_PER_PHASE = 150


@dataclass(frozen=True)
class Phase:
    """What is served, from when the web app was seen to do it until the next command began.

    Attributes:
        champion: Number of its version.
        canary: Number and share of the canary; None without one.
        first: When it began, `time.monotonic()`.
        last: When it ended.
    """

    champion: int
    canary: tuple[int, float] | None
    first: float
    last: float

    def versions(self, series) -> list[int]:
        """Return who answers for each series."""
        if self.canary is None:
            return [self.champion] * len(series)
        number, share = self.canary
        taken = take_share(series, beside(None, number, "canary", share).rollout)
        return [number if is_taken else self.champion for is_taken in taken]


@dataclass
class Hammer:
    """Clients that ask without end, and what they were answered.

    Attributes:
        answers: Begin, end, row of the series and version of each answer.
        failures: Whatever was no answer.
    """

    url: str
    panel: object
    answers: list[tuple[float, float, int, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def ask_one(self, client, row) -> list[int]:
        answer = client.get("/prediction", params=self._question(row))
        answer.raise_for_status()
        float(answer.text)
        return [int(answer.headers["X-Model-Version"])]

    def ask_many(self, client, row) -> list[int]:
        questions = [self._question(row)] * 3
        answer = client.post("/api/v1/forecasts", json={"requests": questions})
        answer.raise_for_status()
        return [each["forecast"]["model_version"] for each in answer.json()["answers"]]

    def work(self, ask, name) -> None:
        rows = [int(row) for row in started_rows(self.panel)]
        headers = {"X-Client-Name": name}
        with httpx.Client(base_url=self.url, timeout=30, headers=headers) as client:
            while not self.stop.wait(SECONDS_BETWEEN_REQUESTS):
                rows.append(row := rows.pop(0))
                begun = time.monotonic()
                try:
                    versions = ask(client, row)
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    self.failures.append(repr(error))
                    continue
                ended = time.monotonic()
                self.answers += [(begun, ended, row, version) for version in versions]

    def _question(self, row) -> dict[str, object]:
        series = self.panel.series.iloc[row]
        return {
            "date": str(self.panel.cutoff + 1 + row % 16),
            "item_nbr": int(series["item_nbr"]),
            "store_nbr": int(series["store_nbr"]),
        }


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def registered(project, panel, long_model, long_tree, long_average):
    """The project with three versions, of which the first is champion, a panel, and patience."""
    with in_mlflow_of(project) as registry:
        for model in (long_model, long_tree, long_average):
            registry.register(model)
        registry.promote(Decision(True, 1, None, "It is the first."))
    with whole_folder(project / "data/03_primary/panel") as beside:
        write_panel(beside, panel)
    with (project / "conf/base/serving.yml").open("a") as settings:
        settings.write("challenger_timeout_seconds: 60.0\n")
    return project


@contextmanager
def in_mlflow_of(project):
    """Give the project's registry, as its commands have it."""
    with chdir(project), mlflow_at(project / "mlflow.db"):
        yield ModelRegistry(NAME)


def serve_beside(project, number, share) -> None:
    """Do what `kedro challenger canary` does, without its seconds of imports."""
    with in_mlflow_of(project) as registry:
        if number:
            serve_challenger(registry, "canary", share, number, "to see")
        panel = {"filepath": str(project / "data/03_primary/panel")}
        publication = PublicationDataset(filepath=str(project / FOLDER), panel=panel, name=NAME)
        publication.save(registry.load(CHAMPION))


CHANGES = (
    (("challenger", "canary", "--version", "2", "--share", "0.3"), 1, (2, 0.3)),
    (None, 1, (2, 0.6)),
    (("challenger", "promote", "--reason", "better for a week"), 2, None),
    (("rollback", "--reason", "too high since Monday"), 1, None),
    (None, 1, (3, 0.5)),
    (("challenger", "off"), 1, None),
)
"""What is typed (or done as if it were), and who is champion and canary after it."""


def test_no_request_fails_while_who_is_served_changes(registered, kedro, panel):
    serve_beside(registered, None, None)
    # As if a training were going on: who is served can be changed all the same.
    training = run_lock(registered / "data")
    with training, serve(registered) as app, app.client() as client:
        hammer = Hammer(app.url, panel)
        asking = [
            threading.Thread(target=hammer.work, args=(ask, f"client-{i}"))
            for i, ask in enumerate((hammer.ask_one, hammer.ask_many) * 2)
        ]
        for thread in asking:
            thread.start()
        try:
            phases = [live_through(hammer, client, 1, None)]
            for arguments, champion, canary in CHANGES:
                if arguments is None:
                    serve_beside(registered, *canary)
                else:
                    outcome = kedro(*arguments)
                    assert outcome.returncode == 0, outcome.stderr
                    assert "follows within seconds" in outcome.stdout
                phases.append(live_through(hammer, client, champion, canary))
        finally:
            hammer.stop.set()
            for thread in asking:
                thread.join()
    assert hammer.failures == []
    assert_published(hammer, phases)
    assert_recorded(hammer, registered)


def live_through(hammer, client, champion, canary) -> Phase:
    """Wait until a state is served and was answered from for a while."""
    expected = {"champion": champion} | ({"canary": canary[0]} if canary else {})

    def served():
        roles = client.get("/api/v1/model").json()["served"]
        shares = [role["share"] for role in roles if role["role"] == "canary"]
        is_share = shares == ([canary[1]] if canary else [])
        return is_share and {role["role"]: role["model_version"] for role in roles} == expected

    wait_for(served)
    first, before = time.monotonic(), len(hammer.answers)
    wait_for(lambda: len(hammer.answers) >= before + ANSWERS_PER_PHASE or hammer.failures)
    return Phase(champion, canary, first, time.monotonic())


def assert_published(hammer, phases) -> None:
    """Each answer is by who was served then: in a change, by who was before or who is after."""
    expected = [phase.versions(hammer.panel.series) for phase in phases]
    for begun, ended, row, version in hammer.answers:
        may_have_answered = {
            versions[row]
            for i, versions in enumerate(expected)
            if (i == 0 or phases[i - 1].last < ended)
            and (i + 1 == len(phases) or begun < phases[i + 1].first)
        }
        assert version in may_have_answered
    for phase in phases:
        within = [a for a in hammer.answers if phase.first <= a[0] and a[1] <= phase.last]
        assert len(within) >= ANSWERS_PER_PHASE // 2


def assert_recorded(hammer, project) -> None:
    """Each answer is an event by the version that it names."""
    with sqlite3.connect(project / "data/07_model_output/events.db") as connection:
        query = (
            "select model_version, count(*) from prediction_events "
            "where client like 'client-%' and role != 'shadow' group by model_version"
        )
        kept = dict(connection.execute(query).fetchall())
        missed = connection.execute("select sum(requests) from challenger_misses").fetchone()[0]
    versions = [version for *_, version in hammer.answers]
    assert kept == {version: versions.count(version) for version in set(versions)}
    assert not missed
