"""Wiring of the publishing pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.publishing.nodes import publish_champion, publish_model_card


def create_pipeline(**_: object) -> Pipeline:
    """From the champion and the panel to what the web app serves."""
    return Pipeline(
        [
            node(
                publish_champion,
                inputs=["champion", "panel"],
                outputs="publication",
                name="publish_champion",
            )
        ]
    )


def create_card_pipeline(**_: object) -> Pipeline:
    """From the model card to the web app's model page."""
    return Pipeline(
        [
            node(
                publish_model_card,
                inputs=["champion", "model_card"],
                outputs="published_card",
                name="publish_model_card",
            )
        ]
    )
