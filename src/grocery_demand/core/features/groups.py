"""What the past of similar series says: group sums that split by store and add up.

They are exact, in whichever order they are added up: with units of three decimals at most, every
ln(1+units) in float32 is a multiple of 2⁻³³, which float64 adds up without rounding as long as the
total stays below 2²⁰. So sums of parts equal those of the whole to the bit, and sums by day
(`group_days`) those by series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.features.history import WEEKDAY_WINDOWS, WINDOWS, History, divide
from grocery_demand.core.panel import STORE_GROUPS, Panel

GROUP_WINDOWS = (7, 28, 112)
"""Those of `WINDOWS` over which groups take means."""

GROUP_WEEKS = 8
"""That of `WEEKDAY_WINDOWS` over which groups take means of one weekday."""

ITEM = "item"
"""Group of one item's series in all stores."""

FAMILY_STORE = "family_store"
"""Group of the series of one family in one store."""

GROUPS = (ITEM, *STORE_GROUPS)
"""Names of all groups."""

_WINDOWS = [WINDOWS.index(window) for window in GROUP_WINDOWS]
_WEEKS = WEEKDAY_WINDOWS.index(GROUP_WEEKS)


@dataclass(frozen=True)
class GroupSums:
    """The past of all members of each group, added up, on ln(1+units).

    Attributes:
        sums: Over each of `GROUP_WINDOWS`, float64 [window, group].
        counts: Observed days of all members, of the same shape.
        weekday_sums: Over eight weeks, by weekday as in `History`, float64 [7, group].
        weekday_counts: Observed days, of the same shape.
    """

    sums: np.ndarray
    counts: np.ndarray
    weekday_sums: np.ndarray
    weekday_counts: np.ndarray

    @classmethod
    def of(cls, past: History, code: np.ndarray) -> "GroupSums":
        """Add up over the members.

        Args:
            past: Sums of each series.
            code: Group of each series, int [series].
        """
        return cls(
            sums=add_up(past.sums[_WINDOWS], code),
            counts=add_up(past.counts[_WINDOWS], code),
            weekday_sums=add_up(past.weekday_sums[_WEEKS], code),
            weekday_counts=add_up(past.weekday_counts[_WEEKS], code),
        )

    def means(self, name: str, code: np.ndarray) -> dict[str, np.ndarray]:
        """Return the means of each series' group, float32 [series] by name.

        A mean is the sum over all members divided by their observed days.
        """
        means = divide(self.sums, self.counts)
        return {f"{name}_mean_{window}": means[i][code] for i, window in enumerate(GROUP_WINDOWS)}

    def weekday_means(self, code: np.ndarray) -> np.ndarray:
        """Return the means of each series' group by weekday, float32 [7, series]."""
        return divide(self.weekday_sums, self.weekday_counts)[:, code]


def group_codes(panel: Panel) -> dict[str, np.ndarray]:
    """Return the group of each series, int [series], by name of the grouping."""
    return {ITEM: panel.items[0]} | panel.store_groups


def add_up(values: np.ndarray | Sequence[np.ndarray], code: np.ndarray) -> np.ndarray:
    """Return the sums over each group, float64 [row, group], of values [row, series]."""
    return np.stack([np.bincount(code, weights=row) for row in values])
