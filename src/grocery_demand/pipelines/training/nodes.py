"""Nodes of the training pipeline."""

from typing import Any

import pandas as pd

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import ParameterError
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.long_range import (
    YEARLY_NAIVE,
    LongRange,
    name_steps,
    train_long_range,
)
from grocery_demand.core.model_version import identify_model
from grocery_demand.core.models import BASELINES, needs_fitting
from grocery_demand.core.models.settings import require_settings
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.scores import compare_errors, score_table, summarise_scores
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import Backtest, fit_final_model, run_backtest


def choose_settings(
    training: TrainingParameters, model_settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the library's own parameters of the chosen model; a baseline has none.

    Raises:
        ParameterError: If there are none for the model, or it cannot be fitted with them.
    """
    if not needs_fitting(training.model):
        return {}
    if training.model not in model_settings:
        raise ParameterError(
            f"`model_settings` in conf/base/parameters.yml has no entry `{training.model}`; "
            f"it has: {', '.join(model_settings)}."
        )
    settings = model_settings[training.model]
    require_settings(training.model, settings)
    return settings


def backtest_model(
    panel: PanelParts, training: TrainingParameters, settings: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, Forecaster]:
    """Forecast from past cutoffs and from the holdout's, by models that saw nothing later."""
    backtest = run_backtest(panel, training, settings)
    return backtest.folds, backtest.holdout, backtest.holdout_forecaster


def train_beyond_horizon(
    panel: PanelParts,
    training: TrainingParameters,
    settings: dict[str, Any],
    holdout_forecaster: Forecaster,
) -> tuple[LongRange, pd.DataFrame]:
    """Backtest and fit the model for dates beyond the horizon, up to a year ahead."""
    return train_long_range(panel, training, settings, holdout_forecaster.encoding)


def score_forecasts(
    backtest_forecasts: pd.DataFrame,
    holdout_forecasts: pd.DataFrame,
    long_range_forecasts: pd.DataFrame,
    training: TrainingParameters,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the model beside the baselines; return the table by slice and the totals."""
    tables = {"backtest": backtest_forecasts, "holdout": holdout_forecasts}
    parts = [score_table(table, training.model, name) for name, table in tables.items()]
    if not long_range_forecasts.empty:
        far = long_range_forecasts.assign(step=name_steps(long_range_forecasts["step"]))
        baselines = (*BASELINES, YEARLY_NAIVE)
        parts.append(score_table(far, training.model, "long_range", baselines))
    scores = pd.concat(parts, ignore_index=True)
    return scores, summarise_scores(scores, training.model)


def compare_with_baselines(
    scores: pd.DataFrame, training: TrainingParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put the holdout's errors beside the baselines', by step ahead and by family."""
    tables = [compare_errors(scores, training.model, name) for name in ("step", "family")]
    return tables[0], tables[1]


def fit_challenger(  # noqa: PLR0913
    panel: PanelParts,
    training: TrainingParameters,
    settings: dict[str, Any],
    backtest_forecasts: pd.DataFrame,
    holdout_forecasts: pd.DataFrame,
    holdout_forecaster: Forecaster,
    long_range: LongRange,
    metrics: dict[str, float],
) -> tuple[TrainedModel, dict[str, Any], pd.DataFrame]:
    """Fit the model on all sales.

    Returns:
        The model; what it is, by which the gate knows it again; each feature's share of its gain.
    """
    backtest = Backtest(backtest_forecasts, holdout_forecasts, holdout_forecaster)
    challenger = fit_final_model(panel, training, settings, backtest, metrics, long_range)
    forecaster = challenger.final
    importance = pd.DataFrame(
        {"feature": forecaster.feature_names, "importance": forecaster.model.importance()}
    )
    importance = importance.sort_values("importance", ascending=False, ignore_index=True)
    return challenger, identify_model(challenger), importance
