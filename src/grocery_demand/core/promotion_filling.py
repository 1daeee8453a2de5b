"""Promotions of the past where nothing was sold.

A day without a sale has no row, so that nobody knows any more whether the item was on promotion
in that store. Taken as "no", it tells a model that what is promoted sells: promoted days without a
sale are missing from what it learns from, and it forecasts too much for the plan's, which names
them. So each such day gets a promotion with the chance that the item had it in the stores that sold
it on that day. The draw depends on store, item and date alone: it is the same in every panel.
"""

import numpy as np
import pandas as pd

from grocery_demand.core.series_hash import draw_uniform, hash_series


class PromotionFilling:
    """Fills the promotions of some series, day by day or series by series.

    Args:
        series: One row per series with store_nbr and item_nbr.
    """

    def __init__(self, series: pd.DataFrame) -> None:
        self._hashes = hash_series(series)
        self._item, items = pd.factorize(series["item_nbr"])
        self._n_items = len(items)

    def fill_day(
        self,
        promotions: np.ndarray,
        sold: np.ndarray,
        wanted: np.ndarray,
        epoch_day: int,
    ) -> None:
        """Fill one day in place.

        Args:
            promotions: As recorded, 0 where there is no row, uint8 [series].
            sold: Whether more than nothing was sold, bool [series].
            wanted: Whether the series had begun, its store was open, and it has no row on that
                day, bool [series].
            epoch_day: The day since 1970-01-01.
        """
        promoted = sold & (promotions > 0)
        if not promoted.any():
            return
        share = self._share(sold, promoted)[self._item]
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
            share = self._share(sold, sold & (promotions[:, day] > 0))
            at = days == day
            chance = share[self._item[rows[at]]]
            drawn = draw_uniform(self._hashes[rows[at]], epoch_day[at])
            promotions[rows[at], day] = drawn < chance

    def _share(self, sold: np.ndarray, promoted: np.ndarray) -> np.ndarray:
        """Return the share of its sales that each item had on promotion, float64 [item]."""
        of = np.bincount(self._item[sold], minlength=self._n_items)
        return np.bincount(self._item[promoted], minlength=self._n_items) / np.maximum(of, 1)
