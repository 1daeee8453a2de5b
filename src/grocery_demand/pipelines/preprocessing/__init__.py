"""Preprocessing: raw files → checked tables, data-quality report and panel."""

from grocery_demand.pipelines.preprocessing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
