"""From checked sales to the panel, whole or part by part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_building import COLUMNS, Draft, Frame, build_panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.promotion_filling import PromotionCounts
from grocery_demand.core.sales_parts import PanelFacts, SalesParts


@dataclass(frozen=True)
class SmallTables:
    """The checked tables beside the sales, see `build_panel`."""

    promotion_plan: pd.DataFrame
    items: pd.DataFrame
    stores: pd.DataFrame
    holidays_events: pd.DataFrame


@dataclass(frozen=True)
class _Counted:
    """What all parts know together before any of them is finished."""

    promotions: PromotionCounts
    sizes: list[int]

    @classmethod
    def add_up(cls, parts: Sequence["_Counted"]) -> "_Counted":
        counts = PromotionCounts.add_up([part.promotions for part in parts])
        return cls(counts, [size for part in parts for size in part.sizes])


def make_panel_of(
    sales: pl.LazyFrame | SalesParts, tables: SmallTables, digest: str, *, simulated: bool
) -> PanelParts:
    """Make the panel of all pairs of store and item that are sold or planned.

    Of sales in parts, each part of the panel is made on its own, with what was counted in the
    others; a table is one part, which needs nothing from others. Parts are laid out twice, to be
    counted and to be finished, rather than kept meanwhile: so each worker holds one at a time.

    Args:
        sales: One row per date, store_nbr and item_nbr, see `build_panel`.
        tables: The other tables.
        digest: SHA-256 of the raw files.
        simulated: Whether any of these files said that they are simulated.

    Raises:
        RawDataError: If there is no sale at all.
    """
    if not isinstance(sales, SalesParts):
        return replace(build_panel(sales, **vars(tables), digest=digest), simulated=simulated)
    frame = Frame.of(sales.span, tables.promotion_plan)
    own = _cut_tables(tables, sales.first_stores)
    counted = sales.reduce(_count, _Counted.add_up, tables.items, frame, own=own)
    facts = PanelFacts(
        start_day=frame.start_day,
        n_days=frame.last_day - frame.start_day + 1,
        n_planned_days=frame.last_planned_day - frame.last_day,
        digest=digest,
        simulated=simulated,
        sizes=counted.sizes,
    )
    small = tables.items, frame, tables.holidays_events
    return sales.become_panel(facts, _finish, *small, facts, counted.promotions, own=own)


def _cut_tables(
    tables: SmallTables, first_stores: list[int]
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return the plan and the stores of each part; stores without sales join their neighbours."""
    bounds = [-np.inf, *first_stores[1:], np.inf]
    plan, stores = tables.promotion_plan, tables.stores
    return [(_between(plan, *ends), _between(stores, *ends)) for ends in pairwise(bounds)]


def _between(table: pd.DataFrame, first: float, after: float) -> pd.DataFrame:
    return table[(table["store_nbr"] >= first) & (table["store_nbr"] < after)]


def _lay_out(
    rows: pl.LazyFrame,
    own: tuple[pd.DataFrame, pd.DataFrame],
    items: pd.DataFrame,
    frame: Frame,
) -> Draft:
    plan, stores = own
    return Draft.of(rows.select(COLUMNS).collect(engine="streaming"), plan, items, stores, frame)


def _count(
    rows: pl.LazyFrame,
    own: tuple[pd.DataFrame, pd.DataFrame],
    items: pd.DataFrame,
    frame: Frame,
) -> _Counted:
    draft = _lay_out(rows, own, items, frame)
    return _Counted(draft.count_promotions(), [len(draft.series)])


def _finish(
    rows: pl.LazyFrame,
    own: tuple[pd.DataFrame, pd.DataFrame],
    items: pd.DataFrame,
    frame: Frame,
    holidays_events: pd.DataFrame,
    facts: PanelFacts,
    counts: PromotionCounts,
) -> Panel:
    part = _lay_out(rows, own, items, frame).finish(holidays_events, facts.digest, counts)
    return replace(part, simulated=facts.simulated)
