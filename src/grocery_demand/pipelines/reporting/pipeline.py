"""Wiring of the reporting pipeline."""

from collections.abc import Callable

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.reporting import nodes

_OVER_TIME = ["panel", "holdout_forecasts", "forecasts", "report_subject"]
_ERRORS = ["scores", "holdout_forecasts", "report_subject"]
_WHOSE = ["champion", "verdict", "data_quality", "panel", "scores", "forecasts"]
_CARD = ["champion", "verdict", "scores", "data_quality", "report_subject"]

_FIGURES: dict[str, tuple[Callable[..., object], list[str]]] = {
    "forecast_examples_figure": (nodes.draw_forecast_examples, _OVER_TIME),
    "total_sales_figure": (nodes.draw_total_sales, _OVER_TIME),
    "error_by_step_figure": (nodes.draw_error_by_step, _ERRORS),
    "error_by_family_figure": (nodes.draw_error_by_family, _ERRORS),
    "error_by_store_figure": (nodes.draw_error_by_store, _ERRORS),
    "interval_calibration_figure": (nodes.draw_interval_calibration, _ERRORS),
    "feature_importance_figure": (
        nodes.draw_feature_importance,
        ["feature_importance", "report_subject"],
    ),
}


def create_pipeline(**_: object) -> Pipeline:
    """From scores, verdict and forecasts to figures, model card and report."""
    figures = [
        node(function, inputs, name, name=function.__name__)
        for name, (function, inputs) in _FIGURES.items()
    ]
    return Pipeline(
        [
            node(nodes.identify_subject, _WHOSE, "report_subject", name="identify_subject"),
            *figures,
            node(nodes.write_model_card, _CARD, "model_card", name="write_model_card"),
            node(
                nodes.compose_report,
                ["report_subject", "model_card", *_FIGURES],
                "report",
                name="compose_report",
            ),
        ],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
    )
