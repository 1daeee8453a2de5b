"""What to do: keep the model, retrain it, or look after the feed first."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from grocery_demand.core.monitoring.check import (
    AGE,
    ALARM,
    CHALLENGER,
    DRIFT,
    ERROR,
    HEALTH,
    LIVE_ERROR,
    OK,
    UNKNOWN,
    WATCH,
    Check,
    count,
    select,
)
from grocery_demand.core.monitoring.parameters import MonitoringParameters

KEEP = "keep"
RETRAIN = "retrain"
CHECK_FEED = "check_feed"

END_CHALLENGER = "kedro challenger off"

_NEXT = {
    KEEP: "Nothing to do with the model.",
    RETRAIN: "kedro run --pipeline retrain",
    CHECK_FEED: "Look after the feed first; nothing is retrained on data that may be wrong.",
}
_SOON = 0.9
_AGE = "age of the model"


@dataclass(frozen=True)
class Advice:
    """A decision with its reasons.

    Attributes:
        decision: `keep`, `retrain` or `check_feed`.
        reasons: In sentences, the decisive ones first.
        next: A command, or what to do.
        since: The last day of sales on which it was first given; None if not known.
    """

    decision: str
    reasons: list[str]
    next: str
    since: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self)


def check_age(days: int, parameters: MonitoringParameters) -> Check:
    """Say how many days of sales the model has not seen; below zero, it has seen later ones."""
    limit = parameters.max_model_age_days
    if days < 0:
        told = f"The model learnt sales of {count(-days, 'day')} after the last one known here."
        mend = "Take in the missing sales, or retrain: `kedro run --pipeline retrain`."
        return Check(AGE, _AGE, WATCH, told, mend, float(days), float(limit))
    state = ALARM if days > limit else WATCH if days > _SOON * limit else OK
    told = f"{count(days, 'day')} of sales since the model's training; it is renewed after {limit}."
    retrain = "Retrain: `kedro run --pipeline retrain`."
    mend = {ALARM: retrain, WATCH: "Nothing yet: the advice will be to retrain."}.get(state, "")
    return Check(AGE, _AGE, state, told, mend, float(days), float(limit))


def advise(
    checks: list[Check], days_since_training: int, parameters: MonitoringParameters
) -> Advice:
    """Decide by all checks.

    A broken feed is looked after first. Else the model is retrained if its live error broke the
    bar, if sales drifted and the error against the backtest has risen, or if it is old; but not
    sooner than some days of new sales after the last training, whatever became of that. A canary
    that is worse than the champion is no reason to retrain, but to serve it no longer.

    Args:
        checks: Of all areas.
        days_since_training: Days of sales that have arrived since the newest training.
        parameters: Days between trainings.
    """
    broken = select(checks, HEALTH, ALARM)
    if broken:
        return Advice(CHECK_FEED, [_tell(check) for check in broken], _NEXT[CHECK_FEED])
    reasons = _find_reasons(checks)
    wait = parameters.min_days_between_trainings
    if reasons and days_since_training < wait:
        ago = count(days_since_training, "day")
        told = f"The last training was {ago} of sales ago; the next one waits for {wait}."
        return Advice(KEEP, [told, *reasons], "Look again tomorrow.")
    if reasons:
        return Advice(RETRAIN, reasons, _NEXT[RETRAIN])
    bad_challenger = select(checks, CHALLENGER, ALARM)
    others = [c for c in checks if c.state in (ALARM, WATCH) and c not in bad_challenger]
    watched = [_tell(check) for check in (*bad_challenger, *others)]
    todo = END_CHALLENGER if bad_challenger else _say_what_to_do(others)
    return Advice(KEEP, watched or [_tell_of_none(checks)], todo)


def _tell_of_none(checks: list[Check]) -> str:
    unknown = sum(check.state == UNKNOWN for check in checks)
    cannot = f" {count(unknown, 'check')} cannot tell yet." if unknown else ""
    return f"No check found anything.{cannot}"


def _say_what_to_do(checks: list[Check]) -> str:
    """Return what the alarms ask for that are no reason to retrain; nothing without any."""
    alarmed = list(dict.fromkeys(check.area for check in checks if check.state == ALARM))
    if not alarmed:
        return _NEXT[KEEP]
    return f"Look at what raised an alarm: {', '.join(alarmed)}."


def _tell(check: Check) -> str:
    return f"{check.area.capitalize()}: {check.detail}"


def _find_reasons(checks: list[Check]) -> list[str]:
    error = select(checks, LIVE_ERROR, ALARM)
    drift = select(checks, DRIFT, ALARM)
    risen = [c for c in select(checks, LIVE_ERROR, ALARM, WATCH) if c.name == ERROR]
    old = select(checks, AGE, ALARM)
    found = [*error, *(drift if risen else []), *old]
    return [_tell(check) for check in found]


def date_checks(
    checks: list[Check], former: list[dict[str, Any]], cutoff: str
) -> list[dict[str, Any]]:
    """Return the checks with the day of sales since which they are in their state.

    It is never later than the last day, as sales may have been taken back to an earlier one.

    Args:
        checks: As found today.
        former: As returned by the run before; empty on the first one.
        cutoff: The last day of sales, ISO.
    """
    known = {(c["area"], c["name"], c["state"]): c["since"] for c in former}
    since = [known.get((check.area, check.name, check.state)) or cutoff for check in checks]
    return [
        check.to_dict() | {"since": min(day, cutoff)}
        for check, day in zip(checks, since, strict=True)
    ]


def date_champion(
    former: dict[str, Any] | None, model_version: int, cutoff: str
) -> dict[str, str | int | None]:
    """Return since which day of sales the champion is monitored, and which version before it.

    Args:
        former: The summary of the run before; None on the first one.
        model_version: The champion's number.
        cutoff: The last day of sales, ISO.

    Returns:
        champion_since, ISO, and former_version; None where no run saw them change.
    """
    names = ("champion_since", "former_version")
    if former is None:
        return dict.fromkeys(names)
    if former.get("model_version") == model_version:
        return {name: former["advice"].get(name) for name in names}
    return {"champion_since": cutoff, "former_version": former.get("model_version")}


def date_advice(advice: Advice, former: dict[str, Any] | None, cutoff: str) -> Advice:
    """Return the advice with the day of sales since which it is given, the last one at most."""
    same = former is not None and former["decision"] == advice.decision
    known = (former or {}).get("since") if same else cutoff
    return replace(advice, since=min(known, cutoff) if known else known)
