"""The tables around the sales: oil prices and the stores' transactions."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from grocery_demand.core.simulation.items import FULL_COUNT
from grocery_demand.core.simulation.parameters import EPOCH
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, generator
from grocery_demand.core.simulation.world import World

_OIL_COURSE = {
    2013.0: 95.0, 2013.5: 99.0, 2014.5: 103.0, 2014.75: 88.0, 2015.05: 50.0, 2015.4: 57.0,
    2016.1: 33.0, 2016.5: 46.0, 2017.0: 51.0, 2017.5: 47.0, 2018.0: 58.0,
}  # fmt: skip
_FRIDAY = 5
_OIL_LOWEST, _OIL_HIGHEST = 26.2, 110.6
_OIL_SPREAD, _OIL_MEMORY, _OIL_EMPTY = 0.09, 0.985, -1.81
_MEAN_TRANSACTIONS, _UNITS_AT_MEAN, _TRANSACTIONS_POWER = 1_850.0, 14_000.0, 0.72
_COUNTED_UNITS = 300
_STORE_NOISE, _DAY_NOISE = 0.22, 0.06


def quote_oil(seed: int, first_day: date, last_day: date) -> pl.DataFrame:
    """Quote the oil price of each weekday, some of them empty; one row per weekday."""
    days = [EPOCH + timedelta(days=n) for n in range((last_day - EPOCH).days + 1)]
    steps, luck = generator(seed, Purpose.OIL).standard_normal((len(days), 2)).T
    table = pl.DataFrame(
        {"date": days, "dcoilwtico": _walk_prices(days, steps), "empty": luck < _OIL_EMPTY}
    )
    on_market = pl.col("date").dt.weekday() <= _FRIDAY
    return table.filter(pl.col("date").is_between(first_day, last_day) & on_market).select(
        "date", pl.when(~pl.col("empty")).then("dcoilwtico")
    )


def _walk_prices(days: list[date], steps: np.ndarray) -> list[float]:
    """Let the price stray from the course of the market and return to it (autoregression)."""
    prices, deviation = [], 0.0
    for day, step in zip(days, steps, strict=True):
        deviation = _OIL_MEMORY * deviation + np.sqrt(1 - _OIL_MEMORY**2) * _OIL_SPREAD * step
        price = np.exp(np.log(_find_oil_mean(day)) + deviation)
        prices.append(round(float(np.clip(price, _OIL_LOWEST, _OIL_HIGHEST)), 2))
    return prices


def _find_oil_mean(day: date) -> float:
    """The course of the market; level after its last known point."""
    position = day.year + day.timetuple().tm_yday / 366
    return float(np.interp(position, list(_OIL_COURSE), list(_OIL_COURSE.values())))


def count_transactions(world: World, day: date, units: np.ndarray) -> pl.DataFrame:
    """Count the transactions of the stores that sell on a day; one row per store.

    Args:
        world: The world.
        day: The day.
        units: The day's units; [store × item] float64 with NaN for "no row".
    """
    numbers, age = world.stores.numbers, (day - EPOCH).days
    sold = (
        np.nansum(np.clip(units, 0, _COUNTED_UNITS), axis=1) * FULL_COUNT / len(world.items.numbers)
    )
    store = draw_by_store(world.seed, Purpose.TRAFFIC, 0, numbers, 1)[:, 0]
    noise = draw_by_store(world.seed, Purpose.TRAFFIC, 1 + age, numbers, 1)[:, 0]
    level = _MEAN_TRANSACTIONS * (sold / _UNITS_AT_MEAN) ** _TRANSACTIONS_POWER
    counted = np.rint(level * np.exp(_STORE_NOISE * store + _DAY_NOISE * noise)).astype(np.int64)
    selling = ~np.isnan(units).all(axis=1)
    return pl.DataFrame(
        {"date": [day] * len(numbers), "store_nbr": numbers, "transactions": counted}
    ).filter(pl.Series(selling))
