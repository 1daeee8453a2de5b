"""How much memory Dask has to count for what workers hold, so that it spills in time."""

import mmap
from dataclasses import fields
from typing import Any

import numpy as np
from dask.sizeof import sizeof

from grocery_demand.core.features.groups import GroupSums
from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.panel import Panel
from grocery_demand.core.promotion_filling import PromotionCounts
from grocery_demand.core.rows import Rows


@sizeof.register((Panel, PromotionCounts, Rows, ItemSums, GroupSums))
def size_of_fields(thing: Any) -> int:
    """Return bytes in memory; arrays that are mapped from a disk take none that stay.

    One that came over the network is of the same type, but lies in memory.
    """
    values = (getattr(thing, field.name) for field in fields(thing))
    return sum(0 if _is_mapped(value) else int(sizeof(value)) for value in values)


def let_go_of_pages(part: Any) -> None:
    """Give back what was read of a panel's files; it is read again from them when it is needed.

    Dask counts what is mapped as a worker's memory, for which it pauses the worker and ends it.
    """
    if not isinstance(part, Panel) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    for array in (*vars(part).values(), *vars(part.calendar).values()):
        if _is_mapped(array) and array.mode == "r":
            array._mmap.madvise(mmap.MADV_DONTNEED)


def _is_mapped(value: Any) -> bool:
    return isinstance(value, np.memmap) and getattr(value, "_mmap", None) is not None
