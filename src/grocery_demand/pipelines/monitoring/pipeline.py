"""Wiring of the monitoring pipeline."""

from collections.abc import Callable

from kedro.pipeline import Pipeline, node

from grocery_demand.pipelines.monitoring import advice_nodes, challenger_nodes, figures, nodes

_P = "params:monitoring"
_CHECKS = [
    "feed_checks",
    "live_error_checks",
    "drift_checks",
    "skew_checks",
    "outputs_checks",
    "explanation_checks",
    "fairness_checks",
    "challenger_checks",
    "age_checks",
    "usage_checks",
]
"""In the order in which they are shown."""

_TABLES = [
    "monitored_live_windows",
    "monitored_live_scores",
    "monitored_sales_drift",
    "monitored_feature_skew",
    "monitored_outputs",
    "monitored_explanations",
    "monitored_fairness",
]
_STEPS: dict[Callable[..., object], tuple[list[str], str | list[str]]] = {
    nodes.take_events: (["events"], "served_events"),
    nodes.check_feed: (
        ["panel", "new_data_report", "champion", _P],
        ["wrong_days", "feed_checks"],
    ),
    nodes.compare_with_new_sales: (
        ["forecast_archive", "panel", "champion", "wrong_days", _P],
        "live_forecasts",
    ),
    nodes.measure_live_error: (
        ["live_forecasts", "panel", "champion", "wrong_days", _P],
        ["monitored_live_windows", "monitored_live_scores", "live_error_checks"],
    ),
    nodes.measure_drift: (
        ["panel", "champion", "wrong_days", _P],
        ["monitored_sales_drift", "drift_checks"],
    ),
    nodes.measure_skew: (
        ["served_events", "panel", "champion", _P],
        ["monitored_feature_skew", "skew_checks"],
    ),
    nodes.measure_outputs: (
        ["panel", "forecasts", "champion", "wrong_days", _P],
        ["monitored_outputs", "outputs_checks"],
    ),
    nodes.explain_forecasts: (
        ["panel", "champion", _P],
        ["monitored_explanations", "explanation_checks"],
    ),
    nodes.measure_fairness: (
        ["live_forecasts", "champion", _P],
        ["monitored_fairness", "fairness_checks"],
    ),
    challenger_nodes.compare_challenger: (
        ["live_forecasts", "forecast_archive", "served_events", "champion", "served_challenger",
         _P],
        ["monitored_challenger", "challenger_comparison", "challenger_checks"],
    ),
    nodes.count_usage: (["served_events", _P], ["monitored_usage", "usage_checks"]),
    advice_nodes.check_model_age: (["panel", "champion", _P], "age_checks"),
    advice_nodes.gather_checks: (_CHECKS, "checks"),
    advice_nodes.advise_retraining: (
        ["checks", "panel", "champion", "newest_training", "former_monitoring", _P],
        ["monitored_checks", "retraining_advice", "monitoring_metrics"],
    ),
    advice_nodes.summarise_monitoring: (
        ["monitored_checks", "retraining_advice", *_TABLES, "monitored_challenger",
         "challenger_comparison", "served_events", "new_data_report", "panel", "champion"],
        "monitoring_summary",
    ),
}  # fmt: skip
_FIGURES: dict[str, tuple[Callable[..., object], str]] = {
    "live_error_figure": (figures.draw_live_error, "monitored_live_windows"),
    "live_totals_figure": (figures.draw_totals, "monitored_outputs"),
    "sales_drift_figure": (figures.draw_drift, "monitored_sales_drift"),
    "feature_skew_figure": (figures.draw_skew, "monitored_feature_skew"),
    "explanations_figure": (figures.draw_explanations, "monitored_explanations"),
    "fairness_figure": (figures.draw_fairness, "monitored_fairness"),
    "usage_figure": (figures.draw_usage, "monitored_usage"),
}


def create_pipeline(**_: object) -> Pipeline:
    """From events, stored forecasts and new sales to checks, advice and figures."""
    steps = [
        node(
            function,
            inputs,
            made,
            name=function.__name__,
            namespace=None if function.__name__ == "summarise_monitoring" else "checks",
        )
        for function, (inputs, made) in _STEPS.items()
    ]
    drawn = [
        node(
            function,
            [table, "monitoring_summary"],
            name,
            name=function.__name__,
            namespace="figures",
        )
        for name, (function, table) in _FIGURES.items()
    ]
    return Pipeline([*steps, *drawn])
