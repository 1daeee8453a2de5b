"""Makes the simulated raw tables."""

from grocery_demand.pipelines.simulate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
