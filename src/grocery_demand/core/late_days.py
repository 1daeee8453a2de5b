"""Days of sales that came, or came anew, when later days were known already."""

from collections.abc import Iterable

import numpy as np

from grocery_demand.core.panel import Panel


def note_late_days(panel: Panel, dates: Iterable[object]) -> dict[str, str]:
    """Return the panel's late days and those that arrive now, each with the cutoff that stands.

    Args:
        panel: The panel before it takes the days in.
        dates: Dates of the days that arrive; those after the cutoff are not late.
    """
    cutoff = str(panel.cutoff)
    late = {day: cutoff for date in dates if (day := str(date)) <= cutoff}
    return merge_late_days(panel.late_days, late)


def merge_late_days(former: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Return the days of both, sorted, each with the later cutoff."""
    days = sorted(former | new)
    return {day: max(former.get(day, ""), new.get(day, "")) for day in days}


def saw_other_sales(panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return whether the history up to each cutoff may have changed since it was the last day.

    A forecast made at such a cutoff may rest on other sales than the panel holds now. One made
    after the late day came, with the cutoff still the same, is among them: it looks alike.

    Args:
        panel: Sales and what came late.
        cutoffs: Days of the panel, int [event].
    """
    changed = np.zeros(len(cutoffs), bool)
    for day, known in panel.late_days.items():
        changed |= (cutoffs >= panel.day_of(day)) & (cutoffs <= panel.day_of(known))
    return changed
