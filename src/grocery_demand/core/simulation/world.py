"""The fixed structure of a simulated world: who sells what, from when, and how much of it."""

from dataclasses import dataclass

import numpy as np

from grocery_demand.core.simulation.families import FAMILIES, GENERAL_WEEK, MONTHS_BY_FAMILY
from grocery_demand.core.simulation.holidays import HolidayEffects, list_holidays
from grocery_demand.core.simulation.items import NAMED_ITEMS, NEVER, Items, make_items
from grocery_demand.core.simulation.parameters import EPOCH, SimulationParameters
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, generator
from grocery_demand.core.simulation.stores import Stores, make_stores

GENERAL_LEVEL = 1.49
MONTHS = (1.04, 0.92, 1.01, 0.93, 0.92, 0.96, 1.03, 0.92, 1.03, 1.01, 1.03, 1.25)
_SERIES_SPREAD = 0.33
_STORE_SHARE_IN_LEVEL = 0.9
_CARRIED_BASE, _CARRIED_BY_ITEM, _CARRIED_BY_STORE = 3.8, 0.7, 0.5
_LATE_SHARE, _LATE_DAYS, _LISTING_DAYS = 0.2, 1500, 20.0
_SERIES_LIFE = 40 * 365.0
_WEEKDAY_SPREAD, _MONTH_SPREAD = 0.05, 0.03


@dataclass(frozen=True)
class World:
    """A simulated world: its stores, its items and what does not change from day to day.

    Attributes:
        parameters: What it was made from.
        stores: Its stores.
        items: Its items.
        levels: Log mean units of each series on an ordinary day; [store × item] float64.
        carried: Whether the store ever sells the item; [store × item] bool.
        first_day: First day of the series, in days since the epoch; [store × item] int64.
        end_day: First day after the series; [store × item] int64.
        weekdays: Log factor of the weekday; [store × 7] float64.
        weeks: Log factor of the weekday; [family × 7] float64.
        months: Log factor of the month; [family × 12] float64.
        holidays: The effects of the holidays by day and store.
    """

    parameters: SimulationParameters
    stores: Stores
    items: Items
    levels: np.ndarray
    carried: np.ndarray
    first_day: np.ndarray
    end_day: np.ndarray
    weekdays: np.ndarray
    weeks: np.ndarray
    months: np.ndarray
    holidays: HolidayEffects

    @property
    def seed(self) -> int:
        """The number of the world."""
        return self.parameters.seed

    @property
    def is_named(self) -> np.ndarray:
        """Which items are the named ones, sold everywhere; [item] bool."""
        return np.isin(self.items.numbers, list(NAMED_ITEMS))


def build_world(parameters: SimulationParameters) -> World:
    """Build the world that the parameters name."""
    stores, items = make_stores(parameters), make_items(parameters)
    first_day, end_day = _draw_listing(parameters.seed, stores, items)
    holidays = list_holidays(EPOCH.year, parameters.last_planned_day.year + 1)
    return World(
        parameters,
        stores,
        items,
        _draw_levels(parameters.seed, stores, items),
        _draw_assortment(parameters.seed, stores, items),
        first_day,
        end_day,
        _draw_weekdays(parameters.seed, stores),
        np.log(np.array([family.week for family in FAMILIES]) / np.mean(GENERAL_WEEK)),
        _draw_months(parameters.seed),
        HolidayEffects(holidays, stores.table),
    )


def _draw_pairs(seed: int, part: int, stores: Stores, items: Items, kind: str) -> np.ndarray:
    width = len(items.numbers)
    return draw_by_store(seed, Purpose.ASSORTMENT, part, stores.numbers, width, kind)


def _draw_levels(seed: int, stores: Stores, items: Items) -> np.ndarray:
    own = _SERIES_SPREAD * _draw_pairs(seed, 0, stores, items, "normal")
    by_store = _STORE_SHARE_IN_LEVEL * stores.sizes[:, None]
    return GENERAL_LEVEL + by_store + items.levels[None, :] + own


def _draw_assortment(seed: int, stores: Stores, items: Items) -> np.ndarray:
    own = _draw_pairs(seed, 1, stores, items, "normal")
    wish = _CARRIED_BASE + _CARRIED_BY_ITEM * items.popularity + own
    carried = wish + _CARRIED_BY_STORE * stores.sizes[:, None] > 0
    return carried | np.isin(items.numbers, list(NAMED_ITEMS))[None, :]


def _draw_listing(seed: int, stores: Stores, items: Items) -> tuple[np.ndarray, np.ndarray]:
    """Draw when each store begins and ends to sell each item; [store × item] int64 each."""
    begin = np.maximum(items.first_day[None, :], stores.opening[:, None])
    lag = -_LISTING_DAYS * np.log1p(-_draw_pairs(seed, 2, stores, items, "uniform"))
    chance = _draw_pairs(seed, 3, stores, items, "uniform")
    late = np.where(chance < _LATE_SHARE, chance / _LATE_SHARE * _LATE_DAYS, 0.0)
    first = begin + (lag + late).astype(np.int64)
    life = -_SERIES_LIFE * np.log1p(-_draw_pairs(seed, 4, stores, items, "uniform"))
    end = np.minimum(items.end_day[None, :], np.maximum(first, 0) + life.astype(np.int64))
    named = np.isin(items.numbers, list(NAMED_ITEMS))[None, :]
    return np.where(named, stores.opening[:, None], first), np.where(named, NEVER, end)


def _draw_weekdays(seed: int, stores: Stores) -> np.ndarray:
    return _WEEKDAY_SPREAD * draw_by_store(seed, Purpose.WEEKDAYS, 0, stores.numbers, 7)


def _draw_months(seed: int) -> np.ndarray:
    months = np.tile(np.log(MONTHS), (len(FAMILIES), 1))
    months += _MONTH_SPREAD * generator(seed, Purpose.FAMILIES).standard_normal(months.shape)
    for row, family in zip(months, FAMILIES, strict=True):
        for month, factor in MONTHS_BY_FAMILY.get(family.name, {}).items():
            row[month - 1] += np.log(factor)
    return months
