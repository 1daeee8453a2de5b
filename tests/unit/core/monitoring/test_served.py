from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.served import ServedEvents, check_usage

PARAMETERS = MonitoringParameters(max_refused_share=0.2)


def served(
    requests: list[int],
    long_range: list[int],
    refused: list[int],
    failed: int = 0,
    forecasts_each: int = 1,
) -> ServedEvents:
    """Days of requests that brought so many forecasts each."""
    by_day = pd.DataFrame({"answered": requests, "long_range": long_range, "refused": refused})
    by_day["requests"] = forecasts_each * by_day["answered"]
    by_day["date"] = pd.date_range("2017-06-01", periods=len(by_day))
    by_day["failed"] = [failed] * min(len(by_day), 1) + [0] * (len(by_day) - 1)
    nothing = pd.DataFrame()
    return ServedEvents(nothing, by_day, nothing, nothing, nothing)


def test_days_are_added_up():
    events = served([60, 20], [10, 10], [5, 15])
    assert (events.requests, events.refused) == (80, 20)
    assert events.refused_share == pytest.approx(0.2)
    assert events.long_range_share == pytest.approx(0.25)


def test_questions_of_one_request_count_each_where_refused_and_as_one_where_it_failed():
    events = served([60, 20], [10, 10], [5, 15], failed=10, forecasts_each=50)
    assert (events.requests, events.answered) == (4000, 80)
    assert events.refused_share == pytest.approx(20 / 4020)
    assert events.failed_share == pytest.approx(10 / 110)


def test_a_log_that_cannot_be_read_is_an_alarm_with_its_mend():
    events = replace(served([], [], []), problem="events.db is damaged: move it away.")
    (check,) = check_usage(events, PARAMETERS)
    assert (check.state, check.mend) == ("alarm", "events.db is damaged: move it away.")


def test_shares_of_nothing_are_not_known():
    assert np.isnan(served([], [], []).refused_share)
    assert np.isnan(served([0], [0], [3]).long_range_share)


@pytest.mark.parametrize(
    ("requests", "refused", "state"),
    [(0, 0, "unknown"), (80, 20, "ok"), (79, 21, "watch"), (10, 39, "ok"), (0, 50, "watch")],
)
def test_many_refused_questions_are_watched_if_enough_were_asked(requests, refused, state):
    check = check_usage(served([requests], [0], [refused]), PARAMETERS)[0]
    assert check.state == state


@pytest.mark.parametrize(
    ("requests", "failed", "state"),
    [(500, 0, "ok"), (500, 5, "ok"), (495, 6, "watch"), (10, 4, "ok"), (0, 5, "watch")],
)
def test_many_failed_answers_are_watched_however_few_questions_there_were(requests, failed, state):
    check = check_usage(served([requests], [0], [0], failed), PARAMETERS)[1]
    assert (check.name, check.state) == ("failed answers", state)


def test_an_app_that_answered_nothing_but_errors_is_not_taken_for_one_that_was_not_asked():
    events = served([0], [0], [0], failed=20)
    assert events.failed_share == 1
    checks = check_usage(events, PARAMETERS)
    assert [check.state for check in checks] == ["unknown", "watch"]
    assert not [check for check in checks if "nan" in check.detail]
