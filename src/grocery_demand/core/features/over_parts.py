"""Item sums over the parts of a panel."""

from collections.abc import Sequence

from grocery_demand.core.features.group_days import GroupDays
from grocery_demand.core.features.groups import ITEM
from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts


def sum_items(parts: PanelParts, days: Sequence[int]) -> list[ItemSums | None]:
    """Return what all stores say of each item at some cutoffs, for `Snapshot.all_stores`.

    None for each if there is but one part, which finds it on its own.
    """
    if parts.n_parts == 1:
        return [None] * len(days)
    sums: list[ItemSums] = parts.reduce(_sum_items_of_part, _add_up, list(days))
    return [*sums]


def _add_up(parts: Sequence[list[ItemSums]]) -> list[ItemSums]:
    """Add up what parts say, cutoff by cutoff."""
    return [ItemSums.add_up(sums) for sums in zip(*parts, strict=True)]


def _sum_items_of_part(part: Panel, days: list[int]) -> list[ItemSums]:
    by_day = GroupDays.of(part, days, [ITEM])
    return [ItemSums.of(part, day, by_day.at(day)[ITEM]) for day in days]
