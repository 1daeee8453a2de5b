"""Wiring of the promotion pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.promotion.nodes import judge_challenger, promote_challenger


def create_pipeline(**_: object) -> Pipeline:
    """From a challenger to a verdict, and to a champion."""
    return Pipeline(
        [
            node(
                judge_challenger,
                inputs=[
                    "challenger",
                    "challenger_identity",
                    "incumbent",
                    "holdout_forecasts",
                    "panel",
                    "params:gate",
                    "params:rollout",
                ],
                outputs="verdict",
                name="judge_challenger",
            ),
            node(
                promote_challenger,
                inputs="verdict",
                outputs="champion",
                name="promote_challenger",
            ),
        ]
    )
