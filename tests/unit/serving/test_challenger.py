"""Whatever a challenger does, the champion answers."""

import asyncio
import sqlite3
import threading
import time

import pytest
from prometheus_client import CollectorRegistry

from grocery_demand.serving import challenger as module
from grocery_demand.serving.challenger import FAILURES_BEFORE_REST
from grocery_demand.serving.desk import Desk
from grocery_demand.serving.desk_metrics import DeskMetrics
from grocery_demand.serving.events.log import EventLog
from grocery_demand.serving.loader import Loader
from grocery_demand.serving.served_forecast import Client
from grocery_demand.serving.settings import ServingSettings
from grocery_demand.serving.side_desk import SideDesk
from grocery_demand.serving.views import draw_curve
from published import (
    FOLDER,
    beside,
    publish_small,
    started_rows,
    train_small,
    wait_for,
)


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def models(long_model, long_tree):
    return {1: long_model, 2: long_tree}


@pytest.fixture
def serve(tmp_path, panel, models):
    """Publish version 1 with version 2 beside it, and load both."""
    loader = Loader(tmp_path / FOLDER, ServingSettings())

    def load(mode, share=1.0, former=None, number=2):
        challenger = beside(models[2], number, mode, share) if mode else None
        publish_small(tmp_path, panel, models[1], 1, challenger=challenger)
        return loader.load(former)

    return load


@pytest.fixture
def log(tmp_path):
    log = EventLog(f"sqlite:///{tmp_path}/events.db")
    yield log
    log.close()


@pytest.fixture
def desk(log):
    metrics = DeskMetrics(CollectorRegistry())
    return Desk(log, "t", "r", False, SideDesk(log, "t", False, 0.3, metrics), metrics)


@pytest.fixture
def rows(tmp_path):
    """Rows of the database, once there are so many."""

    def read(table, n):
        def fetch():
            with sqlite3.connect(tmp_path / "events.db") as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(f"select * from {table}")]

        wait_for(lambda: len(fetch()) >= n)
        return fetch()

    return read


def questions_of(served, panel, n=6):
    return [
        served.assortment.ask(
            {
                "date": str(panel.cutoff + 1 + i % 3),
                "item_nbr": int(panel.series["item_nbr"].iloc[row]),
                "store_nbr": int(panel.series["store_nbr"].iloc[row]),
            }
        )
        for i, row in enumerate(started_rows(panel)[:n])
    ]


def ask(desk, served, questions):
    """Ask one after the other, as one client does."""

    async def ask_all():
        return [
            await desk.answer(served, question, Client("test", time.perf_counter()))
            for question in questions
        ]

    return asyncio.run(ask_all())


def ask_at_once(desk, served, questions):
    client = Client("test", time.perf_counter())
    return asyncio.run(desk.answer_all(served, questions, client))


def break_down(served, error="cannot divide"):
    def answer(*_):
        raise ZeroDivisionError(error)

    served.challenger.model.answer = answer


def told(forecast):
    told = forecast.as_dict()
    del told["event_id"]
    return told


@pytest.mark.parametrize("put", [ask, ask_at_once])
def test_a_shadow_changes_no_answer_and_is_linked_to_what_was_given(desk, serve, panel, put, rows):
    alone = serve(None)
    expected = put(desk, alone, questions_of(alone, panel))
    served = serve("shadow", former=alone)
    given = put(desk, served, questions_of(served, panel))
    assert [told(f) for f in given] == [told(f) for f in expected]
    events = rows("prediction_events", 18)
    shadows = {e["shadow_of"]: e for e in events if e["role"] == "shadow"}
    assert set(shadows) == {forecast.event_id for forecast in given}
    for forecast in given:
        shadow = shadows[forecast.event_id]
        assert (shadow["model_version"], shadow["run_id"]) == (2, "run2")
        assert shadow["item_nbr"] == forecast.question.product.item_nbr
    assert any(shadows[f.event_id]["prediction"] != f.units for f in given)


@pytest.mark.parametrize("put", [ask, ask_at_once])
def test_a_canary_answers_its_share_and_the_champion_the_rest(desk, serve, panel, put, rows):
    served = serve("canary", share=0.5)
    questions = questions_of(served, panel, 20)
    expected = [2 if served.challenger.takes(question) else 1 for question in questions]
    assert set(expected) == {1, 2}
    given = put(desk, served, questions)
    assert [forecast.as_dict()["model_version"] for forecast in given] == expected
    assert {(f.role, f.model.label.model_version) for f in given} == {
        ("champion", 1),
        ("canary", 2),
    }
    assert [f.question for f in given] == questions
    place = {event["id"]: event["place"] for event in rows("prediction_events", len(given))}
    of_one_request = range(len(given)) if put is ask_at_once else [0] * len(given)
    assert [place[f.event_id] for f in given] == list(of_one_request)


