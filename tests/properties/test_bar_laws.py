"""Laws of the live error's bar, whatever the backtest found."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from grocery_demand.core.monitoring.bar import fit_step_growth, mix_steps, set_bar
from live_rows import START
from promises import HORIZON, promise_by_step

STEPS = st.lists(st.integers(1, HORIZON), min_size=1, max_size=HORIZON)
BACKTESTS = st.builds(
    promise_by_step,
    growth=st.floats(-0.5, 1.0),
    by_weekday=st.fixed_dictionaries({day: st.floats(0.2, 2.0) for day in range(1, 8)}),
    folds=st.integers(1, 6),
    noise=st.floats(0, 0.3),
)


def bar_of(promise, steps: list[int]):
    live = pl.DataFrame([{"date": START, "step": step, "weight": 1.0} for step in steps])
    return set_bar(promise, mix_steps(live, fit_step_growth(promise)), 0.05)


@settings(max_examples=60, deadline=None)
@given(BACKTESTS, STEPS)
def test_the_bar_of_a_mix_lies_between_those_of_its_first_and_its_last_step(promise, steps):
    first, mixed, last = (bar_of(promise, each) for each in ([min(steps)], steps, [max(steps)]))
    for name in ("promised", "raised", "broken"):
        low, high = getattr(first, name), getattr(last, name)
        assert low * (1 - 1e-9) <= getattr(mixed, name) <= high * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(BACKTESTS, STEPS)
def test_how_often_all_steps_of_a_mix_are_counted_does_not_move_the_bar(promise, steps):
    once, twice = bar_of(promise, steps), bar_of(promise, steps * 2)
    assert abs(once.broken - twice.broken) < 1e-9
    assert once.promised <= once.raised <= once.broken
