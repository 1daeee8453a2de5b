import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.served import ServedEvents, check_usage

PARAMETERS = MonitoringParameters(max_refused_share=0.2)


def served(requests: list[int], long_range: list[int], refused: list[int]) -> ServedEvents:
    by_day = pd.DataFrame({"requests": requests, "long_range": long_range, "refused": refused})
    nothing = pd.DataFrame()
    return ServedEvents(nothing, by_day, nothing, nothing, nothing)


def test_days_are_added_up():
    events = served([60, 20], [10, 10], [5, 15])
    assert (events.requests, events.refused) == (80, 20)
    assert events.refused_share == pytest.approx(0.2)
    assert events.long_range_share == pytest.approx(0.25)


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
