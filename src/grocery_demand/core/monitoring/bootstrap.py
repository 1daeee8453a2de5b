"""Thresholds from history: what a distance was in the past, drawn again and again.

Series are drawn in groups (a cluster bootstrap, Davison and Hinkley 1997, section 3.8), as all days
of a series belong together, and with each draw one of the past comparisons. So the threshold knows
both how far history moved and how much of that hangs on single series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.monitoring.distance import stability_index

N_GROUPS = 25
_QUANTILE = 0.995
_DRAWS = 500
_SEED = 17
_SCATTER = 2_654_435_761
"""2³² divided by the golden ratio (Knuth, The Art of Computer Programming, section 6.4)."""


@dataclass(frozen=True)
class Draws:
    """What is drawn.

    Attributes:
        times: How often each group of series is drawn, float64 [draw, group].
        which: Which of the past comparisons is drawn, int [draw].
    """

    times: np.ndarray
    which: np.ndarray

    @classmethod
    def make(cls, n_groups: int, n_comparisons: int) -> "Draws":
        """Draw as many groups as there are, with replacement; always the same ones."""
        generator = np.random.default_rng(_SEED)
        times = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=_DRAWS)
        return cls(times.astype(float), generator.integers(n_comparisons, size=_DRAWS))

    def sum_up(self, counts: np.ndarray) -> np.ndarray:
        """Return what each draw counts, float64 [draw, bin].

        Args:
            counts: float64 [group, comparison, bin].
        """
        drawn = np.empty((len(self.which), counts.shape[2]))
        for one in np.unique(self.which):
            mine = self.which == one
            drawn[mine] = self.times[mine] @ counts[:, one]
        return drawn


def group_series(positions: np.ndarray) -> np.ndarray:
    """Return the group of each series, int [series], by its position in the panel.

    Positions are scattered first: a panel in which each store has the same items would put an item
    into the same group in each store.
    """
    scattered = np.asarray(positions).astype(np.uint64) * np.uint64(_SCATTER) % np.uint64(2**32)
    return (scattered >> np.uint64(16)).astype(int) % N_GROUPS


def set_threshold(null: np.ndarray, least: float, factor: float) -> float:
    """Return max(least, factor × the 99.5 % quantile of the draws that are known).

    Args:
        null: The distance by draw; NaN where nothing was counted.
        least: What counts as no change in any case.
        factor: By how much more than history itself moved it takes to be a change.
    """
    known = null[np.isfinite(null)]
    usual = float(np.quantile(known, _QUANTILE)) if len(known) else 0.0
    return max(least, factor * usual)


def compare_shares(reference: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the largest difference of cumulated shares by draw: Kolmogorov–Smirnov of bins.

    Args:
        reference: Counts float64 [draw, bin], the bins ascending.
        found: The same of what is compared with it.

    Returns:
        float64 [draw]; NaN where one of the two has no counts.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = [np.cumsum(c, axis=1) / c.sum(axis=1, keepdims=True) for c in (reference, found)]
    return np.abs(sums[0] - sums[1]).max(axis=1)


def nearest_index(references: Sequence[np.ndarray], found: np.ndarray) -> np.ndarray:
    """Return the lowest stability index against several references; NaN where all are unknown."""
    indices = [stability_index(reference, found) for reference in references]
    return np.fmin.reduce(indices)
