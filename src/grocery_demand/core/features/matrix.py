"""The one feature function: panel, cutoff and days ahead to a matrix.

Training, batch forecasts and the web app all call `Snapshot.features`. Nothing after the cutoff
enters but what is known ahead: calendar, holidays and the promotion plan.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grocery_demand.core.features.encoding import ATTRIBUTES, Encoding
from grocery_demand.core.features.groups import (
    group_codes,
    share_of_group,
    summarise_group_weekdays,
    summarise_groups,
)
from grocery_demand.core.features.history import (
    WEEKDAY_WINDOWS,
    History,
    divide,
    moving_average_level,
    summarise_history,
)
from grocery_demand.core.panel import Panel

YEAR = 364
"""A lag of 52 whole weeks: a year ago on the same weekday."""

PLAN_DAYS = 16
"""Days ahead whose promotions count as known, also where later sales show more of them.

As many as Kaggle's plan has; in training as in forecasting, so that the model learns from no plan
that is longer than the one it will be given.
"""

SEASONAL_NAIVE = "seasonal_naive"
MOVING_AVERAGE = "moving_average"

RELATIVE = "_relative"
"""Suffix of a feature from which the moving average is subtracted.

Both are ln(1+units), so that the difference says by which factor the feature lies above what is
expected of that weekday, whatever the size of the series.
"""

CALENDAR_FEATURES = (
    "weekday",
    "day_of_month",
    "days_to_month_end",
    "month",
    "day_of_year",
    "national_day",
    "days_to_holiday",
    "days_since_holiday",
    "local_holiday",
)


@dataclass(frozen=True)
class Snapshot:
    """All that is known of every series at the end of a day.

    Attributes:
        panel: The panel; of `units` only days up to `day` are read.
        day: The cutoff, as a day of the panel.
    """

    panel: Panel
    day: int

    @cached_property
    def history(self) -> History:
        """Statistics of each series."""
        return summarise_history(self.panel, self.day)

    @cached_property
    def series_stats(self) -> dict[str, np.ndarray]:
        """What depends on the series alone, float32 [series] by name."""
        return self.history.stats | summarise_groups(self.history, self._codes)

    @cached_property
    def weekday_stats(self) -> dict[str, np.ndarray]:
        """What depends on series and weekday, float32 [7, series] by name.

        The first axis is the weekday, 0 for the weekday of the day after the cutoff.
        """
        past = self.history
        means = divide(past.weekday_sums, past.weekday_counts)
        own = {f"weekday_mean_{w}": means[i] for i, w in enumerate(WEEKDAY_WINDOWS)}
        groups = summarise_group_weekdays(past, self._codes)
        level = self._fill_unknown(moving_average_level(past), "mean_28")
        shape = means[WEEKDAY_WINDOWS.index(8)] - past.stats["mean_56"]
        moving_average = np.maximum(level + np.nan_to_num(shape), 0)
        baselines = {SEASONAL_NAIVE: past.last_week, MOVING_AVERAGE: moving_average}
        return baselines | own | groups

    def features(
        self,
        encoding: Encoding,
        steps: np.ndarray,
        names: tuple[str, ...],
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the features of some series for some days ahead.

        Args:
            encoding: The model's vocabulary.
            steps: Days ahead of the cutoff, 1 for the day after it, int [step].
            names: The features wanted, in this order.
            rows: Positions of the series wanted; all of them by default.

        Returns:
            float32 [series x step, feature] in column-major order, the steps of a series one
            after the other.
        """
        rows = np.arange(len(self.panel.series)) if rows is None else rows
        matrix = np.empty((len(names), len(rows), len(steps)), np.float32)
        for i, name in enumerate(names):
            matrix[i] = self._feature(name, encoding, steps, rows)
        return matrix.reshape(len(names), -1).T

    def _feature(
        self, name: str, encoding: Encoding, steps: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Return one feature, broadcastable to [row, step]."""
        if name.endswith(RELATIVE):
            feature = self._feature(name.removesuffix(RELATIVE), encoding, steps, rows)
            return feature - self._feature(MOVING_AVERAGE, encoding, steps, rows)
        if name in ATTRIBUTES:
            return encoding.encode(self.panel.series[[name]].iloc[rows], name)[:, None]
        if name in _AHEAD:
            return _AHEAD[name](self, steps, rows)
        if name in self.series_stats:
            return self.series_stats[name][rows, None]
        return self.weekday_stats[name][(steps - 1) % 7, rows[:, None]]

    @cached_property
    def _codes(self) -> dict[str, np.ndarray]:
        return group_codes(self.panel.series)

    @cached_property
    def _day_features(self) -> dict[str, np.ndarray]:
        return self.panel.calendar.day_features()

    @cached_property
    def _item_shares_promoted(self) -> np.ndarray:
        """Share of each series' item's started series on promotion, float32 [day ahead, series].

        The last row is the day after the plan.
        """
        plan = self._planned(np.arange(1, PLAN_DAYS + 2), np.arange(len(self.panel.series)))
        started = self.panel.series["first_sale"].to_numpy() <= self.day
        return share_of_group(plan.T, started, self._codes["item"])

    def _fill_unknown(self, level: np.ndarray, statistic: str) -> np.ndarray:
        """Give series without a past the level of their item, else class, else family."""
        for group in ("item", "class_store", "family_store"):
            level = np.where(np.isnan(level), self.series_stats[f"{group}_{statistic}"], level)
        return np.nan_to_num(level)

    def _planned(self, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the promotions known, uint8 [row, step]; 0 beyond the plan."""
        days = self.day + steps
        known = (steps <= PLAN_DAYS) & (days < self.panel.promotions.shape[1])
        plan = np.zeros((len(rows), len(steps)), np.uint8)
        plan[:, known] = self.panel.promotions[rows[:, None], days[known]]
        return plan

    def _log_units(self, days: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return ln(1+units) of past days [row, day]; NaN outside what is known at the cutoff."""
        first = self.panel.series["first_sale"].to_numpy()[rows, None]
        values = self.panel.units[rows[:, None], np.clip(days, 0, self.day)]
        known = (days >= first) & (days >= 0) & (days <= self.day)
        return np.where(known, np.log1p(values), np.nan)


_AheadFeature = Callable[[Snapshot, np.ndarray, np.ndarray], np.ndarray]


def _local_holiday(known: Snapshot, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    stores = known.panel.store_position[rows]
    return known.panel.calendar.local[stores[:, None], known.day + steps]


def _promotions_ahead(known: Snapshot, _: np.ndarray, rows: np.ndarray) -> np.ndarray:
    plan = known._planned(np.arange(1, PLAN_DAYS + 1), rows)
    return plan.sum(axis=1, dtype=np.float32)[:, None]


def _item_share_promoted(known: Snapshot, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    day_of_plan = np.where(steps <= PLAN_DAYS, steps, PLAN_DAYS + 1) - 1
    return known._item_shares_promoted[day_of_plan, rows[:, None]]


def _year_ago(known: Snapshot, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return known._log_units(_same_day_year_ago(known, steps), rows)


def _year_ago_change(known: Snapshot, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the week around the day a year ago against the 28 days up to the cutoff's."""
    base = known._log_units(known.day - YEAR - np.arange(28), rows)
    around = [known._log_units(_same_day_year_ago(known, steps) + k, rows) for k in range(-3, 4)]
    return np.mean(around, axis=0) - base.mean(axis=1)[:, None]


def _same_day_year_ago(known: Snapshot, steps: np.ndarray) -> np.ndarray:
    return known.day + steps - YEAR * np.ceil(steps / YEAR).astype(int)


def _step(_known: Snapshot, steps: np.ndarray, _rows: np.ndarray) -> np.ndarray:
    return steps[None, :]


def _plan_shifted_by(days: int) -> _AheadFeature:
    return lambda known, steps, rows: known._planned(steps + days, rows)


def _calendar_feature(name: str) -> _AheadFeature:
    return lambda known, steps, _rows: known._day_features[name][None, known.day + steps]


_AHEAD: dict[str, _AheadFeature] = {
    "step": _step,
    "onpromotion": _plan_shifted_by(0),
    "onpromotion_day_before": _plan_shifted_by(-1),
    "onpromotion_day_after": _plan_shifted_by(1),
    "promotions_ahead": _promotions_ahead,
    "item_share_promoted": _item_share_promoted,
    "year_ago": _year_ago,
    "year_ago_change": _year_ago_change,
    "local_holiday": _local_holiday,
} | {name: _calendar_feature(name) for name in CALENDAR_FEATURES if name != "local_holiday"}
