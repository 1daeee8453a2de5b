"""Training: fit, backtest, score on the holdout, fit again on everything."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.backtest import (
    TrainingDay,
    TrainingParameters,
    choose_backtest_rows,
    choose_training_days,
    compare_with_sales,
    plan_cutoffs,
    scored_rows,
)
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import AheadFeature, Encoding, Snapshot
from grocery_demand.core.forecaster import Forecaster, TrainedModel
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.long_range import LongRange, with_intervals_of_others
from grocery_demand.core.models import PointModel, feature_names_of, fit_model, needs_fitting
from grocery_demand.core.monitoring.promise import make_promise
from grocery_demand.core.panel import Panel

logger = logging.getLogger(__name__)

_EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Backtest:
    """Forecasts made out of sample, beside what was sold.

    Attributes:
        folds: Of the cutoffs before the holdout; see `compare_with_sales`.
        holdout: Of the last days, by a model that saw none of them.
        holdout_forecaster: The model that made them.
    """

    folds: pd.DataFrame
    holdout: pd.DataFrame
    holdout_forecaster: Forecaster


def run_backtest(panel: Panel, training: TrainingParameters, settings: dict[str, Any]) -> Backtest:
    """Forecast from each cutoff of the backtest and from the holdout's.

    A model may serve several folds: it is fitted at the oldest of them and has seen none of their
    days. A fold's intervals come from the other folds' errors, the holdout's from all folds', so
    that no interval was fitted on what it is scored with.

    Args:
        panel: All sales.
        training: What to fit.
        settings: The model library's own parameters.
    """
    cutoffs = plan_cutoffs(panel, training)
    encoding = Encoding.fit(panel.series)
    steps = np.arange(1, training.horizon + 1)
    folds = []
    for days in np.array_split(cutoffs.folds, min(training.backtest_fits, len(cutoffs.folds))):
        logger.info("Backtest: fitting up to %s", panel.date_of(days[-1]))
        forecaster = _fit(panel, int(days[-1]), training, settings, encoding)
        for day in days:
            rows = choose_backtest_rows(panel, int(day), len(cutoffs.folds), training)
            folds.append(compare_with_sales(forecaster, panel, int(day), steps, rows))
    holdout_forecaster = replace(
        _fit(panel, cutoffs.holdout, training, settings, encoding),
        intervals=Intervals.of_table(pd.concat(folds)),
    )
    logger.info("Holdout: scoring %s days after %s", training.horizon, holdout_forecaster.cutoff)
    return Backtest(
        folds=pd.concat(with_intervals_of_others(folds), ignore_index=True),
        holdout=compare_with_sales(holdout_forecaster, panel, cutoffs.holdout, steps),
        holdout_forecaster=holdout_forecaster,
    )


def fit_final_model(
    panel: Panel,
    training: TrainingParameters,
    settings: dict[str, Any],
    backtest: Backtest,
    metrics: dict[str, float],
    long_range: LongRange | None = None,
) -> TrainedModel:
    """Fit on everything; intervals come from all out-of-sample errors, the holdout's included."""
    long_range = long_range or LongRange(None, 0)
    day = panel.n_days - 1
    logger.info("Final fit on all sales up to %s", panel.cutoff)
    encoding = backtest.holdout_forecaster.encoding
    errors = pd.concat([backtest.folds, backtest.holdout])
    final = replace(
        _fit(panel, day, training, settings, encoding), intervals=Intervals.of_table(errors)
    )
    return TrainedModel(
        final=final,
        holdout=backtest.holdout_forecaster,
        long_range=long_range.forecaster,
        metadata=_describe(panel, training, settings, backtest, metrics)
        | {"furthest_step": max(long_range.furthest_step, training.horizon)},
        input_example=_example(panel, final),
    )


def fit_point_model(
    panel: Panel,
    day: int,
    training: TrainingParameters,
    settings: dict[str, Any],
    encoding: Encoding,
) -> PointModel:
    """Fit a point model on what is known at the end of a day."""
    names = feature_names_of(training.model, training.feature_set)
    if needs_fitting(training.model):
        rows = assemble_rows(panel, day, training, names, encoding)
    else:
        rows = (np.empty((0, len(names)), np.float32), np.empty(0), np.empty(0))
    return fit_model(training.model, names, *rows, settings, training.seed)


