"""Monitoring: events, stored forecasts and new sales; what they say, and whether to retrain."""

from grocery_demand.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
