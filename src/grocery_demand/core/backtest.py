"""Backtest: which cutoffs, which rows to learn from, and forecasts beside what was sold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import FEATURE_SETS, ItemSums, sum_items
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.models import MODELS
from grocery_demand.core.panel import Panel
from grocery_demand.core.parameters import parameters, require, require_choice
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.table_parts import join_tables

WEEK = 7
MIN_HISTORY = 7
"""Days of sales that a training cutoff has behind it at least."""

_FEWEST_SERIES = 8
"""Series at a cutoff, below which there are rather fewer cutoffs."""

_TIMES_FOLDS = 3
"""How many times as many folds there are at most, where series are few."""

_CLOSER = 3
"""Days between cutoffs where weeks are few: of seven, each step falls on each weekday once."""

_ATTRIBUTES = ["family", "type", "perishable"]


@parameters("training")
class TrainingParameters:
    """What to fit and how to score it.

    Attributes:
        model: `lightgbm`, `decision_tree`, `random_forest`, `adaboost`, `gradient_boosting`,
            `seasonal_naive` or `moving_average`.
        feature_set: `full`, or `workshop`: item, store and calendar only.
        horizon: Days ahead that are forecast; also the length of holdout and folds, in days.
        backtest_folds: Number of cutoffs before the holdout whose out-of-sample errors give the
            intervals.
        min_backtest_rows: Rows (series x step x fold) that the folds forecast at least: where
            series are few, up to three times as many folds, as far as the sales reach back.
        backtest_fits: Number of models fitted for `backtest_folds`, and in proportion for more
            of them; one serves several folds, fitted at the oldest.
        max_backtest_rows: Rows (series x step x fold) that the folds forecast at most; the holdout
            has as many at most.
        max_training_cutoffs: Past cutoffs that one fit learns from at most.
        min_training_cutoffs: Past cutoffs that it learns from at least, if there are so many and
            `max_training_cutoffs` allows it; of many series, a random share at each of them. Where
            weeks are fewer, some lie three days apart.
        max_training_rows: Rows (series x step x cutoff) that one fit learns from at most.
        max_long_range_rows: Rows that the model for dates beyond the horizon learns from at most,
            and as many that its backtest forecasts.
        seed: Makes sampling and fitting repeatable.
    """

    model: str = "lightgbm"
    feature_set: str = "full"
    horizon: int = 16
    backtest_folds: int = 4
    min_backtest_rows: int = 10_000
    backtest_fits: int = 2
    max_backtest_rows: int = 3_000_000
    max_training_cutoffs: int = 78
    min_training_cutoffs: int = 52
    max_training_rows: int = 400_000
    max_long_range_rows: int = 100_000
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        require_choice("training.model", self.model, MODELS)
        require_choice("training.feature_set", self.feature_set, FEATURE_SETS)
        for name, least, most in (
            ("horizon", 1, 366),
            ("backtest_folds", 1, 52),
            ("backtest_fits", 1, 52),
            ("min_backtest_rows", 0, 10**9),
            ("max_backtest_rows", 1000, 10**9),
            ("max_training_cutoffs", 1, 1000),
            ("min_training_cutoffs", 1, 1000),
            ("max_training_rows", 1000, 10**9),
            ("max_long_range_rows", 1000, 10**9),
            ("seed", 0, 2**31 - 1),
        ):
            value = getattr(self, name)
            allowed = f"a whole number from {least} to {most}"
            require(least <= value <= most, f"training.{name}", value, allowed)


@dataclass(frozen=True)
class Cutoffs:
    """Days of the panel at which a training forecasts.

    Attributes:
        final: The last day with sales.
        holdout: The last day before the holdout.
        folds: Cutoffs of the backtest, the newest first; the windows do not overlap.
    """

    final: int
    holdout: int
    folds: tuple[int, ...]


def plan_cutoffs(panel: PanelParts, training: TrainingParameters) -> Cutoffs:
    """Choose cutoffs whose windows start on the same weekday as the holdout.

    Raises:
        DataShortageError: If the sales are too short for one fold and the holdout.
    """
    holdout = panel.n_days - 1 - training.horizon
    spacing = WEEK * -(-training.horizon // WEEK)
    possible = [holdout - spacing * (i + 1) for i in range(_count_folds(panel, training))]
    folds = tuple(day for day in possible if day >= MIN_HISTORY + WEEK)
    if not folds:
        needed = training.horizon + spacing + MIN_HISTORY + WEEK + 1
        raise DataShortageError(
            f"The sales cover {panel.n_days} days ({panel.start_date} … {panel.cutoff}); a horizon "
            f"of {training.horizon} days needs at least {needed}: give more days, or a shorter "
            "horizon with --params training.horizon=…"
        )
    return Cutoffs(panel.n_days - 1, holdout, folds)


def count_fits(n_folds: int, training: TrainingParameters) -> int:
    """Return how many models are fitted for so many folds."""
    in_proportion = -(-training.backtest_fits * n_folds // training.backtest_folds)
    return min(max(training.backtest_fits, in_proportion), n_folds)


def _count_folds(panel: PanelParts, training: TrainingParameters) -> int:
    """Return how many folds are wanted: more than usual where they have few rows each."""
    least = training.backtest_folds
    needed = -(-training.min_backtest_rows // (panel.n_series * training.horizon))
    return min(max(needed, least), _TIMES_FOLDS * least)


@dataclass(frozen=True)
class TrainingDay:
    """One past cutoff to learn from: which series and steps.

    Attributes:
        day: The cutoff, as a day of the panel.
        steps: Days ahead whose sales are known by then, int [step].
        rows: Positions of the series, int [row].
    """

    day: int
    steps: np.ndarray
    rows: np.ndarray


def choose_training_days(
    panel: PanelParts, day: int, training: TrainingParameters
) -> list[TrainingDay]:
    """Choose what a model fitted at the end of a day learns from, within the row budget.

    Cutoffs lie whole weeks before `day`, so that each step ahead falls on the weekday on which it
    will be forecast. Where the past has too few weeks, the newest lie three days apart if the
    budget allows. Few series get as many cutoffs as the budget allows; many series get the fewest,
    and a random share of the series at each.
    """
    affordable = max(training.max_training_rows // (training.horizon * _FEWEST_SERIES), 1)
    fewest = min(training.min_training_cutoffs, training.max_training_cutoffs, affordable)
    first_sale = panel.first_sale
    cutoffs, n_rows = _count_rows(first_sale, day, training, _list_cutoffs(day, fewest))
    if n_rows.sum() > training.max_training_rows:
        cutoffs, n_rows = _count_rows(first_sale, day, training, _list_cutoffs(day, 0))
    within = np.searchsorted(np.cumsum(n_rows), training.max_training_rows, side="right")
    n_cutoffs = max(int(within), fewest)
    share = min(training.max_training_rows / max(n_rows[:n_cutoffs].sum(), 1), 1.0)
    generator = np.random.default_rng([training.seed, day])
    chosen = []
    for cutoff in cutoffs[:n_cutoffs].tolist():
        steps = np.arange(1, min(training.horizon, day - cutoff) + 1)
        rows = np.flatnonzero(first_sale <= cutoff + steps[-1])
        if share < 1:
            rows = np.sort(generator.choice(rows, int(share * len(rows)), replace=False))
        if len(rows):
            chosen.append(TrainingDay(cutoff, steps, rows))
    return chosen


def _list_cutoffs(day: int, fewest: int) -> np.ndarray:
    """Return the cutoffs that a fit at the end of a day can learn from, the newest first.

    They lie a week apart. If there are fewer than wanted, as many of the newest weeks as that takes
    have closer ones, or all.
    """
    furthest = day - MIN_HISTORY
    missing = max(fewest - furthest // WEEK, 0)
    n_dense = WEEK * -(-missing * _CLOSER // (WEEK - _CLOSER))
    dense = np.arange(_CLOSER, min(n_dense, furthest) + 1, _CLOSER)
    weekly = np.arange(n_dense + WEEK, furthest + 1, WEEK)
    return day - np.concatenate([dense, weekly])


def _count_rows(
    first_sale: np.ndarray, day: int, training: TrainingParameters, cutoffs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cutoffs from which any series can be learnt, and the rows of all series there."""
    n_steps = np.minimum(training.horizon, day - cutoffs)
    n_series = np.searchsorted(np.sort(first_sale), cutoffs + n_steps, side="right")
    known = np.flatnonzero(n_series)[: training.max_training_cutoffs]
    return cutoffs[known], (n_series * n_steps)[known]


