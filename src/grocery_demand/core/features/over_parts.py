"""Item sums over the parts of a panel."""

from collections.abc import Sequence

from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.features.matrix import Snapshot
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts


def sum_items(parts: PanelParts, days: Sequence[int]) -> list[ItemSums | None]:
    """Return what all stores say of each item at some cutoffs, for `Snapshot.all_stores`.

    None for each if there is but one part, which finds it on its own.
    """
    if parts.n_parts == 1:
        return [None] * len(days)
    found = parts.map(_sum_items_of_part, list(days))
    return [ItemSums.add_up([part[i] for part in found]) for i in range(len(days))]


def _sum_items_of_part(part: Panel, days: list[int]) -> list[ItemSums]:
    return [Snapshot(part, day).item_sums for day in days]
