"""Whether the feed of sales is whole: days, stores, families and volume."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.monitoring.arrivals import check_arrivals
from grocery_demand.core.monitoring.check import (
    ALARM,
    ASK_FOR_FILES,
    HEALTH,
    OK,
    UNKNOWN,
    WATCH,
    Check,
)
from grocery_demand.core.monitoring.silent_stores import check_large_stores, check_stores
from grocery_demand.core.monitoring.volume import check_volumes
from grocery_demand.core.panel import Panel

_WEEK, _MONTH, _YEAR = 7, 28, 364
_RECENT = 3
_NULL_FACTOR = 1.25
_LEAST_CHANCE, _STEADY_SHARE = 1e-6, 0.9
_MANY_DAYS = 7
_MEND_FAMILIES = (
    "Ask those who send the files, and put corrected ones into the folder of incoming files. If "
    "they are no longer sold, name the days since when in monitoring.accepted_days in "
    "conf/base/parameters.yml."
)
_WRONG_DATE = (
    " If a file of a later day was taken in by mistake, remove it from the folder and make the "
    "panel anew: `kedro run --pipeline preprocess`, then `kedro run --pipeline update`."
)


def check_data_health(
    panel: Panel,
    report: dict[str, Any] | None,
    n_new: int = 0,
    max_updates: int = 2,
    accepted: Sequence[str] = (),
) -> list[Check]:
    """Check the days that no model has learnt from yet, and the files that they came in.

    A day that is wrong raises the alarm until it is corrected: as long as it is among the new days,
    the live error rests on it and a training would learn from it.

    Args:
        panel: Sales.
        report: Data quality of the new files; None if none were taken in yet.
        n_new: Days since the champion's training; at least the newest three are looked at.
        max_updates: Updates in a row without a new day that are an alarm.
        accepted: Days that are right as they are, ISO: a family or a large store whose first day
            without a sale is among them is no longer missed.
    """
    n_days = min(max(n_new, _RECENT), max(panel.n_days - _MONTH - _WEEK, _RECENT))
    if panel.n_days < _MONTH + _WEEK:
        return [Check(HEALTH, "days", UNKNOWN, f"Days of sales known: {panel.n_days}.")]
    checks = [
        _check_days(panel, max(n_days, _WEEK)),
        check_stores(panel, n_days),
        check_large_stores(panel, n_days, accepted),
        _check_families(panel, accepted),
        *check_volumes(panel, n_days),
    ]
    if not report:
        return checks
    since = str(panel.date_of(panel.n_days - n_days))
    return [*checks, *check_arrivals(report, since, max_updates, panel.taken_in)]


def accept_days(
    checks: list[Check], learnt: str, late_days: Mapping[str, str], accepted: Sequence[str] = ()
) -> list[Check]:
    """Return the checks without the days that a person has accepted as they are.

    These are named in the parameters, or the champion has learnt them: nothing is trained on days
    that look wrong unless a person does so. An alarm about such days alone is to be watched only.

    Args:
        checks: See `check_data_health`.
        learnt: The last day of the champion's sales, ISO.
        late_days: See `Panel`; of the days that came, or came anew, when later ones than `learnt`
            were known, the champion has learnt something else.
        accepted: Further days, ISO.
    """
    days = {day for check in checks for day in check.days}
    known = {day for day in days if day <= learnt and late_days.get(day, "") <= learnt}
    return [_accept(check, known | set(accepted)) for check in checks]


def _accept(check: Check, accepted: set[str]) -> Check:
    left = tuple(day for day in check.days if day not in accepted)
    if left == check.days:
        return check
    gone = ", ".join(day for day in check.days if day in accepted)
    told = f"{check.detail} Learnt, or accepted, as they are: {gone}."
    if left:
        return replace(check, detail=told, days=left)
    return replace(check, state=WATCH, detail=told, mend="", days=())


def _check_days(panel: Panel, n_days: int) -> Check:
    name = "days without sales"
    empty = np.asarray(~panel.open_days.any(axis=0), bool)
    days = np.flatnonzero(empty[-n_days:]) + panel.n_days - n_days
    dates = [str(panel.date_of(int(day))) for day in days]
    closed = {str(panel.date_of(int(day)))[5:] for day in np.flatnonzero(empty[:-n_days])}
    missing = [date for date in dates if date[5:] not in closed]
    if not missing:
        told = f"Each of the last {n_days} days has sales."
        told = f"Closed as in other years: {', '.join(dates)}." if dates else told
        return Check(HEALTH, name, OK, told, "", 0.0, 0.0)
    are_many = len(missing) > _MANY_DAYS
    shown = f"{len(missing)} days, {missing[0]} … {missing[-1]}" if are_many else ", ".join(missing)
    told = f"No store sold anything on {shown}."
    mend = ASK_FOR_FILES + _WRONG_DATE * are_many
    return Check(HEALTH, name, ALARM, told, mend, float(len(missing)), 0.0, tuple(missing))


def _check_families(panel: Panel, accepted: Sequence[str]) -> Check:
    """Find families without a sale for longer than ever in the past year.

    It is an alarm if one of them sold on nearly every day.
    """
    name = "families gone silent"
    days = np.flatnonzero(panel.open_days.any(axis=0))
    days = days[days >= panel.n_days - _YEAR]
    codes, families = pd.factorize(panel.series["family"], sort=True)
    members = np.eye(len(families), dtype=np.float32)[:, codes]
    sold = members @ panel.units[:, days] > 0
    since = [
        str(panel.date_of(days[np.flatnonzero(each)[-1] + 1])) if _is_gone(each) else ""
        for each in sold
    ]
    gone = np.array([day != "" and day not in accepted for day in since], bool)
    if not gone.any():
        return Check(HEALTH, name, OK, f"Families that sell: {len(families)}.", "", 0.0, 0.0)
    each = [f"{families[at]} (since {since[at]})" for at in np.flatnonzero(gone).tolist()]
    told = f"Nothing sold any more, for longer than ever in a year: {', '.join(each)}."
    steady = (sold.mean(axis=1) >= _STEADY_SHARE)[gone].any()
    return Check(
        HEALTH, name, ALARM if steady else WATCH, told, _MEND_FAMILIES, float(gone.sum()), 0.0
    )


def _is_gone(sold: np.ndarray) -> bool:
    """Whether the days since the last sale are more than ever, and more than chance explains."""
    days = np.flatnonzero(sold)
    if not len(days):
        return False
    silent = len(sold) - 1 - days[-1]
    longest = np.diff(days, prepend=-1).max() - 1
    idle_share = max(1 - len(days) / len(sold), 1 / len(sold))
    unlikely = silent * np.log(idle_share) < np.log(_LEAST_CHANCE)
    return bool(silent >= _RECENT and silent > _NULL_FACTOR * longest and unlikely)
