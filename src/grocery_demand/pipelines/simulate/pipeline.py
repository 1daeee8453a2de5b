"""Parameters in, a folder of raw tables out; or files of single days."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.simulate.nodes import simulate_daily_files, simulate_raw_tables


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


def create_days_pipeline(**_: object) -> Pipeline:
    """Create the pipeline that simulates the files of the days to come."""
    return Pipeline(
        [
            node(
                simulate_daily_files,
                inputs=["params:simulation", "params:daily_files"],
                outputs="incoming_files",
                name="simulate_daily_files",
            ),
        ]
    )
