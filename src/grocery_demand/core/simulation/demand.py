"""The sales of one day, drawn from the demand of every series."""

from datetime import date, timedelta

import numpy as np

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.parameters import EPOCH
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store
from grocery_demand.core.simulation.scenarios import shift_demand
from grocery_demand.core.simulation.weeks import Week
from grocery_demand.core.simulation.world import World

LOWEST_UNITS, HIGHEST_UNITS = -15_372.0, 89_440.0
_MONTH_START = {1: 1.24, 2: 1.19, 3: 1.15, 4: 1.13, 5: 1.10, 6: 1.07, 7: 1.05, 16: 1.04}
_MONTH_END = 1.05
_LATE_IN_MONTH = {22: 0.97, 23: 0.96, 24: 0.95, 25: 0.94, 26: 0.93, 27: 0.92, 28: 0.93, 29: 0.95}
_STORE_DAY_NOISE, _FAMILY_DAY_NOISE = 0.13, 0.12
_WILD, _WILDER = 0.12, 1.5
_RETURN_AT, _RETURN, _BULK_AT, _BULK = 0.5, 8.5e-5, 0.6, 2e-6
_NEW_YEAR_FACTOR = 0.35
_LEAST_UNITS, _LEAST_WEIGHT = 1.0, 0.45


def draw_units(world: World, week: Week, day: date, promoted: np.ndarray) -> np.ndarray:
    """Draw the units of every series on a day; [store × item] float64, NaN for "no row".

    Args:
        world: The world.
        week: The week of the day.
        day: The day.
        promoted: The promotion plan of the day; [store × item] bool.
    """
    width = len(world.items.numbers)
    drawn = _draw(world, Purpose.DEMAND, day, len(FAMILIES) + 1 + width, "normal")
    chance = _draw(world, Purpose.CHANCE, day, width, "uniform")
    common = _find_common_effects(world, day, drawn[:, : len(FAMILIES) + 1])
    noise = drawn[:, len(FAMILIES) + 1 :] * world.items.noise
    noise *= np.where(chance > 1 - _WILD, _WILDER, 1.0)
    log_units = week.levels + common[:, world.items.family] + noise
    log_units += promoted * world.items.uplift
    units = _round_units(world, np.exp(log_units))
    units[~_find_selling(world, week, day) | (chance < world.items.unsold)] = np.nan
    return _add_oddities(units, chance)


def _draw(world: World, purpose: Purpose, day: date, width: int, kind: str) -> np.ndarray:
    moment = (day - EPOCH).days
    return draw_by_store(world.seed, purpose, moment, world.stores.numbers, width, kind)


def _find_common_effects(world: World, day: date, noise: np.ndarray) -> np.ndarray:
    """Log effects that a store's items of one family share; [store × family] float64."""
    by_store = np.log(world.holidays.find_factors(day) * _find_month_position(day))
    by_store += world.weekdays[:, day.weekday()] + _STORE_DAY_NOISE * noise[:, 0]
    by_family = world.weeks[:, day.weekday()] + world.months[:, day.month - 1]
    by_family = by_family + shift_demand(world.parameters, day)
    return by_store[:, None] + by_family[None, :] + _FAMILY_DAY_NOISE * noise[:, 1:]


def _find_month_position(day: date) -> float:
    """Demand by the position in the month: wages are paid at its end and spent at its start."""
    if (day.month, day.day) == (1, 1):
        return _NEW_YEAR_FACTOR
    if (day + timedelta(days=1)).day == 1:
        return _MONTH_END
    return _MONTH_START.get(day.day, _LATE_IN_MONTH.get(day.day, 1.0))


def _find_selling(world: World, week: Week, day: date) -> np.ndarray:
    """Which series can sell on the day; [store × item] bool."""
    age = (day - EPOCH).days
    selling = world.carried & week.on_shelf & world.stores.find_open(day)[:, None]
    return selling & (world.first_day <= age) & (age < world.end_day)


def _round_units(world: World, units: np.ndarray) -> np.ndarray:
    """Whole units, or kilograms with three decimals; NaN where too little was wanted."""
    whole = np.floor(units)
    weights = np.round(units[:, world.items.weighed], 3)
    whole[whole < _LEAST_UNITS] = np.nan
    weights[weights < _LEAST_WEIGHT] = np.nan
    whole[:, world.items.weighed] = weights
    return np.minimum(whole, HIGHEST_UNITS)


def _add_oddities(units: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Turn a few rows into returns and fewer into bulk sales, both of very unequal size."""
    returned = (chance > _RETURN_AT) & (chance < _RETURN_AT + _RETURN) & ~np.isnan(units)
    size = (chance[returned] - _RETURN_AT) / _RETURN
    units[returned] = -np.minimum(np.ceil(0.6 / (size + 1e-5)), -LOWEST_UNITS)
    bulk = (chance > _BULK_AT) & (chance < _BULK_AT + _BULK)
    factor = 20 + 0.3 / ((chance[bulk] - _BULK_AT) / _BULK + 0.003)
    units[bulk] = np.minimum(np.round(units[bulk] * factor), HIGHEST_UNITS)
    return units
