"""What the past of each series says at the end of a day."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from grocery_demand.core.panel import Panel

WINDOWS = (1, 3, 7, 14, 28, 56, 112, 140)
"""Days before the cutoff over which means are taken."""

WEEKDAY_WINDOWS = (4, 8, 20)
"""Weeks before the cutoff over which means of one weekday are taken."""

HISTORY_DAYS = 140

_SERIES_PER_CHUNK = 1024
"""Series summarised at once: few enough that their days stay in the processor's cache."""

MEDIAN_WINDOWS = (7, 14, 28, 56, 112)
"""Windows whose median is the level of the moving average (public Kaggle kernels' baseline)."""


@dataclass(frozen=True)
class History:
    """Statistics of each series over the days up to a cutoff, all on ln(1+units).

    Only observed days count: those from the series' first sale on, on which its store was open.

    Attributes:
        sums: Sum over each of `WINDOWS`, float64 [window, series].
        counts: Observed days in each of `WINDOWS`, float32 [window, series].
        weekday_sums: Sum over each of `WEEKDAY_WINDOWS`, float64 [window, 7, series]; the middle
            axis is the weekday, 0 for the weekday of the day after the cutoff.
        weekday_counts: Observed days, float32 of the same shape.
        stats: By name, float32 [series]; NaN where nothing was observed.
        last_week: The seven days up to the cutoff, float32 [7, series], by weekday as above.
    """

    sums: np.ndarray
    counts: np.ndarray
    weekday_sums: np.ndarray
    weekday_counts: np.ndarray
    stats: dict[str, np.ndarray]
    last_week: np.ndarray


def summarise_history(panel: Panel, day: int) -> History:
    """Summarise the last 140 days of every series, seen from the end of a day."""
    starts = range(0, max(len(panel.units), 1), _SERIES_PER_CHUNK)
    parts = [_summarise_days(panel, day, slice(s, s + _SERIES_PER_CHUNK)) for s in starts]
    found = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    kept = ("sums", "counts", "weekday_sums", "weekday_counts", "last_week")
    stats = _series_stats(found) | _promotion_stats(found)
    stats["days_since_first_sale"] = np.maximum(day + 1 - panel.first_sale, 0).astype(np.float32)
    return History(stats=stats, **{name: found[name] for name in kept})


def divide(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return total / count as float32, NaN where the count is zero."""
    unknown = np.full(np.shape(total), np.nan, np.float32)
    return np.divide(total, count, out=unknown, where=count > 0, casting="same_kind")


def moving_average_level(history: History) -> np.ndarray:
    """Return the median of the window means, float32 [series]; NaN where nothing was observed."""
    means = np.sort([history.stats[f"mean_{w}"] for w in MEDIAN_WINDOWS], axis=0)
    n_known = np.sum(~np.isnan(means), axis=0)
    middle = np.stack([np.maximum(n_known - 1, 0) // 2, n_known // 2])
    return np.take_along_axis(means, middle, axis=0).mean(axis=0)


def _summarise_days(panel: Panel, day: int, rows: slice) -> dict[str, np.ndarray]:
    """Return the sums of some series, with series on the last axis, by name."""
    units = _last_days(panel.units[rows], day)
    log_units = np.log1p(units, out=units)
    observed = _observed_days(panel, day, rows)
    sold = (log_units > 0).view(np.uint8)
    promoted = _last_days(panel.promotions[rows], day) & observed
    exact = log_units.astype(np.float64)
    return {
        "sums": _sums_back(exact, WINDOWS),
        "counts": _sums_back(observed, WINDOWS),
        "weekday_sums": _sums_back(_by_week(exact), WEEKDAY_WINDOWS),
        "weekday_counts": _sums_back(_by_week(observed), WEEKDAY_WINDOWS),
        "squares": _sums_back(log_units * log_units, WINDOWS),
        "sold": _sums_back(sold, WINDOWS),
        "last_week": log_units[-7:].copy(),
        "days_since_sale": _days_since_sale(sold),
        "promoted": _sums_back(promoted, WINDOWS),
        "promoted_sum": _add_up_days(log_units * promoted),
    }


def _last_days(values: np.ndarray, day: int) -> np.ndarray:
    """Return the last 140 days up to a day, [day, series], zero before the first day."""
    n_known = min(day + 1, HISTORY_DAYS)
    block = np.zeros((HISTORY_DAYS, len(values)), values.dtype)
    block[HISTORY_DAYS - n_known :] = values[:, day + 1 - n_known : day + 1].T
    return block


def _observed_days(panel: Panel, day: int, rows: slice) -> np.ndarray:
    open_days = _last_days(panel.open_days, day)[:, panel.store_position[rows]]
    first = panel.first_sale[rows] - (day + 1 - HISTORY_DAYS)
    return (open_days & (np.arange(HISTORY_DAYS)[:, None] >= first)).view(np.uint8)


def _by_week(block: np.ndarray) -> np.ndarray:
    return block.reshape(len(block) // 7, 7, -1)


def _sums_back(block: np.ndarray, windows: tuple[int, ...]) -> np.ndarray:
    """Return the sums of the last rows of a block, as many as each window says.

    float64 of float64, which then are exact (see `groups`); float32 of all else.
    """
    n = len(block)
    parts = [
        _add_up_days(block[n - longer : n - shorter])
        for shorter, longer in zip((0, *windows), windows, strict=False)
    ]
    exact = block.dtype == np.float64
    return np.array(list(accumulate(parts)), np.float64 if exact else np.float32)


def _add_up_days(block: np.ndarray) -> np.ndarray:
    """Return the sums over days, one day after the other.

    numpy adds a lone series up in another order, and would round it otherwise than among others.
    """
    if block.shape[-1] == 1:
        return np.repeat(block, 2, axis=-1).sum(axis=0, dtype=block.dtype)[..., :1]
    return block.sum(axis=0, dtype=block.dtype)


def _days_since_sale(sold: np.ndarray) -> np.ndarray:
    """Return the days since the last day with a sale, 0 if it is the cutoff, at most 140."""
    position = np.arange(1, HISTORY_DAYS + 1, dtype=np.uint8)
    return HISTORY_DAYS - (sold * position[:, None]).max(axis=0).astype(np.float32)


def _series_stats(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    means = divide(found["sums"], found["counts"])
    stats = {f"mean_{window}": means[i] for i, window in enumerate(WINDOWS)}
    shares = divide(found["sold"], found["counts"])
    stats |= {f"sale_share_{window}": shares[WINDOWS.index(window)] for window in (7, 28, 112)}
    variances = divide(found["squares"], found["counts"]) - means**2
    for window in (28, 140):
        variance = variances[WINDOWS.index(window)]
        stats[f"deviation_{window}"] = np.sqrt(np.maximum(variance, 0))
    stats["change_7_28"] = stats["mean_7"] - stats["mean_28"]
    stats["change_28_112"] = stats["mean_28"] - stats["mean_112"]
    stats["days_since_sale"] = found["days_since_sale"]
    return stats


def _promotion_stats(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    days, total = found["promoted"], found["promoted_sum"]
    stats = {f"promotions_{window}": days[WINDOWS.index(window)] for window in (7, 28, 140)}
    stats["mean_promoted"] = divide(total, days[-1])
    unpromoted_days = found["counts"][-1] - days[-1]
    stats["mean_unpromoted"] = divide(found["sums"][-1] - total, unpromoted_days)
    return stats
