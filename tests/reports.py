"""Reports made on a catalog in memory, and ways to look into them."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.panel import Panel
from grocery_demand.pipelines import forecasting, reporting
from grocery_demand.pipelines.forecasting.nodes import ForecastingParameters
from runs import run_pipeline

FIGURES = {
    "forecast_examples_figure",
    "total_sales_figure",
    "error_by_step_figure",
    "error_by_family_figure",
    "error_by_store_figure",
    "interval_calibration_figure",
    "feature_importance_figure",
}

NO_PLAN = pd.DataFrame({"date": pd.to_datetime([]), "store_nbr": [], "item_nbr": [], "id": []})


def forecast(champion: ModelVersion, panel: Panel) -> pd.DataFrame:
    """Return the champion's forecasts of the coming days."""
    contents = {
        "champion": champion,
        "served_challenger": None,
        "panel": panel,
        "params:forecasting": ForecastingParameters(),
        "params:monitoring": MonitoringParameters(),
        "promotion_plan": NO_PLAN,
    }
    return run_pipeline(forecasting.create_pipeline(), contents)["forecasts"]


def report(
    parts: Mapping[str, object], made: dict[str, object] | None = None, **others: object
) -> dict[str, object]:
    """Report on the parts, some of them replaced by others; return all that was made."""
    return run_pipeline(reporting.create_pipeline(), parts | others, made)


def make(
    wanted: list[str] | tuple[str, ...], parts: Mapping[str, object], **others: object
) -> dict[str, object]:
    """Make some of a report's outputs only."""
    pipeline = reporting.create_pipeline().to_outputs(*wanted)
    return run_pipeline(pipeline, parts | others)


def trace_of(figure: go.Figure, name: str) -> go.Scatter | go.Bar:
    """Return the trace of a figure that has a name."""
    return next(trace for trace in figure.data if trace.name == name)


def holdout_scores(
    parts: Mapping[str, object], slice_name: str, model: str = "lightgbm"
) -> pd.DataFrame:
    """Return a model's scores by value of a slice, which is the index."""
    wanted = f"evaluation == 'holdout' and slice == '{slice_name}' and model == '{model}'"
    return parts["scores"].query(wanted).set_index("value")
