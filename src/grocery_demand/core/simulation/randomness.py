"""Chance that can be looked up: each purpose, moment and place has numbers of its own."""

from enum import IntEnum
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()


class Purpose(IntEnum):
    """What random numbers are drawn for; no two purposes share any."""

    STORES = 1
    ITEMS = 2
    ASSORTMENT = 3
    FAMILIES = 4
    WEEKDAYS = 5
    ITEM_DRIFT = 6
    SERIES_DRIFT = 7
    CAMPAIGNS = 8
    PARTICIPATION = 9
    SHELF_SPACE = 10
    DEMAND = 11
    CHANCE = 12
    TRAFFIC = 13
    OIL = 14
    SCENARIO = 15


def generator(seed: int, purpose: Purpose, moment: int = 0, place: int = 0) -> np.random.Generator:
    """The random numbers of one purpose, moment (day or week) and place (store).

    A counter-based generator (Philox: Salmon et al., "Parallel random numbers: as easy as
    1, 2, 3", 2011) needs no state carried from day to day, so any day can be drawn by itself.
    """
    counter = np.array([0, place, moment, purpose], dtype=np.uint64)
    key = np.array([seed, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def draw_by_store(
    seed: int, purpose: Purpose, moment: int, stores: np.ndarray, width: int, kind: str = "normal"
) -> np.ndarray:
    """Draw [store × width] float64, each store's row by itself.

    A store more or less leaves the numbers of the others as they are.

    Args:
        seed: Number of the world.
        purpose: What the numbers are for.
        moment: Day or week.
        stores: Store numbers.
        width: Numbers for each store.
        kind: "normal" (standard) or "uniform" (from 0 to 1).
    """
    drawn = np.empty((len(stores), width))
    for row, store in zip(drawn, stores, strict=True):
        source = generator(seed, purpose, moment, int(store))
        if kind == "normal":
            source.standard_normal(out=row)
        else:
            source.random(out=row)
    return drawn


def spread_normally(source: np.random.Generator, count: int) -> np.ndarray:
    """Draw standard normal numbers that are spread evenly over their distribution.

    One number comes from each of `count` equally likely intervals, in random order, so that
    few items are as varied as many.
    """
    levels = (source.permutation(count) + source.uniform(0.05, 0.95, count)) / max(count, 1)
    return np.array([_NORMAL.inv_cdf(level) for level in levels])
