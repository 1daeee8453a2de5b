"""Promotions of the past where nothing was sold.

A day without a sale has no row, so that nobody knows any more whether the item was on promotion
in that store. Taken as "no", it tells a model that what is promoted sells: promoted days without a
sale are missing from what it learns from, and it forecasts too much for the plan's, which names
them. So each such day gets a promotion with the chance that the item had it in the stores that sold
it on that day. The draw depends on store, item and date alone: it is the same in every panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grocery_demand.core.series_hash import draw_uniform, hash_series


@dataclass(frozen=True)
class PromotionCounts:
    """How many stores sold each item on each day, and how many of them had it on promotion.

    Attributes:
        item_nbrs: The items, ascending, int [item].
        sold: int32 [day, item].
        promoted: int32 [day, item].
    """

    item_nbrs: np.ndarray
    sold: np.ndarray
    promoted: np.ndarray

    @classmethod
    def add_up(cls, parts: Sequence["PromotionCounts"]) -> "PromotionCounts":
        """Return the counts over the stores of all parts, which cover the same days."""
        item_nbrs = np.unique(np.concatenate([part.item_nbrs for part in parts]))
        shape = (len(parts[0].sold), len(item_nbrs))
        sold, promoted = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        for part in parts:
            place = np.searchsorted(item_nbrs, part.item_nbrs)
            sold[:, place] += part.sold
            promoted[:, place] += part.promoted
        return cls(item_nbrs, sold, promoted)

    def of_items(self, item_nbrs: np.ndarray) -> "PromotionCounts":
        """Return the counts of these items, all of which are known."""
        place = np.searchsorted(self.item_nbrs, item_nbrs)
        return PromotionCounts(item_nbrs, self.sold[:, place], self.promoted[:, place])


class PromotionFilling:
    """Fills the promotions of some series, day by day or series by series.

    Args:
        series: One row per series with store_nbr and item_nbr.
    """

    def __init__(self, series: pd.DataFrame) -> None:
        self._hashes = hash_series(series)
        self.item_nbrs, self._item = np.unique(series["item_nbr"], return_inverse=True)
        self._n_items = len(self.item_nbrs)

    def count_day(self, promotions: np.ndarray, sold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many series of each item sold on a day, and how many on promotion, [item].

        Args:
            promotions: As recorded, uint8 [series].
            sold: Whether more than nothing was sold, bool [series].
        """
        return self._count(sold), self._count(sold & (promotions > 0))

    def fill_day(
        self,
        promotions: np.ndarray,
        sold: np.ndarray,
        wanted: np.ndarray,
        epoch_day: int,
        counts: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Fill one day in place.

        Args:
            promotions: As recorded, 0 where there is no row, uint8 [series].
            sold: Whether more than nothing was sold, bool [series].
            wanted: Whether the series had begun, its store was open, and it has no row on that
                day, bool [series].
            epoch_day: The day since 1970-01-01.
            counts: Of all stores, as `count_day` gives them, if these series are a part of them.
        """
        if counts is None:
            if not promotions[sold].any():
                return
            counts = self.count_day(promotions, sold)
        share = _divide(*counts)[self._item]
        rows = np.flatnonzero(wanted & (share > 0))
        promotions[rows] = draw_uniform(self._hashes[rows], epoch_day) < share[rows]

    def fill_series(
        self,
        promotions: np.ndarray,
        units: np.ndarray,
        rows: np.ndarray,
        days: np.ndarray,
        epoch_day: np.ndarray,
    ) -> None:
        """Fill pairs of series and day in place, from the sales of the others on these days.

        Args:
            promotions: uint8 [series, day].
            units: float32 [series, day].
            rows: Positions of series, int [pair].
            days: Days of the panel, int [pair].
            epoch_day: The same days since 1970-01-01, int [pair].
        """
        for day in np.unique(days):
            sold = units[:, day] > 0
            share = _divide(*self.count_day(promotions[:, day], sold))
            at = days == day
            chance = share[self._item[rows[at]]]
            drawn = draw_uniform(self._hashes[rows[at]], epoch_day[at])
            promotions[rows[at], day] = drawn < chance

    def _count(self, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(self._item[chosen], minlength=self._n_items)


def _divide(sold: np.ndarray, promoted: np.ndarray) -> np.ndarray:
    """Return the share of its sales that each item had on promotion, float64 [item]."""
    return promoted / np.maximum(sold, 1)
