"""Nodes of the reporting pipeline."""

import logging
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.table_parts import Table
from grocery_demand.pipelines.reporting import error_figures, series_figures
from grocery_demand.pipelines.reporting.examples import choose_examples
from grocery_demand.pipelines.reporting.model_card import write_card
from grocery_demand.pipelines.reporting.page import build_page
from grocery_demand.pipelines.reporting.subject import (
    Subject,
    describe_subject,
    refuse_mixed_parts,
)

logger = logging.getLogger(__name__)


def identify_subject(
    champion: ModelVersion,
    verdict: dict[str, Any],
    data_quality: dict[str, Any],
    panel: PanelParts,
    scores: pd.DataFrame,
    forecasts: Table,
) -> Subject:
    """Say whose scores and forecasts these are, so that no title and no sentence is wrong.

    Raises:
        MixedReportError: If they stem from different data or models.
    """
    refuse_mixed_parts(champion, verdict, panel, scores, forecasts)
    return describe_subject(champion, verdict, data_quality)


def draw_forecast_examples(
    panel: PanelParts, holdout_forecasts: pd.DataFrame, forecasts: Table, subject: Subject
) -> go.Figure:
    """Draw forecast against sales for some series."""
    examples = choose_examples(panel)
    return series_figures.draw_examples(panel, holdout_forecasts, forecasts, examples, subject)


def draw_total_sales(
    panel: PanelParts, holdout_forecasts: pd.DataFrame, forecasts: Table, subject: Subject
) -> go.Figure:
    """Draw the sales of all series together beside their forecasts."""
    return series_figures.draw_totals(panel, holdout_forecasts, forecasts, subject)


def draw_error_by_step(
    scores: pd.DataFrame, holdout_forecasts: pd.DataFrame, subject: Subject
) -> go.Figure:
    """Draw the error of each day ahead beside the baselines'."""
    return error_figures.draw_error_by_step(scores, holdout_forecasts, subject)


def draw_error_by_family(
    scores: pd.DataFrame, holdout_forecasts: pd.DataFrame, subject: Subject
) -> go.Figure:
    """Draw the error of each family beside the baselines'."""
    return error_figures.draw_error_by_slice(scores, holdout_forecasts, subject, "family", "family")


def draw_error_by_store(
    scores: pd.DataFrame, holdout_forecasts: pd.DataFrame, subject: Subject
) -> go.Figure:
    """Draw the error of each store beside the baselines'."""
    return error_figures.draw_error_by_slice(
        scores, holdout_forecasts, subject, "store_nbr", "store"
    )


def draw_interval_calibration(
    scores: pd.DataFrame, holdout_forecasts: pd.DataFrame, subject: Subject
) -> go.Figure:
    """Draw how many days fell below each quantile and within the interval."""
    return error_figures.draw_calibration(scores, holdout_forecasts, subject)


def draw_feature_importance(feature_importance: pd.DataFrame, subject: Subject) -> go.Figure:
    """Draw the features that the model gains most from."""
    return error_figures.draw_importance(feature_importance, subject)


def write_model_card(
    champion: ModelVersion,
    verdict: dict[str, Any],
    scores: pd.DataFrame,
    data_quality: dict[str, Any],
    subject: Subject,
) -> str:
    """Write the champion's model card."""
    return write_card(champion, verdict, scores, data_quality, subject)


def compose_report(subject: Subject, model_card: str, *figures: go.Figure) -> str:
    """Put the model card and the figures on one web page."""
    logger.info("Report: the model card and %d figures of %s.", len(figures), subject.champion)
    return build_page(f"Grocery demand, {subject.champion}", model_card, figures)
