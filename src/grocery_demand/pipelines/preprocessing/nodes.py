"""Read and check the raw tables, set bad rows aside, make the panel."""

import logging
from typing import Any

import pandas as pd
import polars as pl

from grocery_demand.core.panel_in_parts import SmallTables, make_panel_of
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.quality.checking import Checked, CheckedTable, check_table
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.report import describe_quality, list_quarantined_rows
from grocery_demand.core.quality.sales_in_parts import check_sales_table
from grocery_demand.core.quality.sales_staging import CheckedSales, KeptSales, RawSalesParts
from grocery_demand.core.quality.tables import (
    REFERENCE_RULES,
    Known,
    promotion_plan_rules,
    sales_rules,
    transaction_rules,
)
from grocery_demand.core.sales_parts import SalesParts

logger = logging.getLogger(__name__)

CheckedTables = dict[str, CheckedTable]


def check_reference_tables(
    raw_items: RawTable,
    raw_stores: RawTable,
    raw_holidays_events: RawTable,
    raw_oil: RawTable,
    raw_transactions: RawTable,
    parameters: QualityParameters,
) -> CheckedTables:
    """Check the small tables, those first that the others refer to.

    Returns:
        One checked table for each of items, stores, holidays_events, oil and transactions.
    """
    checked = {
        raw.table: check_table(raw, REFERENCE_RULES[raw.table](parameters), parameters)
        for raw in (raw_items, raw_stores, raw_holidays_events, raw_oil)
    }
    rules = transaction_rules(parameters, _find_known(checked))
    checked["transactions"] = check_table(raw_transactions, rules, parameters)
    return checked


def check_sales(
    raw_sales: RawTable | RawSalesParts,
    reference_tables: CheckedTables,
    parameters: QualityParameters,
) -> CheckedTable | CheckedSales:
    """Check every row of train."""
    rules = sales_rules(parameters, _find_known(reference_tables))
    return check_sales_table(raw_sales, rules, parameters)


def check_promotion_plan(
    raw_promotion_plan: RawTable, reference_tables: CheckedTables, parameters: QualityParameters
) -> CheckedTable:
    """Check every row of test, if there is one."""
    rules = promotion_plan_rules(parameters, _find_known(reference_tables))
    return check_table(raw_promotion_plan, rules, parameters)


def report_quality(
    reference_tables: CheckedTables,
    sales: CheckedTable | CheckedSales,
    promotion_plan: CheckedTable,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Sum up what was read and set aside.

    Returns:
        The data-quality report; and the quarantined rows, one row each.
    """
    tables: list[Checked] = [*reference_tables.values(), promotion_plan, sales]
    report = describe_quality(tables, sales.kept)
    facts = report["sales"]
    logger.info(
        "Sales %s … %s: %s stores, %s items, %s series.",
        *(facts[name] for name in ("first_date", "last_date", "stores", "items", "series")),
    )
    return report, list_quarantined_rows(tables)


def keep_good_rows(
    reference_tables: CheckedTables,
    sales: CheckedTable | CheckedSales,
    promotion_plan: CheckedTable,
) -> tuple[pl.DataFrame | KeptSales | pd.DataFrame, ...]:
    """Release the good rows of all tables, once every one of them has passed its checks.

    Returns:
        Sales (Polars, in file order; or in parts by store); promotion plan, items, stores,
        transactions, oil, and holidays and events (pandas).
    """
    names = ("items", "stores", "transactions", "oil", "holidays_events")
    small = [promotion_plan, *(reference_tables[name] for name in names)]
    return sales.kept, *(_to_pandas(table.kept) for table in small)


def make_panel(
    sales: pl.LazyFrame | SalesParts,
    promotion_plan: pd.DataFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    data_quality: dict[str, Any],
) -> PanelParts:
    """Make the dense panel of all series and days, with the digest of the raw files."""
    tables = SmallTables(promotion_plan, items, stores, holidays_events)
    digest, simulated = data_quality["digest"], data_quality["simulated"]
    panel = make_panel_of(sales, tables, digest, simulated=simulated)
    logger.info(
        "Panel: %d series × %d days up to %s, promotions known for %d days more.",
        panel.n_series,
        panel.n_days,
        panel.cutoff,
        panel.n_planned_days,
    )
    return panel


def _find_known(reference_tables: CheckedTables) -> Known:
    return Known(
        stores=reference_tables["stores"].kept["store_nbr"],
        items=reference_tables["items"].kept["item_nbr"],
    )


def _to_pandas(rows: pl.DataFrame) -> pd.DataFrame:
    """Return the rows with pandas' own types; a flag that may be empty becomes `boolean`."""
    table = rows.to_pandas()
    flags = rows.select(pl.selectors.boolean()).columns
    return table.astype(dict.fromkeys(flags, "boolean"))
