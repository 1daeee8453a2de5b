"""Dates beyond the horizon, up to a year ahead: a model of their own, with its own intervals.

One table of rows serves every fit: past cutoffs spread over all the sales, each with some series
and some steps beyond the horizon. What was sold after a day is left out of a fit made on that day.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.backtest import (
    MIN_HISTORY,
    WEEK,
    TrainingDay,
    TrainingParameters,
    compare_with_sales,
)
from grocery_demand.core.features import SEASONAL_NAIVE, Encoding
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.models import feature_names_of, fit_model, needs_fitting
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.rows import RowPlan, Rows

logger = logging.getLogger(__name__)

FURTHEST_STEP = 365
"""Days ahead that are answered at most."""

YEARLY_NAIVE = "seasonal_naive_year"
"""Baseline: the same weekday 52 weeks before the date; last week's where that is not known."""

_LEAST_HISTORY = 56
"""Days of sales behind the oldest cutoff of the backtest at least."""

_SHARES_OF_LONGEST = (1.0, 0.82, 0.66, 0.5, 0.33, 0.16)
"""Cutoffs of the backtest, as shares of the days from the oldest of them to the last day of sales:
a year, or what shorter sales allow."""

_FITS = 3
"""Models fitted for all folds: each forecasts consecutive ones, fitted at the oldest of them."""

_STEPS_PER_CUTOFF = 16
_STEPS_PER_FOLD = 24
_FEWEST_ROWS = 500
_MOST_CUTOFFS = 52
_FEWEST_CUTOFFS = 13
_SERIES_SUMMARISED = 1_000_000
"""Series × cutoffs that are summarised for one table of rows, unless so many are needed."""

_SPANS = {"up to 30": 30, "31-60": 60, "61-90": 90, "91-180": 180, "181-365": FURTHEST_STEP}


@dataclass(frozen=True)
class LongRange:
    """What forecasts dates beyond the horizon.

    Attributes:
        forecaster: Fitted on all sales; None if they are too short for it.
        furthest_step: Days ahead that the backtest tried and that are answered; 0 without one.
    """

    forecaster: Forecaster | None
    furthest_step: int


def plan_folds(panel: PanelParts, horizon: int) -> list[int]:
    """Return the cutoffs of the backtest, the oldest first; none if the sales are too short."""
    last = panel.n_days - 1
    longest = min(FURTHEST_STEP, last - _LEAST_HISTORY)
    spans = [round(share * longest) for share in _SHARES_OF_LONGEST]
    return [last - span for span in spans if span > horizon]


def train_long_range(
    panel: PanelParts, training: TrainingParameters, settings: dict[str, Any], encoding: Encoding
) -> tuple[LongRange, pd.DataFrame]:
    """Backtest and fit the model for dates beyond the horizon.

    Three fits forecast all cutoffs of the backtest: each consecutive ones, fitted at the oldest of
    them, so that it has seen none of their days.

    Args:
        panel: All sales.
        training: What to fit.
        settings: The model library's own parameters.
        encoding: Codes of attributes, those of the other fits.

    Returns:
        The model and the forecasts of its backtest beside what was sold, as
        `compare_with_sales` gives them, with `seasonal_naive_year`. A fold's quantiles come from
        the other folds' errors.
    """
    folds = plan_folds(panel, training.horizon)
    if folds:
        rows = _assemble_rows(panel, training, encoding)
        folds = [day for day in folds if len(rows.known_on(day)) >= _FEWEST_ROWS]
    if not folds:
        logger.info("No forecasts beyond %d days: the sales are too short.", training.horizon)
        return LongRange(None, 0), pd.DataFrame()
    logger.info("Beyond %d days: backtest and fit", training.horizon)
    tables = []
    for days in np.array_split(folds, min(_FITS, len(folds))):
        forecaster = _fit(rows, panel, int(days[0]), training, settings, encoding)
        tables += [_forecast_fold(forecaster, panel, day, training) for day in days.tolist()]
    final = replace(
        _fit(rows, panel, panel.n_days - 1, training, settings, encoding),
        intervals=Intervals.of_table(pd.concat(tables)),
    )
    forecasts = pd.concat(with_intervals_of_others(tables), ignore_index=True)
    return LongRange(final, panel.n_days - 1 - folds[0]), forecasts


