"""Nodes of the update pipeline."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from grocery_demand.core.quality.checking import CheckedTable, check_table
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.report import (
    describe_quality,
    list_quarantined_rows,
)
from grocery_demand.core.quality.tables import Known, promotion_plan_rules, sales_rules

logger = logging.getLogger(__name__)


def check_new_sales(
    new_raw_sales: RawTable,
    new_raw_promotion_plan: RawTable,
    standing_panel: Panel,
    items: pd.DataFrame,
    parameters: QualityParameters,
) -> tuple[pl.DataFrame, pd.DataFrame, dict[str, Any], pd.DataFrame]:
    """Check the new files by the rules of the first ones; rows of days already known are skipped.

    Returns:
        Sales after the panel's cutoff; the promotion plan; the data-quality report; and the
        quarantined rows.

    Raises:
        RawDataError: If no day is new, or the first new one lies too far after the cutoff.
    """
    known = Known(
        stores=pl.Series(standing_panel.stores["store_nbr"].to_numpy()),
        items=pl.Series(items["item_nbr"].to_numpy()),
    )
    sales = check_table(new_raw_sales, sales_rules(parameters, known), parameters)
    plan_rules = promotion_plan_rules(parameters, known)
    plan = check_table(new_raw_promotion_plan, plan_rules, parameters)
    new = _select_new_days(sales, standing_panel, parameters)
    report = describe_quality([sales, plan], new)
    return new, _to_pandas(plan.kept), report, list_quarantined_rows([sales, plan])


def add_new_days(
    standing_panel: Panel,
    checked_new_sales: pl.DataFrame,
    new_promotion_plan: pd.DataFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    new_data_quality: dict[str, Any],
) -> tuple[pl.DataFrame, Panel]:
    """Release the new rows to the sales table and extend the panel by them.

    The panel is stored last: a run that breaks off before can simply be run again.
    """
    panel = extend_panel(
        standing_panel,
        checked_new_sales,
        new_promotion_plan,
        items,
        stores,
        holidays_events,
        new_data_quality["digest"],
    )
    panel = replace(panel, simulated=panel.simulated or new_data_quality["simulated"])
    logger.info(
        "Panel: %d series × %d days up to %s (before: %d × %d), promotions known for %d days more.",
        len(panel.series),
        panel.n_days,
        panel.cutoff,
        len(standing_panel.series),
        standing_panel.n_days,
        panel.n_planned_days,
    )
    return checked_new_sales, panel


def _select_new_days(
    sales: CheckedTable, panel: Panel, parameters: QualityParameters
) -> pl.DataFrame:
    cutoff = panel.cutoff.astype(object)
    new = sales.kept.filter(pl.col("date") > cutoff)
    if new.is_empty():
        raise RawDataError(
            f"{sales.raw.place} holds no day after {cutoff}, the last one in the panel: there is "
            "nothing to add. Name the folder of later sales with --params new_dir=…"
        )
    n_known = sales.kept.height - new.height
    if n_known:
        logger.info("%s: %s rows of days already known.", sales.raw.file, f"{n_known:,}")
    dates = new["date"].unique().sort().to_numpy().astype("datetime64[D]")
    gaps = np.diff(np.concatenate([[panel.cutoff], dates])).astype(int) - 1
    if gaps[0] > parameters.max_gap_days:
        raise RawDataError(
            f"{sales.raw.place} begins on {dates[0]}, {gaps[0]} days after {cutoff}, the last day "
            f"in the panel; quality.max_gap_days allows {parameters.max_gap_days}. Give the days "
            "in between, too."
        )
    if gaps.any():
        logger.warning(
            "%s: %d days between %s and %s have no sales at all; they count as closed.",
            sales.raw.file, gaps.sum(), cutoff, dates[-1],
        )  # fmt: skip
    return new


def _to_pandas(rows: pl.DataFrame) -> pd.DataFrame:
    return rows.to_pandas().astype({"onpromotion": "boolean"})
