"""Reporting: figures, the champion's model card, and both on one page."""

from grocery_demand.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
