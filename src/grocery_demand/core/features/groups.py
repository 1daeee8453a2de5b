"""What the past of similar series says: group sums that split by store and add up."""

import numpy as np
import pandas as pd

from grocery_demand.core.features.history import (
    WEEKDAY_WINDOWS,
    WINDOWS,
    History,
    divide,
)

GROUPS: dict[str, list[str]] = {
    "item": ["item_nbr"],
    "class_store": ["class", "store_nbr"],
    "family_store": ["family", "store_nbr"],
}
"""Groups of series by name, with the columns that define them."""

GROUP_WINDOWS = (7, 28, 112)


def group_codes(series: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the group of each series, int [series], by name of the grouping."""
    return {
        name: series.groupby(columns, sort=True).ngroup().to_numpy()
        for name, columns in GROUPS.items()
    }


def summarise_groups(history: History, codes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return means over each series' groups, float32 [series] by name.

    A mean is the sum over all members divided by their observed days.
    """
    stats = {}
    for name, code in codes.items():
        for window in GROUP_WINDOWS:
            i = WINDOWS.index(window)
            total, days = _add_up(history.sums[i], code), _add_up(history.counts[i], code)
            stats[f"{name}_mean_{window}"] = divide(total, days)[code]
    return stats


def summarise_group_weekdays(
    history: History, codes: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return means over each series' groups by weekday, float32 [7, series] by name."""
    stats = {}
    i = WEEKDAY_WINDOWS.index(8)
    for name, code in codes.items():
        pairs = zip(history.weekday_sums[i], history.weekday_counts[i], strict=True)
        means = [divide(_add_up(s, code), _add_up(c, code))[code] for s, c in pairs]
        stats[f"{name}_weekday_mean"] = np.stack(means)
    return stats


def count_in_groups(
    values: np.ndarray, members: np.ndarray, code: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many members of each group have a 1, [step, group], and its members, [group].

    Args:
        values: 0 or 1, [step, series].
        members: Whether the series counts, bool [series].
        code: Group of each series, int [series].
    """
    return np.stack([_add_up(row * members, code) for row in values]), _add_up(members, code)


def _add_up(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    return np.bincount(code, weights=values)
