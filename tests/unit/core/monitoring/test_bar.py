from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.monitoring.bar import fit_step_growth, mix_steps, set_bar
from grocery_demand.core.monitoring.live_error import score_windows
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from live_rows import START, make_live
from promises import EVEN, HORIZON, NO_SEASON, promise_by_step, promise_of

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


@pytest.mark.parametrize("fold_noise", [0.0, 0.02, 0.05])
def test_hardly_a_quiet_week_lies_above_the_bar_though_its_days_are_hard_together(fold_noise):
    """Folds differ by some 2 % on the sample, by some 5 % on totals of real stores."""
    noise, source, above = 0.1, np.random.default_rng(5), []
    for seed in range(150):
        promise = promise_by_step(0.0, EVEN, noise=noise, fold_noise=fold_noise, seed=seed)
        together = source.normal(0, fold_noise, (200, 1))
        squares = (0.5 * np.exp(together + source.normal(0, noise, (200, 7)))) ** 2
        bar = set_bar(promise, window(*WEEK), 0.05)
        above.append(np.sqrt(squares.mean(axis=1)) > bar.broken)
    assert np.mean(above) < 0.02


def test_the_bar_of_folds_that_differ_by_chance_alone_is_that_of_their_days():
    """What the days' own noise explains of the folds' levels raises nothing, on average."""
    found = [promise_by_step(0.0, EVEN, noise=0.1, seed=seed) for seed in range(60)]
    unknown = [replace(p, days=[d | {"step": None} for d in p.days]) for p in found]
    bars = [[set_bar(p, window(*WEEK), 0.0).broken for p in ps] for ps in (found, unknown)]
    assert np.mean(bars[0]) == pytest.approx(np.mean(bars[1]), rel=0.02)


def levelled(levels: list[float]) -> Promise:
    """A backtest of even days, each fold's error times the exponential of its level."""
    even = promise_by_step(0.0, EVEN, folds=len(levels))
    fold = np.repeat(levels, HORIZON)
    pairs = zip(even.days, np.exp(2 * fold), strict=True)
    return replace(even, days=[day | {"squares": day["squares"] * f} for day, f in pairs])


def test_folds_that_are_hard_together_leave_the_promise_and_raise_the_bar():
    low, high = (set_bar(levelled([x, -x] * 3), window(*WEEK), 0.0) for x in (0.0, 0.1))
    assert high.promised == pytest.approx(low.promised, rel=0.01)
    spread = 0.2 / np.sqrt(2) * np.sqrt(1 + 1 / 6)
    assert high.broken / high.promised == pytest.approx(np.exp(2.326 * spread), rel=0.03)
    assert low.broken == pytest.approx(low.promised)


def test_folds_that_get_easier_step_by_step_raise_the_bar_less_than_the_same_ones_in_disorder():
    """A model that learns from more days errs less: that is no scatter."""
    slow, jumping = (
        set_bar(levelled(levels), window(*WEEK), 0.0)
        for levels in ([0.1, 0.06, 0.02, -0.02, -0.06, -0.1], [0.1, -0.06, 0.06, -0.1, 0.02, -0.02])
    )
    assert slow.broken / slow.promised < 1.2 < jumping.broken / jumping.promised
