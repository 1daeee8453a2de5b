import pytest

from grocery_demand.core.monitoring.advice import (
    Advice,
    advise,
    check_age,
    date_advice,
    date_champion,
    date_checks,
)
from grocery_demand.core.monitoring.check import DRIFT, ERROR, LIVE_ERROR, Check
from grocery_demand.core.monitoring.parameters import MonitoringParameters

PARAMETERS = MonitoringParameters()


def checks(**states: str) -> list[Check]:
    names = {
        "health": "data health",
        "error": "live error",
        "drift": "drift of sales",
        "skew": "training–serving skew",
        "age": "age",
        "fairness": "fairness",
    }
    return [
        Check(names[key], ERROR if key == "error" else "it", state, f"{key} is {state}")
        for key, state in states.items()
    ]


@pytest.mark.parametrize(
    ("states", "decision"),
    [
        ({"health": "ok", "error": "ok", "drift": "ok", "age": "ok"}, "keep"),
        ({"error": "alarm"}, "retrain"),
        ({"error": "watch"}, "keep"),
        ({"drift": "alarm", "error": "ok"}, "keep"),
        ({"drift": "alarm", "error": "watch"}, "retrain"),
        ({"drift": "watch", "error": "watch"}, "keep"),
        ({"age": "alarm"}, "retrain"),
        ({"skew": "alarm", "fairness": "alarm"}, "keep"),
        ({"error": "unknown", "drift": "unknown"}, "keep"),
        ({"health": "alarm", "error": "alarm", "drift": "alarm", "age": "alarm"}, "check_feed"),
        ({"health": "watch", "error": "alarm"}, "retrain"),
    ],
)
def test_the_decision_follows_from_the_states(states, decision):
    advice = advise(checks(**states), 100, PARAMETERS)
    assert advice.decision == decision
    assert advice.reasons
    assert advice.next


@pytest.mark.parametrize(
    ("watched", "decision"), [(ERROR, "retrain"), ("coverage of intervals", "keep")]
)
def test_drift_is_a_reason_only_if_the_error_itself_has_risen(watched, decision):
    found = [Check(DRIFT, "columns", "alarm", "moved"), Check(LIVE_ERROR, watched, "watch", "rose")]
    assert advise(found, 100, PARAMETERS).decision == decision


def test_the_next_training_waits_for_new_sales():
    alarmed = checks(error="alarm")
    wait = PARAMETERS.min_days_between_trainings
    assert advise(alarmed, wait - 1, PARAMETERS).decision == "keep"
    assert "Live error: error is alarm" in advise(alarmed, wait - 1, PARAMETERS).reasons
    assert advise(alarmed, wait, PARAMETERS).decision == "retrain"


@pytest.mark.parametrize(
    ("days", "state"), [(1, "ok"), (110, "watch"), (120, "watch"), (121, "alarm")]
)
def test_a_model_grows_old(days, state):
    assert check_age(days, PARAMETERS).state == state


def test_a_model_of_later_sales_than_there_are_is_watched():
    check = check_age(-30, PARAMETERS)
    assert check.state == "watch"
    assert "30 days" in check.detail
    assert "-" not in check.detail
    assert check.mend


def test_the_decisive_reasons_stand_first_and_drift_counts_with_a_risen_error_only():
    found = checks(drift="alarm", age="alarm", error="alarm")
    reasons = [
        "Live error: error is alarm",
        "Drift of sales: drift is alarm",
        "Age: age is alarm",
    ]
    assert advise(found, 100, PARAMETERS).reasons == reasons
    calm = checks(drift="alarm", age="alarm", error="ok")
    assert advise(calm, 100, PARAMETERS).reasons == ["Age: age is alarm"]


def test_a_broken_feed_is_told_of_alone():
    advice = advise(checks(health="alarm", error="alarm", age="alarm"), 0, PARAMETERS)
    assert advice.reasons == ["Data health: health is alarm"]


def test_what_is_watched_is_told_with_the_advice_to_keep():
    advice = advise(checks(skew="watch", age="ok"), 9, PARAMETERS)
    assert advice.reasons == ["Training–serving skew: skew is watch"]
    assert advice.next == "Nothing to do with the model."


def test_alarms_that_training_does_not_mend_are_to_be_looked_at():
    advice = advise(checks(drift="alarm", error="ok", fairness="alarm"), 9, PARAMETERS)
    assert advice.decision == "keep"
    assert advice.next == "Look at what raised an alarm: drift of sales, fairness."


def test_since_is_kept_while_a_state_lasts():
    former = date_checks(checks(error="watch", drift="ok"), [], "2017-06-01")
    now = date_checks(checks(error="alarm", drift="ok"), former, "2017-06-02")
    assert [c["since"] for c in now] == ["2017-06-02", "2017-06-01"]


def test_a_champion_is_dated_by_the_first_run_that_sees_it():
    unknown = {"champion_since": None, "former_version": None}
    assert date_champion(None, 1, "2017-06-01") == unknown
    assert date_champion({"model_version": 1, "advice": {}}, 1, "2017-06-02") == unknown
    taken_over = date_champion({"model_version": 1, "advice": unknown}, 2, "2017-06-02")
    assert taken_over == {"champion_since": "2017-06-02", "former_version": 1}
    assert date_champion({"model_version": 2, "advice": taken_over}, 2, "2017-06-03") == taken_over


def test_advice_is_dated_by_its_first_day():
    keep, retrain = Advice("keep", ["x"], "y"), Advice("retrain", ["x"], "y")
    first = date_advice(keep, None, "2017-06-01")
    assert first.since == "2017-06-01"
    assert date_advice(keep, first.to_dict(), "2017-06-02").since == "2017-06-01"
    assert date_advice(retrain, first.to_dict(), "2017-06-02").since == "2017-06-02"


def test_nothing_is_so_since_a_day_after_the_last():
    check = Check("usage", "questions", "ok", "")
    former = [check.to_dict() | {"since": "2017-07-27"}]
    assert date_checks([check], former, "2017-06-07")[0]["since"] == "2017-06-07"
    keep = advise([check], 30, MonitoringParameters())
    dated = date_advice(keep, {"decision": keep.decision, "since": "2017-07-27"}, "2017-06-07")
    assert dated.since == "2017-06-07"
