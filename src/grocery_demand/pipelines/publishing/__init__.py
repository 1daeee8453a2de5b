"""Publishing: what the web app needs of the champion, in one place."""

from grocery_demand.pipelines.publishing.pipeline import create_card_pipeline, create_pipeline

__all__ = ["create_card_pipeline", "create_pipeline"]
