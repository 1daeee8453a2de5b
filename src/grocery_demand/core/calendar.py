"""What is known ahead of every day at every store: weekday, month position, holidays."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

DAYS_AHEAD = 366
"""Days after the last sales day that a calendar covers: every date up to a year ahead."""

NATIONAL_KINDS = ("none", "Holiday", "Additional", "Bridge", "Event", "Work Day")
"""Kinds of national day; a code in `Calendar.national` is a position in this tuple."""

_NO_HOLIDAY_NEAR = 15


@dataclass(frozen=True)
class Calendar:
    """Holidays by day and store, from the first sales day to a year after the last.

    Attributes:
        start_date: Day 0 of every array, `datetime64[D]`.
        national: Kind of national day, int8 [day], codes of `NATIONAL_KINDS`.
        local: 1 where the store's city or state has a holiday, int8 [store, day].
    """

    start_date: np.datetime64
    national: np.ndarray
    local: np.ndarray

    @property
    def dates(self) -> np.ndarray:
        """Dates of all days covered, datetime64[D] [day]."""
        return self.start_date + np.arange(len(self.national))

    def day_features(self) -> dict[str, np.ndarray]:
        """Return what depends on the day alone, each float32 [day].

        Months and holidays are distances and codes, so that a day outside the training years
        still has a meaning.
        """
        dates = pd.DatetimeIndex(self.dates)
        holiday = np.isin(self.national, (1, 2, 3))
        features = {
            "weekday": dates.day_of_week,
            "day_of_month": dates.day,
            "days_to_month_end": dates.days_in_month - dates.day,
            "month": dates.month,
            "day_of_year": dates.day_of_year,
            "national_day": self.national,
            "days_to_holiday": _distance_to_next(holiday),
            "days_since_holiday": _distance_to_next(holiday[::-1])[::-1],
        }
        return {name: np.asarray(values, np.float32) for name, values in features.items()}


def build_calendar(
    holidays_events: pd.DataFrame, stores: pd.DataFrame, start_date: np.datetime64, n_days: int
) -> Calendar:
    """Place the holidays on days and stores.

    A transferred holiday is an ordinary day on its original date; the `Transfer` row marks the
    day on which it was celebrated.

    Args:
        holidays_events: One row per day, kind and place, Kaggle's columns.
        stores: One row per store, in the order of the panel's stores.
        start_date: Day 0.
        n_days: Days covered.
    """
    celebrated = holidays_events[~holidays_events["transferred"].astype(bool)]
    day = (celebrated["date"].to_numpy().astype("datetime64[D]") - start_date).astype(int)
    inside = (day >= 0) & (day < n_days)
    celebrated, day = celebrated[inside], day[inside]
    kind = celebrated["type"].replace("Transfer", "Holiday")
    national = np.zeros(n_days, np.int8)
    is_national = (celebrated["locale"] == "National").to_numpy()
    for code in reversed(range(1, len(NATIONAL_KINDS))):
        national[day[is_national & (kind == NATIONAL_KINDS[code]).to_numpy()]] = code
    return Calendar(start_date, national, _local_holidays(celebrated, day, stores, n_days))


def _local_holidays(
    celebrated: pd.DataFrame, day: np.ndarray, stores: pd.DataFrame, n_days: int
) -> np.ndarray:
    local = np.zeros((len(stores), n_days), np.int8)
    for locale, place in (("Local", "city"), ("Regional", "state")):
        rows = (celebrated["locale"] == locale).to_numpy()
        names = celebrated["locale_name"].to_numpy()[rows]
        for name, when in zip(names, day[rows], strict=True):
            local[(stores[place] == name).to_numpy(), when] = 1
    return local


def _distance_to_next(marked: np.ndarray) -> np.ndarray:
    """Return the days until the next marked day, 0 on it, at most 15."""
    days = np.arange(len(marked))
    following = np.where(marked, days, len(marked) + _NO_HOLIDAY_NEAR)
    following = np.minimum.accumulate(following[::-1])[::-1]
    return np.minimum(following - days, _NO_HOLIDAY_NEAR)
