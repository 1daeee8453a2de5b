"""What groups of series sold day by day, from which many cutoffs are summed up at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from grocery_demand.core.features.groups import (
    GROUP_WEEKS,
    GROUP_WINDOWS,
    GroupSums,
    group_codes,
)
from grocery_demand.core.panel import Panel

_N_DAYS = max(GROUP_WINDOWS)
_SERIES_PER_CHUNK = 128
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
    def of(
        cls, panel: Panel, cutoffs: Iterable[int], names: Iterable[str], n_days: int = _N_DAYS
    ) -> "GroupDays":
        """Add up over the members.

        Args:
            panel: The panel; of `units` only days up to the last cutoff are read.
            cutoffs: Days of the panel.
            names: Groupings, some of `GROUPS`.
            n_days: Days looked back at from each cutoff, its own included.
        """
        windows = [np.arange(cutoff + 1 - n_days, cutoff + 1) for cutoff in cutoffs]
        days = np.unique(np.concatenate(windows))
        known = days[days >= 0]
        wanted = set(names)
        codes = {name: code for name, code in group_codes(panel).items() if name in wanted}
        sizes = [int(code.max(initial=-1)) + 1 for code in codes.values()]
        starts = np.cumsum([0, *sizes])
        each = np.stack([c + start for c, start in zip(codes.values(), starts, strict=False)])
        is_open = panel.open_days[:, known]
        sums, counts = np.zeros((2, starts[-1], len(days)))
        for start in range(0, len(panel.units), _SERIES_PER_CHUNK):
            rows = slice(start, start + _SERIES_PER_CHUNK)
            groups, members = _find_members(each[:, rows])
            sold = np.log1p(_take_days(panel.units[rows], known))
            begun = known >= panel.first_sale[rows, None]
            observed = is_open[panel.store_position[rows]] & begun
            sums[groups, -len(known) :] += members @ sold.astype(float)
            counts[groups, -len(known) :] += members @ observed.astype(float)
        bounds = list(zip(codes, pairwise(starts), strict=True))
        return cls(days, *({n: a[i:j] for n, (i, j) in bounds} for a in (sums, counts)))

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


def _find_members(codes: np.ndarray) -> tuple[np.ndarray, sparse.csr_array]:
    """Return the groups that some series belong to, and a matrix [group, series] of ones and zeros.

    Args:
        codes: Groups of each series, int [grouping, series].
    """
    groups, at = np.unique(codes, return_inverse=True)
    n_groupings, n_series = codes.shape
    places = at.ravel(), np.tile(np.arange(n_series), n_groupings)
    ones = np.ones(codes.size)
    return groups, sparse.csr_array((ones, places), shape=(len(groups), n_series))
