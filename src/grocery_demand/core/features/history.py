"""What the past of each series says at the end of a day."""

from dataclasses import dataclass

import numpy as np

from grocery_demand.core.panel import Panel

WINDOWS = (1, 3, 7, 14, 28, 56, 112, 140)
"""Days before the cutoff over which means are taken."""

WEEKDAY_WINDOWS = (4, 8, 20)
"""Weeks before the cutoff over which means of one weekday are taken."""

HISTORY_DAYS = 140

MEDIAN_WINDOWS = (7, 14, 28, 56, 112)
"""Windows whose median is the level of the moving average (public Kaggle kernels' baseline)."""


@dataclass(frozen=True)
class History:
    """Statistics of each series over the days up to a cutoff, all on ln(1+units).

    Only observed days count: those from the series' first sale on, on which its store was open.

    Attributes:
        stats: By name, float32 [series]; NaN where nothing was observed.
        sums: Sum over each of `WINDOWS`, float32 [series, window].
        counts: Observed days in each of `WINDOWS`, float32 [series, window].
        weekday_sums: Sum over each of `WEEKDAY_WINDOWS`, float32 [series, window, 7]; the last
            axis is the weekday, 0 for the weekday of the day after the cutoff.
        weekday_counts: Observed days, of the same shape.
        last_week: The seven days up to the cutoff, float32 [series, 7], on the same axis.
    """

    stats: dict[str, np.ndarray]
    sums: np.ndarray
    counts: np.ndarray
    weekday_sums: np.ndarray
    weekday_counts: np.ndarray
    last_week: np.ndarray


def summarise_history(panel: Panel, day: int) -> History:
    """Summarise the last 140 days of every series, seen from the end of a day."""
    log_units = _last_days(panel.units, day, np.float32)
    np.log1p(log_units, out=log_units)
    observed = _observed_days(panel, day)
    sums, counts = _window_sums(log_units), _window_sums(observed)
    weeks = (len(log_units), HISTORY_DAYS // 7, 7)
    return History(
        stats=_series_stats(panel, day, log_units, sums, counts),
        sums=sums,
        counts=counts,
        weekday_sums=_weekday_sums(log_units.reshape(weeks)),
        weekday_counts=_weekday_sums(observed.reshape(weeks)),
        last_week=log_units[:, -7:].copy(),
    )


def divide(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return total / count as float32, NaN where the count is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan).astype(np.float32)


def _last_days(values: np.ndarray, day: int, dtype: type) -> np.ndarray:
    """Return the last 140 days up to a day, [series, 140], zero before the first day."""
    n_known = min(day + 1, HISTORY_DAYS)
    block: np.ndarray = np.zeros((len(values), HISTORY_DAYS), dtype)
    block[:, HISTORY_DAYS - n_known :] = values[:, day + 1 - n_known : day + 1]
    return block


def _observed_days(panel: Panel, day: int) -> np.ndarray:
    open_days = _last_days(panel.open_days, day, bool)[panel.store_position]
    first = panel.series["first_sale"].to_numpy() - (day + 1 - HISTORY_DAYS)
    return open_days & (np.arange(HISTORY_DAYS) >= first[:, None])


def _window_sums(block: np.ndarray) -> np.ndarray:
    """Return the sums over the last `WINDOWS` days, float32 [series, window]."""
    starts = [HISTORY_DAYS - window for window in reversed(WINDOWS)]
    parts = np.add.reduceat(block, starts, axis=1, dtype=np.float32)
    return np.ascontiguousarray(parts[:, ::-1].cumsum(axis=1, dtype=np.float32))


def _weekday_sums(block: np.ndarray) -> np.ndarray:
    n_weeks = block.shape[1]
    starts = [n_weeks - window for window in reversed(WEEKDAY_WINDOWS)]
    parts = np.add.reduceat(block, starts, axis=1, dtype=np.float32)
    return np.ascontiguousarray(parts[:, ::-1].cumsum(axis=1, dtype=np.float32))


def _series_stats(
    panel: Panel, day: int, log_units: np.ndarray, sums: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    means = divide(sums, counts)
    stats = {f"mean_{window}": means[:, i] for i, window in enumerate(WINDOWS)}
    sold = log_units > 0
    sold_sums = _window_sums(sold)
    for window in (7, 28, 112):
        i = WINDOWS.index(window)
        stats[f"sale_share_{window}"] = divide(sold_sums[:, i], counts[:, i])
    squares = _window_sums(log_units * log_units)
    for window in (28, 140):
        i = WINDOWS.index(window)
        variance = divide(squares[:, i], counts[:, i]) - means[:, i] ** 2
        stats[f"deviation_{window}"] = np.sqrt(np.maximum(variance, 0))
    stats["change_7_28"] = stats["mean_7"] - stats["mean_28"]
    stats["change_28_112"] = stats["mean_28"] - stats["mean_112"]
    first_sale = panel.series["first_sale"].to_numpy()
    stats["days_since_first_sale"] = np.maximum(day + 1 - first_sale, 0).astype(np.float32)
    stats["days_since_sale"] = _days_since_sale(sold)
    return stats | _promotion_stats(panel, day, log_units, sums, counts)


def _days_since_sale(sold: np.ndarray) -> np.ndarray:
    """Return the days since the last day with a sale, 0 if it is the cutoff, at most 140."""
    days = np.argmax(sold[:, ::-1], axis=1).astype(np.float32)
    days[~sold.any(axis=1)] = HISTORY_DAYS
    return days


def _promotion_stats(
    panel: Panel, day: int, log_units: np.ndarray, sums: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    promoted = _last_days(panel.promotions, day, np.uint8)
    days = _window_sums(promoted)
    stats = {f"promotions_{window}": days[:, WINDOWS.index(window)] for window in (7, 28, 140)}
    units = np.einsum("ij,ij->i", log_units, promoted, dtype=np.float32)
    stats["mean_promoted"] = divide(units, days[:, -1])
    stats["mean_unpromoted"] = divide(sums[:, -1] - units, counts[:, -1] - days[:, -1])
    return stats


def moving_average_level(history: History) -> np.ndarray:
    """Return the median of the window means, float32 [series]; NaN where nothing was observed."""
    with np.errstate(all="ignore"):
        return np.median([history.stats[f"mean_{w}"] for w in MEDIAN_WINDOWS], axis=0)
