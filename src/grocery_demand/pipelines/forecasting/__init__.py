"""Forecasting: the champion's forecasts for every series and day of the horizon."""

from grocery_demand.pipelines.forecasting.pipeline import create_forecasts_pipeline, create_pipeline

__all__ = ["create_forecasts_pipeline", "create_pipeline"]
