"""Parameters in, a folder of raw tables out."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.simulate.nodes import simulate_raw_tables


def create_pipeline(**_: object) -> Pipeline:
    """Create the pipeline that simulates the raw tables."""
    return Pipeline(
        [
            node(
                simulate_raw_tables,
                inputs="params:simulation",
                outputs="simulated_raw",
                name="simulate_raw_tables",
            ),
        ]
    )
