"""What goes differently from a scenario's first day on."""

from datetime import date

import numpy as np
import polars as pl

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.randomness import Purpose, generator

_SHIFTED_FAMILIES = {
    "GROCERY I": 0.55,
    "BEVERAGES": 1.8,
    "PRODUCE": 0.5,
    "CLEANING": 1.7,
    "DAIRY": 0.6,
    "BREAD/BAKERY": 1.6,
    "PERSONAL CARE": 1.8,
    "HOME CARE": 0.5,
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
    turn = _take_turns(source, sales["store_nbr"])
    is_empty = pl.Series(source.random(len(sales)) < _EMPTY_UNITS)
    is_wrong = (turn > _MISSING_STORES) & (turn <= _MISSING_STORES + _WRONG_UNITS_STORES)
    is_stuck = turn > 1 - _STUCK_STORES
    first_day = pl.lit(date.fromisoformat(parameters.scenario_start))
    units, day_sold = pl.col("unit_sales"), pl.col("date")
    wrong_units = pl.when(is_wrong).then(units * _UNITS_FACTOR).otherwise(units)
    return sales.with_columns(
        unit_sales=pl.when(~is_empty).then(wrong_units),
        date=pl.when(is_stuck).then(first_day).otherwise(day_sold),
    ).filter(turn > _MISSING_STORES)


def _take_turns(source: np.random.Generator, stores: pl.Series) -> pl.Series:
    """Give each store of the day its turn, evenly spread up to 1; one value per row."""
    numbers = stores.unique().sort()
    turns = (source.permutation(len(numbers)) + 1) / len(numbers)
    return stores.replace_strict(numbers, pl.Series(turns))
