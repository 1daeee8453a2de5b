"""What goes differently from a scenario's first day on."""

from datetime import date

import numpy as np
import polars as pl

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.randomness import Purpose, generator

_SHIFTED_FAMILIES = {
    "GROCERY I": 0.55, "BEVERAGES": 1.8, "PRODUCE": 0.5, "CLEANING": 1.7, "DAIRY": 0.6,
    "BREAD/BAKERY": 1.6, "PERSONAL CARE": 1.8, "HOME CARE": 0.5,
}
_SHIFTED_WEEK = (1.25, 1.2, 1.2, 1.3, 1.05, 0.75, 0.65)
_MISSING_STORES, _WRONG_UNITS_STORES, _STUCK_STORES = 0.2, 0.2, 0.1
_UNITS_FACTOR = 1000.0
_EMPTY_UNITS = 0.04


def shift_demand(parameters: SimulationParameters, day: date) -> np.ndarray:
    """Log factor of the demand by the scenario "demand_shift"; [family] float64.

    Some families sell about half, others nearly twice as much, and for all of them the week
    turns round: weekends lose what the working days win.
    """
    if not parameters.runs_scenario("demand_shift", day):
        return np.zeros(len(FAMILIES))
    shifted = [_SHIFTED_FAMILIES.get(family.name, 1.0) for family in FAMILIES]
    return np.log(np.array(shifted) * _SHIFTED_WEEK[day.weekday()])


def break_feed(parameters: SimulationParameters, day: date, sales: pl.DataFrame) -> pl.DataFrame:
    """Damage the sales of a day by the scenario "broken_feed".

    The stores take turns from day to day: some send nothing, some send units a thousandfold,
    some send the first day's date, and everywhere some units are left empty.

    Args:
        parameters: The world's parameters.
        day: The day the sales are of.
        sales: One row per store and item with date, store_nbr and unit_sales.
    """
    if not parameters.runs_scenario("broken_feed", day) or sales.is_empty():
        return sales
    source = generator(parameters.seed, Purpose.SCENARIO, day.toordinal())
    numbers = sales["store_nbr"].unique().sort().to_numpy()
    luck = dict(zip(numbers.tolist(), source.permutation(len(numbers)) / len(numbers), strict=True))
    empty = pl.Series(source.random(len(sales)) < _EMPTY_UNITS)
    stuck_day = date.fromisoformat(parameters.scenario_start)
    wrong_until = _MISSING_STORES + _WRONG_UNITS_STORES
    store_luck = pl.col("store_nbr").replace_strict(luck, return_dtype=pl.Float64)
    damaged = sales.with_columns(
        unit_sales=pl.when(empty)
        .then(None)
        .when(store_luck.is_between(_MISSING_STORES, wrong_until, closed="left"))
        .then(pl.col("unit_sales") * _UNITS_FACTOR)
        .otherwise(pl.col("unit_sales")),
        date=pl.when(store_luck >= 1 - _STUCK_STORES)
        .then(pl.lit(stuck_day))
        .otherwise(pl.col("date")),
    )
    return damaged.filter(store_luck >= _MISSING_STORES)
