"""Every feature again, one number at a time, in plain Python: slow, and easy to believe."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from statistics import median

from grocery_demand.core.features import Encoding
from grocery_demand.core.features.encoding import NUMBERS, WORDS
from grocery_demand.core.panel import Panel

NAN = math.nan
WINDOWS = (1, 3, 7, 14, 28, 56, 112, 140)
GROUPS = {
    "item": ["item_nbr"],
    "class_store": ["class", "store_nbr"],
    "family_store": ["family", "store_nbr"],
}


class NaiveFeatures:
    """The features of one panel at one cutoff."""

    def __init__(self, panel: Panel, day: int, encoding: Encoding) -> None:
        self.panel, self.day, self.encoding = panel, day, encoding
        self.series = panel.series.to_dict(orient="records")
        self.store = {nbr: i for i, nbr in enumerate(panel.stores["store_nbr"])}
        self.units = panel.units.tolist()
        self.promotions = panel.promotions.tolist()
        self.open = panel.open_days.tolist()

    def of(self, row: int, step: int) -> dict[str, float]:
        """Return all features of a series on a day ahead, by name."""
        levels = {
            **self._promotions(row, step),
            **self._history(row, step),
            **self._weekday(row, step),
            **self._groups(row, step),
        }
        average = levels["moving_average"]
        return {
            "step": step,
            **self._calendar(row, self.day + step),
            **self._attributes(row),
            **levels,
            **{f"{name}_relative": value - average for name, value in levels.items()},
        }

    def _log(self, row: int, day: int) -> float:
        return math.log1p(self.units[row][day])

    def _observed(self, row: int, day: int) -> bool:
        """Whether the series had started and its store was open, on a day up to the cutoff."""
        if not 0 <= day <= self.day or day < self.series[row]["first_sale"]:
            return False
        return self.open[self.store[self.series[row]["store_nbr"]]][day]

    def _past(self, row: int, n_days: int, weekday_of: int | None = None) -> list[int]:
        """Return the observed ones of the last days, or those with the weekday of one day."""
        return [
            day
            for day in range(self.day - n_days + 1, self.day + 1)
            if self._observed(row, day) and (weekday_of is None or (day - weekday_of) % 7 == 0)
        ]

    def _mean(self, row: int, n_days: int, weekday_of: int | None = None) -> float:
        return mean(self._log(row, day) for day in self._past(row, n_days, weekday_of))

    def _members(self, row: int, group: str) -> list[int]:
        key = [self.series[row][column] for column in GROUPS[group]]
        return [
            i
            for i, other in enumerate(self.series)
            if [other[column] for column in GROUPS[group]] == key
        ]

    def _group_mean(
        self, row: int, group: str, n_days: int, weekday_of: int | None = None
    ) -> float:
        return mean(
            self._log(member, day)
            for member in self._members(row, group)
            for day in self._past(member, n_days, weekday_of)
        )

    def _calendar(self, row: int, day: int) -> dict[str, float]:
        calendar = self.panel.calendar
        when = date.fromisoformat(str(self.panel.start_date)) + timedelta(day)
        tomorrows_month = when + timedelta(1)
        days_to_end = 0
        while tomorrows_month.month == when.month:
            tomorrows_month += timedelta(1)
            days_to_end += 1
        holidays = [d for d, kind in enumerate(calendar.national) if kind in {1, 2, 3}]
        return {
            "weekday": when.weekday(),
            "day_of_month": when.day,
            "days_to_month_end": days_to_end,
            "month": when.month,
            "day_of_year": (when - date(when.year, 1, 1)).days + 1,
            "national_day": calendar.national[day],
            "days_to_holiday": min([15, *(d - day for d in holidays if d >= day)]),
            "days_since_holiday": min([15, *(day - d for d in holidays if d <= day)]),
            "local_holiday": calendar.local[self.store[self.series[row]["store_nbr"]], day],
        }

    def _attributes(self, row: int) -> dict[str, float]:
        numbers = {name: self.series[row][name] for name in NUMBERS}
        words = {
            name: self.encoding.words[name].index(self.series[row][name])
            if self.series[row][name] in self.encoding.words[name]
            else NAN
            for name in WORDS
        }
        return numbers | words

    def _on_promotion(self, row: int, day: int) -> int:
        """Promotions count as known up to 16 days after the cutoff."""
        known = day <= self.day + 16 and day < len(self.promotions[row])
        return self.promotions[row][day] if known else 0

    def _promotions(self, row: int, step: int) -> dict[str, float]:
        day = self.day + step
        promoted = [d for d in self._past(row, 140) if self.promotions[row][d]]
        others = [d for d in self._past(row, 140) if not self.promotions[row][d]]
        sellers = [m for m in self._members(row, "item") if self._has_started(m)]
        return {
            "onpromotion": self._on_promotion(row, day),
            "onpromotion_day_before": self._on_promotion(row, day - 1),
            "onpromotion_day_after": self._on_promotion(row, day + 1),
            "promotions_ahead": sum(self._on_promotion(row, self.day + k) for k in range(1, 17)),
            "item_share_promoted": mean(self._on_promotion(m, day) for m in sellers),
            **{
                f"promotions_{w}": sum(self.promotions[row][d] for d in self._past(row, w))
                for w in (7, 28, 140)
            },
            "mean_promoted": mean(self._log(row, d) for d in promoted),
            "mean_unpromoted": mean(self._log(row, d) for d in others),
        }

    def _has_started(self, row: int) -> bool:
        return self.series[row]["first_sale"] <= self.day

    def _history(self, row: int, step: int) -> dict[str, float]:
        means = {w: self._mean(row, w) for w in WINDOWS}
        sales = [d for d in range(self.day + 1) if self.units[row][d] > 0]
        return {
            **{f"mean_{w}": means[w] for w in WINDOWS},
            "change_7_28": means[7] - means[28],
            "change_28_112": means[28] - means[112],
            **{
                f"sale_share_{w}": mean(self.units[row][d] > 0 for d in self._past(row, w))
                for w in (7, 28, 112)
            },
            **{
                f"deviation_{w}": mean(
                    (self._log(row, d) - means[w]) ** 2 for d in self._past(row, w)
                )
                ** 0.5
                for w in (28, 140)
            },
            "days_since_first_sale": max(self.day + 1 - self.series[row]["first_sale"], 0),
            "days_since_sale": min([140, *(self.day - d for d in sales)]),
            "year_ago": self._if_known(row, self._year_ago(step)),
            "year_ago_change": self._year_ago_change(row, step),
        }

    def _year_ago(self, step: int) -> int:
        """Return the newest day of the same weekday that lies whole years of 364 days back."""
        day = self.day + step - 364
        while day > self.day:
            day -= 364
        return day

    def _if_known(self, row: int, day: int) -> float:
        known = max(0, self.series[row]["first_sale"]) <= day <= self.day
        return self._log(row, day) if known else NAN

    def _year_ago_change(self, row: int, step: int) -> float:
        around = [self._if_known(row, self._year_ago(step) + k) for k in range(-3, 4)]
        base = [self._if_known(row, self.day - 364 - k) for k in range(28)]
        return mean(around) - mean(base)

    def _weekday(self, row: int, step: int) -> dict[str, float]:
        day = self.day + step
        last = day - 7
        while last > self.day:
            last -= 7
        return {
            "seasonal_naive": self._log(row, last) if last >= 0 else 0,
            "moving_average": self._moving_average(row, day),
            **{f"weekday_mean_{w}": self._mean(row, 7 * w, day) for w in (4, 8, 20)},
        }

    def _moving_average(self, row: int, day: int) -> float:
        """Return the level of the series, else item, class, family; shaped by the weekday."""
        means = [self._mean(row, w) for w in (7, 14, 28, 56, 112)]
        known = [m for m in means if not math.isnan(m)]
        levels = [self._group_mean(row, group, 28) for group in GROUPS]
        levels = [m for m in levels if not math.isnan(m)]
        level = median(known) if known else [*levels, 0.0][0]
        shape = self._mean(row, 56, day) - self._mean(row, 56)
        return max(level + (0 if math.isnan(shape) else shape), 0)

    def _groups(self, row: int, step: int) -> dict[str, float]:
        means = {
            f"{group}_mean_{w}": self._group_mean(row, group, w)
            for group in GROUPS
            for w in (7, 28, 112)
        }
        by_weekday = {
            f"{group}_weekday_mean": self._group_mean(row, group, 56, self.day + step)
            for group in GROUPS
        }
        return means | by_weekday | {"family_store_month_day": self._month_day(row, step)}

    def _month_day(self, row: int, step: int) -> float:
        """Return what a day of the month usually brings more than the weeks around it."""
        members = self._members(row, "family_store")
        start = date.fromisoformat(str(self.panel.start_date))

        def level(day: int) -> float:
            return mean(self._log(m, day) for m in members if self._observed(m, day))

        found = []
        for day in range(self.day - 28 - 365, self.day - 28 + 1):
            if (start + timedelta(day)).day == (start + timedelta(self.day + step)).day:
                around = [level(day + 7 * week) for week in range(-4, 5) if week]
                above = level(day) - mean(other for other in around if not math.isnan(other))
                if not math.isnan(above):
                    found.append(min(max(above, -1), 1))
        return mean(found) if len(found) >= 6 else NAN


def mean(values: Iterable[float]) -> float:
    """Return the mean, NaN of nothing."""
    values = list(values)
    return math.fsum(values) / len(values) if values else NAN
