from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.monitoring.bar import fit_step_growth, mix_steps, set_bar
from grocery_demand.core.monitoring.live_error import score_windows
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from live_rows import START, make_live
from promises import EVEN, NO_SEASON, promise_by_step, promise_of

WEEKENDS = EVEN | {6: 0.9, 7: 0.9}
WEEK = tuple(range(1, 8))


def window(*weekdays: int, hardness: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame({"weekday": weekdays, "hardness": [hardness] * len(weekdays)})


def test_the_bar_lies_above_what_is_promised_and_grows_with_what_is_allowed():
    bar, wide = (set_bar(promise_of(EVEN), window(*WEEK), growth) for growth in (0.05, 0.5))
    assert bar.promised == pytest.approx(0.5, rel=0.03)
    assert bar.promised < bar.raised < bar.broken < wide.broken
    assert wide.broken == pytest.approx(bar.broken / 1.05 * 1.5)


def test_the_bar_knows_that_weekends_are_forecast_less_well():
    weekend, working = (set_bar(promise_of(WEEKENDS), window(*w), 0.05) for w in ((6, 7), (1, 2)))
    assert weekend.promised > 1.5 * working.promised


@pytest.mark.parametrize("growth", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("by_weekday", [EVEN, WEEKENDS])
def test_the_growth_by_step_is_found_whatever_the_weekdays(growth, by_weekday):
    assert fit_step_growth(promise_by_step(growth, by_weekday)) == pytest.approx(growth, abs=1e-9)


def test_an_error_that_falls_with_the_step_counts_as_even():
    assert fit_step_growth(promise_by_step(-0.3, EVEN)) == 0


@pytest.mark.parametrize("steps", [[], [{"step": 1, "nwrmsle": 0.5}, {"step": 2, "nwrmsle": 0.9}]])
def test_steps_of_no_common_weekday_say_nothing_of_growth(steps):
    assert fit_step_growth(replace(promise_by_step(0.2, EVEN), steps=steps)) == 0


def test_a_days_mix_is_the_weighted_mean_of_its_steps():
    live = pl.DataFrame(
        [
            {"date": START, "step": 1, "weight": 1.0},
            {"date": START, "step": 4, "weight": 2.0},
            {"date": START + timedelta(1), "step": 9, "weight": 1.25},
        ]
    )
    assert mix_steps(live, 0.5).to_dicts() == [
        {"date": START, "mean_step": 3.0, "hardness": pytest.approx(5 / 3), "weekday": 4},
        {"date": START + timedelta(1), "mean_step": 9.0, "hardness": 3.0, "weekday": 5},
    ]


def windows_of_steps(promise, *steps: int) -> dict[str, float]:
    live = make_live(n_series=12, n_days=7)
    each = [live.with_columns(step=pl.lit(step, pl.Int16)) for step in steps]
    windows = score_windows(pl.concat(each), promise, NO_SEASON, MonitoringParameters())
    return windows.row(-1, named=True)


def test_a_window_of_first_steps_is_held_against_what_was_promised_of_first_steps():
    promise = promise_by_step(0.3, EVEN)
    for steps in ([1], [1, 2, 3], list(range(1, 17))):
        found = windows_of_steps(promise, *steps)
        expected = 0.5 * np.sqrt(np.mean([step**0.3 for step in steps]))
        assert found["promised"] == pytest.approx(expected)
        assert found["bar"] == pytest.approx(1.05 * expected)
        assert found["mean_step"] == pytest.approx(np.mean(steps))


def test_a_promise_kept_before_days_had_steps_is_that_of_all_steps_brought_to_the_windows():
    """Its days count as of all steps, each as often."""
    new = promise_by_step(0.3, EVEN)
    usual = 0.5 * np.sqrt(np.mean([step**0.3 for step in range(1, 17)]))
    weight = {"rows": 100, "weight": 100.0, "squares": 100.0 * usual**2}
    old = replace(new, days=[{"date": day["date"]} | weight for day in new.days])
    for steps in ([1, 2, 3], list(range(1, 17))):
        found, wanted = (windows_of_steps(promise, *steps) for promise in (old, new))
        assert found["promised"] == pytest.approx(wanted["promised"])
