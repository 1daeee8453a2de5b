"""Makes the simulated raw tables, and files of single days."""

from grocery_demand.pipelines.simulate.pipeline import create_days_pipeline, create_pipeline

__all__ = ["create_days_pipeline", "create_pipeline"]
