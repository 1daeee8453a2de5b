"""What moves slowly: the drift of items and series, and series out of stock, week by week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from grocery_demand.core.simulation.parameters import EPOCH
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, generator
from grocery_demand.core.simulation.world import World

_FIRST_MONDAY = EPOCH - timedelta(days=EPOCH.weekday())
_ITEM_DRIFT, _ITEM_MEMORY = 0.18, 0.975
_SERIES_DRIFT, _SERIES_MEMORY = 0.20, 0.95
_GROWTH_A_YEAR = 0.07
_SHELF_MEMORY, _OFF_SHELF = 0.97, -1.1
_GROWTH_FROM = date(2015, 7, 1)


@dataclass(frozen=True)
class Week:
    """One week of a world.

    Attributes:
        index: Weeks since the epoch's.
        levels: Log mean units of each series in this week; [store × item] float64.
        on_shelf: Whether the store has the item this week; [store × item] bool.
    """

    index: int
    levels: np.ndarray
    on_shelf: np.ndarray

    @property
    def days(self) -> list[date]:
        """The days of the week, Monday first."""
        monday = _FIRST_MONDAY + timedelta(weeks=self.index)
        return [monday + timedelta(days=n) for n in range(7)]


def find_week(day: date) -> int:
    """The week of a day, counted from the epoch's."""
    return (day - _FIRST_MONDAY).days // 7


def pass_weeks(world: World, first_day: date, last_day: date) -> Iterator[Week]:
    """Pass through the weeks from the epoch, yielding those that hold the days.

    A store takes an item off its shelves for weeks at a time while its shelf space is low; the
    named items always keep theirs. Drifts and shelf space are first-order autoregressions whose
    innovations belong to their week, so that every longer walk begins with the shorter one.
    """
    item_drift = np.zeros(len(world.items.numbers))
    series_drift, shelf_space = np.zeros((2, *world.levels.shape))
    for week in range(find_week(last_day) + 1):
        item_drift = _step(item_drift, _draw_items(world, week), week, _ITEM_MEMORY)
        innovations = _draw_series(world, Purpose.SERIES_DRIFT, week)
        series_drift = _step(series_drift, innovations, week, _SERIES_MEMORY)
        innovations = _draw_series(world, Purpose.SHELF_SPACE, week)
        shelf_space = _step(shelf_space, innovations, week, _SHELF_MEMORY)
        if week >= find_week(first_day):
            drift = _ITEM_DRIFT * item_drift[None, :] + _SERIES_DRIFT * series_drift
            levels = world.levels + drift + _find_growth(week)
            yield Week(week, levels, (shelf_space > _OFF_SHELF) | world.is_named[None, :])


def _step(drift: np.ndarray, innovations: np.ndarray, week: int, memory: float) -> np.ndarray:
    """Go on by one week; the drift has unit variance from the first week on."""
    if week == 0:
        return innovations
    return memory * drift + np.sqrt(1 - memory**2) * innovations


def _draw_items(world: World, week: int) -> np.ndarray:
    source = generator(world.seed, Purpose.ITEM_DRIFT, week)
    return source.standard_normal(len(world.items.numbers))


def _draw_series(world: World, purpose: Purpose, week: int) -> np.ndarray:
    stores, width = world.stores.numbers, len(world.items.numbers)
    return draw_by_store(world.seed, purpose, week, stores, width)


def _find_growth(week: int) -> float:
    monday = _FIRST_MONDAY + timedelta(weeks=week)
    return _GROWTH_A_YEAR * (monday - _GROWTH_FROM).days / 365.25
