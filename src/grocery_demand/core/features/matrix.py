"""The one feature function: panel, cutoff and days ahead to a matrix.

Training, batch forecasts and the web app all call `Snapshot.features`. Nothing after the cutoff
enters but what is known ahead: calendar, holidays and the promotion plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_

import numpy as np

from grocery_demand.core.features.ahead import AHEAD_FEATURES, Ahead, AheadFeature
from grocery_demand.core.features.encoding import ATTRIBUTES, Encoding
from grocery_demand.core.features.groups import FAMILY_STORE, ITEM, GroupSums, group_codes
from grocery_demand.core.features.history import (
    WEEKDAY_WINDOWS,
    History,
    divide,
    moving_average_level,
    summarise_history,
)
from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.features.month_days import MonthDays
from grocery_demand.core.features.plan import PLAN_DAYS, list_plan
from grocery_demand.core.features.surroundings import Surroundings
from grocery_demand.core.panel import Panel

SEASONAL_NAIVE = "seasonal_naive"
MOVING_AVERAGE = "moving_average"

RELATIVE = "_relative"
"""Suffix of a feature from which the moving average is subtracted.

Both are ln(1+units), so that the difference says by which factor the feature lies above what is
expected of that weekday, whatever the size of the series.
"""


@dataclass(frozen=True)
class Snapshot:
    """All that is known of the series of a panel at the end of a day.

    To learn from few series, the panel is cut to these: what reads other series belongs into
    `Surroundings`, which are always those of all.

    Attributes:
        panel: The panel; of `units` only days up to `day` are read.
        day: The cutoff, as a day of the panel.
        tried: Features by name beside those known here: see `core.feature_trials`.
        all_stores: What all stores say of each item, if the panel is a part of a larger one; see
            `core.features.sum_items`. None: its stores are all there are.
        around: What all series of the stores say of these, if the panel was cut to some of them;
            `all_stores` is in it. None: the panel holds all.
        months: What days of the month brought before this cutoff and others. None: it is found
            for this one.
    """

    panel: Panel
    day: int
    tried: Mapping[str, AheadFeature] = field(default_factory=dict)
    all_stores: ItemSums | None = None
    around: Surroundings | None = None
    months: MonthDays | None = None

    @cached_property
    def history(self) -> History:
        """Statistics of each series."""
        return summarise_history(self.panel, self.day)

    @cached_property
    def series_stats(self) -> dict[str, np.ndarray]:
        """What depends on the series alone, float32 [series] by name."""
        around = self.surroundings
        means = [sums.means(name, around.codes[name]) for name, sums in around.sums.items()]
        return reduce(or_, means, self.history.stats)

    @cached_property
    def weekday_stats(self) -> dict[str, np.ndarray]:
        """What depends on series and weekday, float32 [7, series] by name.

        The first axis is the weekday, 0 for the weekday of the day after the cutoff.
        """
        past = self.history
        means = divide(past.weekday_sums, past.weekday_counts)
        own = {f"weekday_mean_{w}": means[i] for i, w in enumerate(WEEKDAY_WINDOWS)}
        around = self.surroundings
        groups = {
            f"{name}_weekday_mean": sums.weekday_means(around.codes[name])
            for name, sums in around.sums.items()
        }
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
        what_if: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the features of some series for some days ahead.

        Args:
            encoding: The model's vocabulary.
            steps: Days ahead of the cutoff, 1 for the day after it, int [step]; or int [row, step]
                if every series has days of its own.
            names: The features wanted, in this order.
            rows: Positions of the series wanted; all of them by default.
            what_if: Promotions assumed on these days, see `Ahead`; each for itself.

        Returns:
            float32 [series x step, feature] in column-major order, the steps of a series one
            after the other.
        """
        rows = np.arange(len(self.panel.series)) if rows is None else rows
        ahead = Ahead(rows, np.atleast_2d(steps), what_if)
        matrix = np.empty((len(names), len(rows), ahead.steps.shape[1]), np.float32)
        for i, name in enumerate(names):
            matrix[i] = self.feature(name, encoding, ahead)
        return matrix.reshape(len(names), -1).T

    def feature(self, name: str, encoding: Encoding, ahead: Ahead) -> np.ndarray:
        """Return one feature, broadcastable to [row, step]."""
        rows = ahead.rows
        if name.endswith(RELATIVE):
            feature = self.feature(name.removesuffix(RELATIVE), encoding, ahead)
            return feature - self.feature(MOVING_AVERAGE, encoding, ahead)
        if name in ATTRIBUTES:
            return encoding.encode(self.panel.series[name].iloc[rows])[:, None]
        if name in AHEAD_FEATURES:
            return AHEAD_FEATURES[name](self, ahead)
        if name in self.tried:
            return self.tried[name](self, ahead)
        if name in self.series_stats:
            return self.series_stats[name][rows, None]
        return self.weekday_stats[name][(ahead.steps - 1) % 7, rows[:, None]]

    def planned_promotions(self, steps: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the promotions known, uint8 [row, step]; 0 beyond the plan.

        Args:
            steps: Days ahead, 0 for the cutoff's own day, int [row or 1, step].
            rows: Positions of the series, int [row].
        """
        return self._plan[rows[:, None], np.minimum(steps, PLAN_DAYS + 1)]

    @cached_property
    def _plan(self) -> np.ndarray:
        return list_plan(self.panel, self.day)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What other series say of each series."""
        if self.around is not None:
            return self.around
        codes = group_codes(self.panel)
        groups = {name: GroupSums.of(self.history, code) for name, code in codes.items()}
        return Surroundings.of(self.panel, self.day, groups, self.all_stores)

    @cached_property
    def month_days(self) -> np.ndarray:
        """What each day of the month brings each family of a store; see `Surroundings`."""
        if self.around is not None:
            if self.around.month_days is None:
                raise ValueError("What days of the month bring was not asked of all series.")
            return self.around.month_days
        return (self.months or MonthDays.of(self.panel, [self.day])).at(self.day)

    @cached_property
    def day_features(self) -> dict[str, np.ndarray]:
        """What the calendar says of each day of the panel, [day] by name; see `Calendar`."""
        return self.panel.calendar.day_features()

    @cached_property
    def started(self) -> np.ndarray:
        """Whether each series had a sale, bool [series]."""
        return self.panel.first_sale <= self.day

    def _fill_unknown(self, level: np.ndarray, statistic: str) -> np.ndarray:
        """Give series without a past the level of their item, else class, else family."""
        for group in (ITEM, "class_store", FAMILY_STORE):
            level = np.where(np.isnan(level), self.series_stats[f"{group}_{statistic}"], level)
        return np.nan_to_num(level)

    def log_units(self, days: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return ln(1+units) of past days [row, day]; NaN outside what is known at the cutoff."""
        first = self.panel.first_sale[rows, None]
        values = self.panel.units[rows[:, None], np.clip(days, 0, self.day)]
        known = (days >= first) & (days >= 0) & (days <= self.day)
        return np.where(known, np.log1p(values), np.nan)
