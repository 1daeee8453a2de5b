"""Wiring of the forecasting pipeline."""

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.forecasting.nodes import forecast_series, make_submission


def create_forecasts_pipeline(**_: object) -> Pipeline:
    """From the champion and the panel to forecasts."""
    return Pipeline(
        [
            node(
                forecast_series,
                inputs=[
                    "champion",
                    "served_challenger",
                    "panel",
                    "params:forecasting",
                    "params:monitoring",
                ],
                outputs=["forecasts", "forecast_archive"],
                name="forecast_series",
            )
        ]
    )


def create_pipeline(**_: object) -> Pipeline:
    """From the champion and the panel to forecasts, and to Kaggle's submission."""
    return create_forecasts_pipeline() + Pipeline(
        [
            node(
                make_submission,
                inputs=["forecasts", "promotion_plan"],
                outputs="submission",
                name="make_submission",
            ),
        ]
    )
