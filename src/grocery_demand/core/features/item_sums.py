"""What all stores together say of each item: the one statistic that goes beyond a store."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.features.groups import GroupSums, add_up
from grocery_demand.core.features.plan import PLAN_DAYS, list_plan
from grocery_demand.core.panel import Panel

_ARRAYS = ("sums", "counts", "weekday_sums", "weekday_counts")


@dataclass(frozen=True)
class ItemSums:
    """Sums over stores at one cutoff.

    Attributes:
        item_nbrs: The items, ascending, int [item].
        past: What was sold of them.
        promoted: Series that have begun and are on promotion, by day ahead from 1 to the day after
            the plan, float64 [day, item].
        started: Series that have begun, float64 [item].
    """

    item_nbrs: np.ndarray
    past: GroupSums
    promoted: np.ndarray
    started: np.ndarray

    def positions(self, item_nbr: np.ndarray) -> np.ndarray:
        """Return the position of each item number, all of which are known, int."""
        return np.searchsorted(self.item_nbrs, item_nbr)

    @classmethod
    def of(cls, panel: Panel, day: int, past: GroupSums) -> "ItemSums":
        """Return what the stores of a panel say at the end of a day.

        Args:
            panel: The panel; of `units` only days up to `day` are read.
            day: The cutoff, as a day of the panel.
            past: What was sold of each item.
        """
        code, item_nbrs = panel.items
        begun = panel.first_sale <= day
        return cls(
            item_nbrs=item_nbrs,
            past=past,
            promoted=add_up(list_plan(panel, day)[:, 1 : PLAN_DAYS + 2].T * begun, code),
            started=add_up([begun], code)[0],
        )

    @classmethod
    def add_up(cls, parts: Sequence["ItemSums"]) -> "ItemSums":
        """Return the sums over the stores of all parts."""
        item_nbrs = np.unique(np.concatenate([part.item_nbrs for part in parts]))
        places = [np.searchsorted(item_nbrs, part.item_nbrs) for part in parts]

        def total(arrays: Sequence[np.ndarray]) -> np.ndarray:
            summed = np.zeros((*arrays[0].shape[:-1], len(item_nbrs)))
            for array, place in zip(arrays, places, strict=True):
                summed[..., place] += array
            return summed

        past = {name: total([getattr(part.past, name) for part in parts]) for name in _ARRAYS}
        return cls(
            item_nbrs=item_nbrs,
            past=GroupSums(**past),
            promoted=total([part.promoted for part in parts]),
            started=total([part.started for part in parts]),
        )