def with_intervals_of_others(folds: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Give each fold bounds from the other folds' errors (from its own if it is the only one)."""
    tables = []
    for i, fold in enumerate(folds):
        others = folds[:i] + folds[i + 1 :] or folds
        tables.append(fold.assign(**Intervals.of_table(pd.concat(others)).predict_table(fold)))
    return tables


def name_steps(steps: pd.Series) -> pd.Series:
    """Return the span of days ahead in which each step lies: up to 30, 31-60, … 181-365."""
    return pd.cut(steps, [0, *_SPANS.values()], labels=list(_SPANS))


def _assemble_rows(panel: PanelParts, training: TrainingParameters, encoding: Encoding) -> Rows:
    names = feature_names_of(training.model, training.feature_set)
    return RowPlan.of(panel, _choose_windows(panel, training), names, encoding).gather(panel)


def _choose_windows(panel: PanelParts, training: TrainingParameters) -> list[TrainingDay]:
    generator = np.random.default_rng([training.seed, panel.n_days])
    days = _choose_cutoffs(panel, training.horizon)
    n_series = max(training.max_long_range_rows // (len(days) * _STEPS_PER_CUTOFF), 1)
    windows = []
    for day in days.tolist():
        steps = _choose_steps(generator, training.horizon, panel.n_days - 1 - day)
        rows = np.flatnonzero(panel.first_sale <= day)
        if len(rows) > n_series:
            rows = np.sort(generator.choice(rows, n_series, replace=False))
        windows.append(TrainingDay(day, steps, rows))
    return windows


def _choose_cutoffs(panel: PanelParts, horizon: int) -> np.ndarray:
    """Return past days, evenly spread over all that have sales behind and before them."""
    possible = np.arange(MIN_HISTORY, panel.n_days - 1 - horizon)
    affordable = _SERIES_SUMMARISED // max(panel.n_series, 1)
    most = int(np.clip(affordable, _FEWEST_CUTOFFS, _MOST_CUTOFFS))
    n_cutoffs = int(np.clip(len(possible) // WEEK, 1, most))
    return possible[np.linspace(0, len(possible) - 1, n_cutoffs).astype(int)]


def _choose_steps(generator: np.random.Generator, horizon: int, n_ahead: int) -> np.ndarray:
    """Choose some steps beyond the horizon whose sales are known."""
    possible = np.arange(horizon + 1, min(FURTHEST_STEP, n_ahead) + 1)
    n_steps = min(_STEPS_PER_CUTOFF, len(possible))
    return np.sort(generator.choice(possible, n_steps, replace=False))


def _fit(
    rows: Rows,
    panel: PanelParts,
    day: int,
    training: TrainingParameters,
    settings: dict[str, Any],
    encoding: Encoding,
) -> Forecaster:
    known = rows.known_on(day)
    names = feature_names_of(training.model, training.feature_set)
    matrix = known.matrix if needs_fitting(training.model) else known.matrix[:0]
    model = fit_model(
        training.model, names, matrix, known.target, known.weight, settings, training.seed
    )
    cutoff = str(panel.date_of(day))
    return Forecaster(training.model, model, encoding, Intervals.unknown(), cutoff)


def _forecast_fold(
    forecaster: Forecaster, panel: PanelParts, day: int, training: TrainingParameters
) -> pd.DataFrame:
    furthest = panel.n_days - 1 - day
    spread = np.linspace(training.horizon + 1, furthest, _STEPS_PER_FOLD)
    steps = np.unique(spread.astype(int))
    rows = np.flatnonzero(panel.first_sale <= day)
    n_series = max(training.max_long_range_rows // (len(_SHARES_OF_LONGEST) * len(steps)), 1)
    if len(rows) > n_series:
        generator = np.random.default_rng([training.seed, day])
        rows = np.sort(generator.choice(rows, n_series, replace=False))
    table = compare_with_sales(forecaster, panel, day, steps, rows)
    names = (SEASONAL_NAIVE, "year_ago")
    plan = RowPlan.of(panel, [TrainingDay(day, steps, rows)], names, forecaster.encoding)
    known = plan.gather(panel).matrix
    year_ago = np.where(np.isnan(known[:, 1]), known[:, 0], known[:, 1])
    return table.assign(**{YEARLY_NAIVE: np.expm1(year_ago)})
