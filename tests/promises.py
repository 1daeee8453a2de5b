"""What a backtest promised, made up: `core.monitoring.promise.Promise`."""

from datetime import date, timedelta

import numpy as np

from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.season import Season

HORIZON, SPACING = 16, 21
WEEKS, NOISE = 12, 0.05

EVEN = dict.fromkeys(range(1, 8), 0.5)
"""The same error on each weekday."""

NO_SEASON = Season(np.datetime64("2017-01-01"), np.zeros(400), np.zeros(400))


def promise_of(by_weekday: dict[int, float]) -> Promise:
    """A backtest whose error depends on the weekday (1 for Monday), kept without steps."""
    first, source = date(2017, 1, 2), np.random.default_rng(1)
    days = []
    for i in range(7 * WEEKS):
        day = first + timedelta(i)
        error = by_weekday[day.isoweekday()] * np.exp(source.normal(0, NOISE))
        days.append({"date": day.isoformat()} | _weigh(error))
    return Promise(0.5, 0.8, days, [], [], [])


def promise_by_step(
    growth: float,
    by_weekday: dict[int, float],
    folds: int = 5,
    noise: float = 0.0,
    fold_noise: float = 0.0,
    seed: int = 1,
) -> Promise:
    """A backtest whose squared error grows as a power of the step, as `run_backtest` makes one.

    The noise is that of the error of a day, and that which all days of a fold have in common.
    """
    first, source = date(2017, 1, 2), np.random.default_rng(seed)
    days = []
    for fold in range(folds):
        common = np.exp(source.normal(0, fold_noise))
        for step in range(1, HORIZON + 1):
            day = first + timedelta(fold * SPACING + step)
            error = by_weekday[day.isoweekday()] * step ** (growth / 2)
            error *= common * np.exp(source.normal(0, noise))
            days.append({"date": day.isoformat(), "step": step} | _weigh(error))
    steps = [
        {"step": step, "nwrmsle": float(np.sqrt(np.mean([d["squares"] / 100 for d in alike])))}
        for step in range(1, HORIZON + 1)
        if (alike := [d for d in days if d["step"] == step])
    ]
    return Promise(0.5, 0.8, days, steps, [], [])


def _weigh(error: float) -> dict[str, float]:
    return {"rows": 100, "weight": 100.0, "squares": 100.0 * error**2}
