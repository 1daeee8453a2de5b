"""What other series say of each series at the end of a day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from grocery_demand.core.features.groups import ITEM, GroupSums
from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.panel import Panel


@dataclass(frozen=True)
class Surroundings:
    """The groups that series belong to, and what these say.

    Attributes:
        codes: Group of each series, int [series], by name of the grouping.
        sums: Sums over the members of each group, by the same names.
        items: What all stores say of each item.
        month_days: What each day of the month brings each family of a store, in ln units, NaN
            where it is not known, float32 [`family_store`, day of the month - 1]; see `MonthDays`.
            None: nobody asks for it.
    """

    codes: dict[str, np.ndarray]
    sums: dict[str, GroupSums]
    items: ItemSums
    month_days: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        panel: Panel,
        day: int,
        groups: Mapping[str, GroupSums],
        all_stores: ItemSums | None = None,
        month_days: np.ndarray | None = None,
    ) -> "Surroundings":
        """Return what the series of a panel say of each other at the end of a day.

        Args:
            panel: The panel; of `units` only days up to `day` are read.
            day: The cutoff, as a day of the panel.
            groups: Sums of each group of these series, by name of the grouping; those of the items
                are only needed without `all_stores`.
            all_stores: What all stores say of each item; None: those of the panel are all.
            month_days: What each day of the month brings, see above.
        """
        item, item_nbrs = panel.items
        items = all_stores or ItemSums.of(panel, day, groups[ITEM])
        codes = {ITEM: items.positions(item_nbrs)[item]} | panel.store_groups
        of_stores = {name: groups[name] for name in panel.store_groups}
        return cls(codes, {ITEM: items.past} | of_stores, items, month_days)

    def of_rows(self, rows: np.ndarray) -> "Surroundings":
        """Return what all say of some of the series, given by their positions."""
        return replace(self, codes={name: code[rows] for name, code in self.codes.items()})