@pytest.mark.parametrize("put", [ask, ask_at_once])
def test_a_canary_that_raises_costs_no_answer_and_is_told(desk, serve, panel, put, rows):
    served = serve("canary")
    break_down(served)
    given = put(desk, served, questions_of(served, panel))
    assert {(f.role, f.model.label.model_version) for f in given} == {("champion", 1)}
    missed = rows("challenger_misses", 1)
    assert sum(row["requests"] for row in missed) == len(given)
    assert "ZeroDivisionError: cannot divide" in missed[0]["reason"]


def test_a_curve_that_the_canary_cannot_draw_is_the_champions(serve, panel):
    served = serve("canary")
    question, champion = questions_of(served, panel, 1)[0], served.champion
    own = draw_curve(served.challenger.model, champion, question)
    break_down(served)
    shown = draw_curve(served.challenger.model, champion, question)
    assert shown == draw_curve(champion, champion, question) != own


def test_a_canary_that_fails_again_and_again_is_left_alone(desk, serve, panel):
    served = serve("canary")
    break_down(served)
    ask(desk, served, questions_of(served, panel, FAILURES_BEFORE_REST))
    assert served.challenger.workbench.is_resting
    _, canary = served.describe_roles()
    assert "cannot divide" in canary["problem"]
    del served.challenger.model.answer
    assert ask(desk, served, questions_of(served, panel, 1))[0].role == "champion"


def test_after_its_rest_a_canary_that_is_well_again_answers(desk, serve, panel, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_OF_REST", 0.0)
    served = serve("canary")
    break_down(served)
    ask(desk, served, questions_of(served, panel, FAILURES_BEFORE_REST))
    del served.challenger.model.answer
    assert {f.role for f in ask(desk, served, questions_of(served, panel))} == {"canary"}
    assert served.describe_roles()[1]["problem"] is None


def test_a_canary_that_hangs_is_not_waited_for(desk, serve, panel, rows):
    served = serve("canary")
    released = threading.Event()
    answer = served.challenger.model.answer
    served.challenger.model.answer = lambda *asked: released.wait() and answer(*asked)
    given = ask(desk, served, questions_of(served, panel, 2))
    released.set()
    assert {f.role for f in given} == {"champion"}
    assert "longer than 0.3 s" in rows("challenger_misses", 2)[0]["reason"]
    assert len(rows("prediction_events", 2)) == 2


def test_a_shadow_that_falls_behind_loses_forecasts_of_its_own_only(
    desk, serve, panel, rows, monkeypatch
):
    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    served = serve("shadow")
    released = threading.Event()
    answer = served.challenger.model.answer
    served.challenger.model.answer = lambda *asked: released.wait() and answer(*asked)
    given = ask(desk, served, questions_of(served, panel))
    assert len(given) == 6
    missed = rows("challenger_misses", 1)
    assert "too many forecasts wait" in missed[0]["reason"]
    released.set()


def test_another_share_or_mode_loads_nothing_anew(serve):
    first = serve("shadow")
    second = serve("canary", share=0.25, former=first)
    assert second.champion is first.champion
    assert second.assortment is first.assortment
    assert second.challenger.workbench is first.challenger.workbench
    assert [role["share"] for role in second.describe_roles()] == [0.75, 0.25]


def test_models_share_the_panel_and_its_tables(tmp_path, panel, models):
    publish_small(tmp_path, panel, models[1], 1, challenger=beside(models[1], 2, "shadow"))
    served = Loader(tmp_path / FOLDER, ServingSettings()).load(None)
    ours, theirs = (m._near.tables for m in (served.champion, served.challenger.model))
    assert ours is theirs
    assert served.champion.panel is served.challenger.model.panel


def test_a_question_from_before_the_challenger_left_is_answered(desk, serve, panel, tmp_path):
    served = serve("canary")
    served.challenger.workbench.close()
    assert {f.role for f in ask(desk, served, questions_of(served, panel))} == {"champion"}
    with sqlite3.connect(tmp_path / "events.db") as connection:
        assert connection.execute("select count(*) from challenger_misses").fetchone() == (0,)


def test_days_beyond_what_the_challenger_reaches_are_the_champions(desk, tmp_path, panel, models):
    near = train_small(panel, "seasonal_naive")
    near.metadata["furthest_step"] = 16
    publish_small(tmp_path, panel, models[1], 1, challenger=beside(near, 2, "canary"))
    served = Loader(tmp_path / FOLDER, ServingSettings()).load(None)
    question = questions_of(served, panel, 1)[0]
    asked = {"item_nbr": question.product.item_nbr, "store_nbr": question.store_nbr}
    days = [served.assortment.ask(asked | {"date": str(panel.cutoff + d)}) for d in (16, 17)]
    assert [f.role for f in ask(desk, served, days)] == ["canary", "champion"]


def test_a_damaged_challenger_is_named_and_the_champion_served(serve, tmp_path):
    served = serve("canary")
    (tmp_path / FOLDER / "models/2/model/final/model.skops").write_bytes(b"damaged")
    again = Loader(tmp_path / FOLDER, ServingSettings()).load(None)
    assert again.challenger is None
    assert "not as they were written" in again.problem
    assert "kedro challenger off" in again.problem
    assert again.pointer == served.pointer
    assert again.describe_roles()[0]["share"] == 1.0
