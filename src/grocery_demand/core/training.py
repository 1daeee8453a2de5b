"""Training: fit, backtest, score on the holdout, fit again on everything."""

import logging
from collections.abc import Mapping, Sequence
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
    count_fits,
    plan_cutoffs,
)
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import AheadFeature, Encoding, ItemSums, Snapshot, sum_items
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.long_range import LongRange, with_intervals_of_others
from grocery_demand.core.models import PointModel, feature_names_of, fit_model, needs_fitting
from grocery_demand.core.monitoring.promise import make_promise
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.rows import Recipe, RowPlan, make_rows
from grocery_demand.core.trained_model import TrainedModel

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


def run_backtest(
    panel: PanelParts, training: TrainingParameters, settings: dict[str, Any]
) -> Backtest:
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
    encoding = Encoding.fit_parts(panel)
    steps = np.arange(1, training.horizon + 1)
    folds = []
    for days in np.array_split(cutoffs.folds, count_fits(len(cutoffs.folds), training)):
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
    rows = choose_backtest_rows(panel, cutoffs.holdout, 1, training)
    return Backtest(
        folds=pd.concat(with_intervals_of_others(folds), ignore_index=True),
        holdout=compare_with_sales(holdout_forecaster, panel, cutoffs.holdout, steps, rows),
        holdout_forecaster=holdout_forecaster,
    )


def fit_final_model(
    panel: PanelParts,
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
    panel: PanelParts,
    day: int,
    training: TrainingParameters,
    settings: dict[str, Any],
    encoding: Encoding,
) -> PointModel:
    """Fit a point model on what is known at the end of a day.

    Raises:
        DataShortageError: If no series was observed in any of the chosen windows.
    """
    names = feature_names_of(training.model, training.feature_set)
    if not needs_fitting(training.model):
        nothing = (np.empty((0, len(names)), np.float32), np.empty(0), np.empty(0))
        return fit_model(training.model, names, *nothing, settings, training.seed)
    shortage = _explain_shortage(panel, day, training)
    recipe = Recipe(training.model, names, settings, training.seed, shortage)
    chosen = choose_training_days(panel, day, training)
    recipe.require_rows(len(chosen))
    plan = RowPlan.of(panel, chosen, names, encoding)
    return panel.learn(recipe, make_rows, *plan.shared, own=plan.windows)


def assemble_rows(
    panel: PanelParts,
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
    """
    chosen = choose_training_days(panel, day, training)
    found = collect_rows(panel, chosen, names, encoding, tried)
    if not len(found[1]):
        raise DataShortageError(_explain_shortage(panel, day, training))
    return found


def collect_rows(
    panel: PanelParts,
    chosen: Sequence[TrainingDay],
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
    rows = RowPlan.of(panel, chosen, names, encoding, tried).gather(panel)
    return rows.matrix, rows.target, rows.weight


def _explain_shortage(panel: PanelParts, day: int, training: TrainingParameters) -> str:
    return (
        f"No series has sales to learn from up to {panel.date_of(day)} within "
        f"{training.max_training_rows} rows: give more days, or raise the budget with "
        "--params training.max_training_rows=…"
    )


def _fit(
    panel: PanelParts,
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
    panel: PanelParts,
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
        **_count(panel),
        "metrics": metrics,
        "promise": make_promise(panel, backtest.folds, backtest.holdout).to_dict(),
    }


def _count(panel: PanelParts) -> dict[str, int]:
    """Return the numbers of series, stores and items."""
    found = panel.map(_list_stores_and_items)
    items = np.unique(np.concatenate([items for _, items in found]))
    stores = sum(n_stores for n_stores, _ in found)
    return {"series": panel.n_series, "stores": stores, "items": len(items)}


def _list_stores_and_items(part: Panel) -> tuple[int, np.ndarray]:
    return len(part.stores), part.series["item_nbr"].unique()


def _example(panel: PanelParts, forecaster: Forecaster) -> pd.DataFrame:
    """Return the features of the first series on the day after the cutoff."""
    first = np.arange(min(_EXAMPLE_ROWS, panel.n_series))
    day, names = panel.n_days - 1, forecaster.input_names
    items, own = sum_items(panel, [day])[0], panel.split(first)
    found = panel.map(_example_in_part, day, forecaster.encoding, names, items, own=own)
    return pd.DataFrame(np.concatenate(found).astype(float), columns=list(names))


def _example_in_part(
    part: Panel,
    rows: np.ndarray,
    day: int,
    encoding: Encoding,
    names: tuple[str, ...],
    items: ItemSums | None,
) -> np.ndarray:
    if not len(rows):
        return np.empty((0, len(names)), np.float32)
    return Snapshot(part, day, all_stores=items).features(encoding, np.array([1]), names, rows)
