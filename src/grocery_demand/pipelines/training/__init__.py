"""Training: backtest, scores beside the baselines, final fit, challenger."""

from grocery_demand.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
