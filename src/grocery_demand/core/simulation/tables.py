"""A simulated world as the tables of Kaggle's files, day after day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from grocery_demand.core.simulation.demand import draw_units
from grocery_demand.core.simulation.holidays import list_holidays
from grocery_demand.core.simulation.parameters import EPOCH, SimulationParameters
from grocery_demand.core.simulation.promotions import RECORDED_FROM, plan_promotions
from grocery_demand.core.simulation.scenarios import break_feed
from grocery_demand.core.simulation.surroundings import count_transactions, quote_oil
from grocery_demand.core.simulation.weeks import pass_weeks
from grocery_demand.core.simulation.world import World, build_world


@dataclass(frozen=True)
class TablePart:
    """Some rows of one table, in the order in which they belong into its file.

    Attributes:
        table: Name of the table: train, test, items, stores, transactions, oil or holidays_events.
        rows: The rows, with the columns of the file.
        day: The last day that is complete with this part.
    """

    table: str
    rows: pl.DataFrame
    day: date


@dataclass(frozen=True)
class RawTables:
    """The raw tables of a simulated world.

    Attributes:
        parameters: What the world was made from.
        parts: The tables' parts; can be passed through once.
    """

    parameters: SimulationParameters
    parts: Iterator[TablePart]


def simulate_tables(parameters: SimulationParameters) -> RawTables:
    """Simulate the raw tables; nothing is drawn before the parts are asked for."""
    return RawTables(parameters, _stream_parts(build_world(parameters)))


def _stream_parts(world: World) -> Iterator[TablePart]:
    yield from _list_small_tables(world)
    next_id = 0
    for part in stream_sales(world):
        next_id += len(part.rows) if part.table == "train" else 0
        yield part
    yield from stream_plan(world, world.parameters.last_day, next_id)


def _list_small_tables(world: World) -> Iterator[TablePart]:
    chosen = world.parameters
    first, last = chosen.first_day, chosen.last_planned_day
    yield TablePart("stores", world.stores.table, first)
    yield TablePart("items", world.items.table, first)
    yield TablePart("oil", quote_oil(world.seed, first, last), first)
    yield TablePart("holidays_events", list_holidays(first.year, last.year), first)


def stream_sales(world: World) -> Iterator[TablePart]:
    """Yield the sales and the transactions of each day; those of 25 December are empty."""
    first, last = world.parameters.first_day, world.parameters.last_day
    next_id = 0
    for week in pass_weeks(world, first, last):
        for day in week.days:
            if first <= day <= last:
                promoted = plan_promotions(world, day)
                units = draw_units(world, week, day, promoted)
                sales = _tabulate_sales(world, day, units, promoted)
                sales = _number(break_feed(world.parameters, day, sales), next_id)
                next_id += len(sales)
                yield TablePart("train", sales, day)
                yield TablePart("transactions", count_transactions(world, day, units), day)


def _tabulate_sales(
    world: World, day: date, units: np.ndarray, promoted: np.ndarray
) -> pl.DataFrame:
    stores, items = np.nonzero(~np.isnan(units))
    return _tabulate(world, day, stores, items, promoted).insert_column(
        3, pl.Series("unit_sales", units[stores, items])
    )


def _tabulate(
    world: World, day: date, stores: np.ndarray, items: np.ndarray, promoted: np.ndarray
) -> pl.DataFrame:
    """Tabulate date, store_nbr, item_nbr and onpromotion; one row per store and item."""
    flag = pl.Series("onpromotion", promoted[stores, items])
    known = pl.when(flag).then(pl.lit("True")).otherwise(pl.lit("False"))
    return pl.DataFrame(
        {"store_nbr": world.stores.numbers[stores], "item_nbr": world.items.numbers[items]}
    ).select(
        pl.lit(day).alias("date"),
        "store_nbr",
        "item_nbr",
        (known if day >= RECORDED_FROM else pl.lit(None, pl.String)).alias("onpromotion"),
    )


def stream_plan(world: World, last_day: date, next_id: int) -> Iterator[TablePart]:
    """Yield the promotion plan of the days after a day: every open store and item on offer."""
    for ahead in range(1, world.parameters.plan_days + 1):
        day = last_day + timedelta(days=ahead)
        is_open = world.stores.find_open(day)
        offered = world.items.find_offered((day - EPOCH).days)
        stores, items = np.nonzero(is_open[:, None] & offered[None, :])
        rows = _tabulate(world, day, stores, items, plan_promotions(world, day))
        yield TablePart("test", _number(rows, next_id), day)
        next_id += len(rows)


def _number(rows: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return the rows with ids that begin at a number."""
    ids = pl.int_range(first, first + len(rows), eager=True).alias("id")
    return rows.insert_column(0, ids)
