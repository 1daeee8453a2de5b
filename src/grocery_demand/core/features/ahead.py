"""Features that depend on the series, the day ahead and what is planned for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grocery_demand.core.features.groups import FAMILY_STORE, ITEM
from grocery_demand.core.features.history import divide
from grocery_demand.core.features.month_days import MONTH_DAY
from grocery_demand.core.features.plan import PLAN_DAYS

if TYPE_CHECKING:
    from grocery_demand.core.features.matrix import Snapshot

YEAR = 364
"""A lag of 52 whole weeks: a year ago on the same weekday."""

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
class Ahead:
    """The series and days ahead that features are wanted for.

    Attributes:
        rows: Positions of the series, int [row].
        steps: Days ahead of the cutoff, int [row, step]; [1, step] if they are the same for all.
        what_if: 1 or 0 where a promotion is assumed or ruled out on that day, whatever the plan
            says; -1 to take the plan as it is; int8 [row, step]. None: the plan everywhere.
    """

    rows: np.ndarray
    steps: np.ndarray
    what_if: np.ndarray | None = None


AheadFeature = Callable[["Snapshot", Ahead], np.ndarray]


def _local_holiday(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    stores = known.panel.store_position[ahead.rows]
    return known.panel.calendar.local[stores[:, None], known.day + ahead.steps]


def _onpromotion(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    plan = known.planned_promotions(ahead.steps, ahead.rows)
    if ahead.what_if is None:
        return plan
    assumed = (ahead.what_if >= 0) & (ahead.steps <= PLAN_DAYS)
    return np.where(assumed, ahead.what_if, plan)


def _what_if_change(known: "Snapshot", ahead: Ahead) -> np.ndarray | int:
    """Return by how much the promotions of a day differ from the plan: -1, 0 or 1."""
    if ahead.what_if is None:
        return 0
    plan = known.planned_promotions(ahead.steps, ahead.rows)
    return _onpromotion(known, ahead).astype(int) - plan


def _promotions_ahead(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    plan = known.planned_promotions(np.arange(1, PLAN_DAYS + 1)[None, :], ahead.rows)
    return plan.sum(axis=1, dtype=np.float32)[:, None] + _what_if_change(known, ahead)


def _item_share_promoted(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    """Return the share of the item's started series on promotion on that day."""
    day_of_plan = np.where(ahead.steps <= PLAN_DAYS, ahead.steps, PLAN_DAYS + 1) - 1
    items = known.surroundings.items
    item = known.surroundings.codes[ITEM][ahead.rows, None]
    change = _what_if_change(known, ahead) * known.started[ahead.rows, None]
    return divide(items.promoted[day_of_plan, item] + change, items.started[item])


def _year_ago(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    return known.log_units(_same_day_year_ago(known, ahead.steps), ahead.rows)


def _year_ago_change(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    """Return the week around the day a year ago against the 28 days up to the cutoff's."""
    base = known.log_units(known.day - YEAR - np.arange(28)[None, :], ahead.rows)
    day = _same_day_year_ago(known, ahead.steps)
    around = [known.log_units(day + k, ahead.rows) for k in range(-3, 4)]
    return np.mean(around, axis=0) - base.mean(axis=1)[:, None]


def _month_day(known: "Snapshot", ahead: Ahead) -> np.ndarray:
    """Return how far, in ln units, that day of the month lay above the weeks around it.

    Of the family in the store, in the mean of a year; NaN where fewer than six months tell.
    """
    group = known.surroundings.codes[FAMILY_STORE][ahead.rows, None]
    day_of_month = known.day_features["day_of_month"][known.day + ahead.steps].astype(int)
    return known.month_days[group, day_of_month - 1]


def _same_day_year_ago(known: "Snapshot", steps: np.ndarray) -> np.ndarray:
    return known.day + steps - YEAR * np.ceil(steps / YEAR).astype(int)


def _step(_known: "Snapshot", ahead: Ahead) -> np.ndarray:
    return ahead.steps


def _plan_shifted_by(days: int) -> AheadFeature:
    return lambda known, ahead: known.planned_promotions(ahead.steps + days, ahead.rows)


def _calendar_feature(name: str) -> AheadFeature:
    return lambda known, ahead: known.day_features[name][known.day + ahead.steps]


AHEAD_FEATURES: dict[str, AheadFeature] = {
    "step": _step,
    "onpromotion": _onpromotion,
    "onpromotion_day_before": _plan_shifted_by(-1),
    "onpromotion_day_after": _plan_shifted_by(1),
    "promotions_ahead": _promotions_ahead,
    "item_share_promoted": _item_share_promoted,
    MONTH_DAY: _month_day,
    "year_ago": _year_ago,
    "year_ago_change": _year_ago_change,
    "local_holiday": _local_holiday,
} | {name: _calendar_feature(name) for name in CALENDAR_FEATURES if name != "local_holiday"}
"""Features that depend on the series, the day and what is planned for it, by name."""
