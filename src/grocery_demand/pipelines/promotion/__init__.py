"""Promotion: the gate between a challenger and the champion."""

from grocery_demand.pipelines.promotion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