def assemble_rows(
    panel: Panel,
    day: int,
    training: TrainingParameters,
    names: tuple[str, ...],
    encoding: Encoding,
    tried: Mapping[str, AheadFeature] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a model fitted at the end of a day learns from.

    With features in `tried` that the library does not know, by name.

    Returns:
        Features float32 [row, feature], ln(1+units) float32 [row] and weights float32 [row].

    Raises:
        DataShortageError: If no series was observed in any of the chosen windows.
    """
    days = choose_training_days(panel, day, training)
    found = collect_rows(panel, days, names, encoding, tried)
    if not len(found[1]):
        raise DataShortageError(
            f"No series has sales to learn from up to {panel.date_of(day)} within "
            f"{training.max_training_rows} rows: give more days, or raise the budget with "
            "--params training.max_training_rows=…"
        )
    return found


def collect_rows(
    panel: Panel,
    chosen: Iterable[TrainingDay],
    names: tuple[str, ...],
    encoding: Encoding,
    tried: Mapping[str, AheadFeature] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, ln(1+units) and weights of the rows that count; see `scored_rows`.

    Args:
        panel: Sales and plan.
        chosen: Which cutoffs, series and steps.
        names: The features wanted, in this order.
        encoding: The vocabulary.
        tried: Features that the library does not know, by name.

    Returns:
        float32 [row, feature], [row] and [row]; no rows at all if none counts.
    """
    blocks = [np.empty((len(names), 0), np.float32)]
    targets, weights = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for at in chosen:
        known = Snapshot(panel, at.day, tried or {})
        counted = scored_rows(panel, at.day, at.steps, at.rows).ravel()
        matrix = known.features(encoding, at.steps, names, at.rows)
        blocks.append(np.compress(counted, matrix.T, axis=1))
        units = panel.units[at.rows[:, None], at.day + at.steps].ravel()
        targets.append(np.log1p(units[counted]))
        weights.append(np.repeat(panel.weights[at.rows], len(at.steps))[counted])
    return np.concatenate(blocks, axis=1).T, np.concatenate(targets), np.concatenate(weights)


def _fit(
    panel: Panel,
    day: int,
    training: TrainingParameters,
    settings: dict[str, Any],
    encoding: Encoding,
) -> Forecaster:
    return Forecaster(
        name=training.model,
        model=fit_point_model(panel, day, training, settings, encoding),
        encoding=encoding,
        intervals=Intervals.unknown(),
        cutoff=str(panel.date_of(day)),
    )


def _describe(
    panel: Panel,
    training: TrainingParameters,
    settings: dict[str, Any],
    backtest: Backtest,
    metrics: dict[str, float],
) -> dict[str, Any]:
    """Return what the fitted model was given and how it scored."""
    return {
        "model": training.model,
        "feature_set": training.feature_set,
        "features": len(backtest.holdout_forecaster.feature_names),
        "horizon": training.horizon,
        "seed": training.seed,
        "training": asdict(training),
        "settings": settings,
        "data_digest": panel.digest,
        "simulated": panel.simulated,
        "start_date": str(panel.start_date),
        "cutoff": str(panel.cutoff),
        "holdout_cutoff": backtest.holdout_forecaster.cutoff,
        "series": len(panel.series),
        "stores": len(panel.stores),
        "items": int(panel.series["item_nbr"].nunique()),
        "metrics": metrics,
        "promise": make_promise(panel, backtest.folds, backtest.holdout).to_dict(),
    }


def _example(panel: Panel, forecaster: Forecaster) -> pd.DataFrame:
    rows = np.arange(min(_EXAMPLE_ROWS, len(panel.series)))
    known = Snapshot(panel, panel.n_days - 1)
    names = forecaster.input_names
    matrix = known.features(forecaster.encoding, np.array([1]), names, rows)
    return pd.DataFrame(matrix.astype(float), columns=list(names))
