"""How far two distributions lie apart."""

import numpy as np

_LEAST_SHARE = 1e-4
"""Shares below it count as this, so that an empty bin does not make the index infinite."""


def stability_index(reference: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the population stability index Σ (p − q) ln(p / q) of counts by bin.

    The symmetric Kullback–Leibler divergence (Jeffreys 1946), in credit scoring called PSI
    (Siddiqi 2006): below 0.1 counts as no change, above 0.25 as a large one.

    Args:
        reference: Counts or weights [..., bin].
        found: The same of what is compared with it.

    Returns:
        One number for each leading index; NaN where one of the two has no counts at all.
    """
    p, q = _to_shares(found), _to_shares(reference)
    return np.sum((p - q) * np.log(p / q), axis=-1)


def _to_shares(counts: np.ndarray) -> np.ndarray:
    counts = np.asarray(counts, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = counts / counts.sum(axis=-1, keepdims=True)
    return np.maximum(shares, _LEAST_SHARE)


def count_bins(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return how many values lie between the edges, float64 [edge + 2]; unknown ones stand last."""
    known = values[~np.isnan(values)]
    bins = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    return np.append(bins, len(values) - len(known)).astype(float)


def find_edges(values: np.ndarray, n_bins: int = 10) -> np.ndarray:
    """Return the edges between bins that hold about as many of the known values each."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return np.empty(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, n_bins + 1)[1:-1]))


def largest_gap(reference: np.ndarray, found: np.ndarray) -> float:
    """Return the two-sample Kolmogorov–Smirnov statistic of the known values; NaN without any."""
    from scipy.stats import ks_2samp

    reference, found = (each[~np.isnan(each)] for each in (reference, found))
    if not len(reference) or not len(found):
        return float("nan")
    return float(ks_2samp(reference, found, method="asymp").statistic)
