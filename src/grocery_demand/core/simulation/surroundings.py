"""The tables around the sales: oil prices and the stores' transactions."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from grocery_demand.core.simulation.items import FULL_COUNT
from grocery_demand.core.simulation.parameters import EPOCH
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, generator
from grocery_demand.core.simulation.world import World

_OIL_MEANS = {2012: 94.0, 2013: 98.0, 2014: 93.0, 2015: 49.0, 2016: 43.0, 2017: 49.0, 2018: 60.0}
_OIL_LOWEST, _OIL_HIGHEST = 26.2, 110.6
_OIL_SPREAD, _OIL_MEMORY, _OIL_EMPTY = 0.09, 0.985, 0.035
_MEAN_TRANSACTIONS, _UNITS_AT_MEAN, _TRANSACTIONS_POWER = 1_750.0, 14_000.0, 0.72
_STORE_NOISE, _DAY_NOISE = 0.20, 0.06


def quote_oil(seed: int, first_day: date, last_day: date) -> pl.DataFrame:
    """Quote the oil price of each weekday, some of them empty; one row per weekday."""
    count = (last_day - EPOCH).days + 1
    source = generator(seed, Purpose.OIL)
    steps, empty = source.standard_normal((count, 2)).T
    days = [EPOCH + timedelta(days=n) for n in range(count)]
    prices, deviation = [], 0.0
    for day, step in zip(days, steps, strict=True):
        deviation = _OIL_MEMORY * deviation + np.sqrt(1 - _OIL_MEMORY**2) * _OIL_SPREAD * step
        price = np.exp(np.log(_find_oil_mean(day)) + deviation)
        prices.append(round(float(np.clip(price, _OIL_LOWEST, _OIL_HIGHEST)), 2))
    rare = -1.81
    table = pl.DataFrame({"date": days, "dcoilwtico": prices, "empty": empty < rare})
    table = table.with_columns(dcoilwtico=pl.when(~pl.col("empty")).then("dcoilwtico"))
    inside = pl.col("date").is_between(first_day, last_day) & (pl.col("date").dt.weekday() < 6)
    return table.filter(inside).drop("empty")


def _find_oil_mean(day: date) -> float:
    """The yearly mean, carried over from mid-year to mid-year."""
    position = day.year + (day.timetuple().tm_yday - 182.6) / 365.25
    return float(np.interp(position, list(_OIL_MEANS), list(_OIL_MEANS.values())))


def count_transactions(world: World, day: date, units: np.ndarray) -> pl.DataFrame:
    """Count the transactions of the stores that sell on a day; one row per store.

    Args:
        world: The world.
        day: The day.
        units: The day's units; [store × item] float64 with NaN for "no row".
    """
    numbers, age = world.stores.numbers, (day - EPOCH).days
    sold = np.nansum(np.clip(units, 0, 2_000), axis=1) * FULL_COUNT / len(world.items.numbers)
    store = draw_by_store(world.seed, Purpose.TRAFFIC, 0, numbers, 1)[:, 0]
    noise = draw_by_store(world.seed, Purpose.TRAFFIC, 1 + age, numbers, 1)[:, 0]
    level = _MEAN_TRANSACTIONS * (sold / _UNITS_AT_MEAN) ** _TRANSACTIONS_POWER
    counted = np.rint(level * np.exp(_STORE_NOISE * store + _DAY_NOISE * noise)).astype(np.int64)
    selling = ~np.isnan(units).all(axis=1)
    return pl.DataFrame(
        {"date": [day] * len(numbers), "store_nbr": numbers, "transactions": counted}
    ).filter(pl.Series(selling))
