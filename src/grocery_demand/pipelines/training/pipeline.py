"""Wiring of the training pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.training.nodes import (
    backtest_model,
    choose_settings,
    compare_with_baselines,
    fit_challenger,
    score_forecasts,
    train_beyond_horizon,
)


def create_pipeline(**_: object) -> Pipeline:
    """From the panel to a scored challenger in the registry."""
    return Pipeline(
        [
            node(
                choose_settings,
                inputs=["params:training", "params:model_settings"],
                outputs="chosen_settings",
                name="choose_settings",
            ),
            node(
                backtest_model,
                inputs=["panel", "params:training", "chosen_settings"],
                outputs=["backtest_forecasts", "holdout_forecasts", "holdout_forecaster"],
                name="backtest_model",
            ),
            node(
                train_beyond_horizon,
                inputs=["panel", "params:training", "chosen_settings", "holdout_forecaster"],
                outputs=["long_range", "long_range_forecasts"],
                name="train_beyond_horizon",
            ),
            node(
                score_forecasts,
                inputs=[
                    "backtest_forecasts",
                    "holdout_forecasts",
                    "long_range_forecasts",
                    "params:training",
                ],
                outputs=["scores", "metrics"],
                name="score_forecasts",
            ),
            node(
                compare_with_baselines,
                inputs=["scores", "params:training"],
                outputs=["error_by_step", "error_by_family"],
                name="compare_with_baselines",
            ),
            node(
                fit_challenger,
                inputs=[
                    "panel",
                    "params:training",
                    "chosen_settings",
                    "backtest_forecasts",
                    "holdout_forecasts",
                    "holdout_forecaster",
                    "long_range",
                    "metrics",
                ],
                outputs=["challenger", "challenger_identity", "feature_importance"],
                name="fit_challenger",
            ),
        ],
        namespace="training",
        prefix_datasets_with_namespace=False,
    )
