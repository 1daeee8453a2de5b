"""What groups of series sold day by day, from which many cutoffs are summed up at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.features.groups import (
    GROUP_WEEKS,
    GROUP_WINDOWS,
    GroupSums,
    group_codes,
)
from grocery_demand.core.panel import Panel

_N_DAYS = max(GROUP_WINDOWS)
_SERIES_PER_CHUNK = 256
"""Series added up at once: few enough that their days stay in the processor's cache."""


@dataclass(frozen=True)
class GroupDays:
    """Sales of all members of each group, on ln(1+units), of the days that some cutoffs look at.

    Attributes:
        days: The days, ascending; those before the panel's first are negative.
        sums: By name of the grouping, float64 [group, day].
        counts: Members that were observed, of the same shapes.
    """

    days: np.ndarray
    sums: dict[str, np.ndarray]
    counts: dict[str, np.ndarray]

    @classmethod
    def of(cls, panel: Panel, cutoffs: Iterable[int], names: Iterable[str]) -> "GroupDays":
        """Add up over the members.

        Args:
            panel: The panel; of `units` only days up to the last cutoff are read.
            cutoffs: Days of the panel.
            names: Groupings, some of `GROUPS`.
        """
        windows = [np.arange(cutoff + 1 - _N_DAYS, cutoff + 1) for cutoff in cutoffs]
        days = np.unique(np.concatenate(windows))
        known = days[days >= 0]
        codes = {name: code for name, code in group_codes(panel).items() if name in set(names)}
        shapes = {name: (code.max(initial=-1) + 1, len(days)) for name, code in codes.items()}
        is_open = panel.open_days[:, known]
        sums, counts = ({name: np.zeros(shape) for name, shape in shapes.items()} for _ in range(2))
        for start in range(0, len(panel.units), _SERIES_PER_CHUNK):
            rows = slice(start, start + _SERIES_PER_CHUNK)
            sold = np.log1p(_take_days(panel.units[rows], known))
            begun = known >= panel.first_sale[rows, None]
            observed = is_open[panel.store_position[rows]] & begun
            for name, code in codes.items():
                _add_members(sums[name][:, -len(known) :], sold, code[rows])
                _add_members(counts[name][:, -len(known) :], observed, code[rows])
        return cls(days, sums, counts)

    def at(self, cutoff: int) -> dict[str, GroupSums]:
        """Return the sums as they stand at the end of one of the cutoffs, by grouping."""
        end = int(np.searchsorted(self.days, cutoff)) + 1
        last_days = slice(end - _N_DAYS, end)
        found = {}
        for name, sums in self.sums.items():
            windows, weekdays = _add_up_windows(sums[:, last_days])
            observed, observed_weekdays = _add_up_windows(self.counts[name][:, last_days])
            found[name] = GroupSums(windows, observed, weekdays, observed_weekdays)
        return found


def _add_up_windows(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of [group, day] over windows and over weekdays, as in `GroupSums`."""
    weeks = block[:, -7 * GROUP_WEEKS :].reshape(len(block), GROUP_WEEKS, 7)
    return np.stack([block[:, -n:].sum(axis=1) for n in GROUP_WINDOWS]), weeks.sum(axis=1).T


def _take_days(values: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return ascending days of [series, day], without copying them twice if there are no gaps."""
    first, last = days[0], days[-1]
    between = values[:, first : last + 1]
    return between if last - first + 1 == len(days) else between[:, days - first]


def _add_members(total: np.ndarray, values: np.ndarray, code: np.ndarray) -> None:
    """Add values [series, day] to the totals [group, day] of their groups."""
    order = np.argsort(code, kind="stable")
    groups, first = np.unique(code[order], return_index=True)
    total[groups] += np.add.reduceat(values[order], first, axis=0, dtype=float)