def scored_rows(panel: Panel, day: int, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return which rows count, bool [row, step]: the series had started, its store was open."""
    days = day + steps
    started = days >= panel.first_sale[rows, None]
    return started & panel.open_days[panel.store_position[rows, None], days]


def choose_backtest_rows(
    panel: PanelParts, day: int, n_folds: int, training: TrainingParameters
) -> np.ndarray:
    """Choose the series that a fold or the holdout forecasts, within the row budget.

    All series that have begun by the last of its days, or a random share of them.
    """
    rows = np.flatnonzero(panel.first_sale <= day + training.horizon)
    n_series = max(training.max_backtest_rows // (n_folds * training.horizon), 1)
    if len(rows) <= n_series:
        return rows
    generator = np.random.default_rng([training.seed, day])
    return np.sort(generator.choice(rows, n_series, replace=False))


def compare_with_sales(
    forecaster: Forecaster,
    panel: PanelParts,
    day: int,
    steps: np.ndarray,
    rows: np.ndarray | None = None,
) -> pd.DataFrame:
    """Forecast from a past day and put the units sold beside it.

    Args:
        forecaster: What forecasts.
        panel: Sales beyond the horizon.
        day: The cutoff, as a day of the panel.
        steps: Days ahead, ascending, int [step].
        rows: Positions of the series, ascending; by default all that have begun by the last of the
            steps.

    Returns:
        One row per series and day that count (see `scored_rows`): the forecast table with
        cutoff, family, type, perishable, unit_sales (returns as zero) and is_new (the series had
        no sale up to the cutoff).
    """
    rows = np.flatnonzero(panel.first_sale <= day + steps[-1]) if rows is None else rows
    items = sum_items(panel, [day])[0]
    own = panel.split(rows)
    return join_tables(panel.map(_compare_in_part, forecaster, day, steps, items, own=own))


def _compare_in_part(
    part: Panel,
    rows: np.ndarray,
    forecaster: Forecaster,
    day: int,
    steps: np.ndarray,
    items: ItemSums | None,
) -> pd.DataFrame:
    table = forecaster.forecast_part(part, rows, day, steps, items)
    repeated = np.repeat(rows, len(steps))
    added: dict[str, Any] = {"cutoff": part.date_of(day).astype("datetime64[ms]")}
    added |= {name: part.series[name].array[repeated] for name in _ATTRIBUTES}
    added["unit_sales"] = part.units[rows[:, None], day + steps].ravel()
    added["is_new"] = (part.first_sale > day)[repeated]
    counted = scored_rows(part, day, steps, rows).ravel()
    return table.assign(**added)[counted].reset_index(drop=True)
