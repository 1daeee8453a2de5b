"""Update: days that arrive as files join sales and panel, without reading the history again."""

from grocery_demand.pipelines.update.pipeline import create_pipeline

__all__ = ["create_pipeline"]
