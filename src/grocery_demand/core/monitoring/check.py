"""The outcome of one check, in words and numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

OK = "ok"
WATCH = "watch"
ALARM = "alarm"
UNKNOWN = "unknown"
STATES = (ALARM, WATCH, UNKNOWN, OK)
"""States, the worst first."""

LIVE_ERROR = "live error"
DRIFT = "drift of sales"
SKEW = "training–serving skew"
OUTPUTS = "outputs"
EXPLANATIONS = "explanations"
FAIRNESS = "fairness"
HEALTH = "data health"
USAGE = "usage"
CHALLENGER = "challenger"
AGE = "age"

ASK_FOR_FILES = (
    "Ask those who send the files, and put corrected ones into the folder of incoming files. If "
    "they are right as they are, name these days in monitoring.accepted_days in "
    "conf/base/parameters.yml."
)
"""What to do about days that look wrong: nobody else knows whether they are."""

_MOST_DAYS = 3

ERROR = "error against the backtest"
"""Name of the check of the live error that decides."""


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes:
        area: What it belongs to, one of the names above.
        name: What was looked at.
        state: One of `STATES`.
        detail: What was found, in a sentence.
        mend: What to do about it; empty if nothing.
        value: The number found; None if there is none.
        threshold: The number it is held against; None if there is none.
        days: Days of sales that are wrong by it, as ISO dates.
    """

    area: str
    name: str
    state: str
    detail: str
    mend: str = ""
    value: float | None = None
    threshold: float | None = None
    days: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self) | {"days": list(self.days)}


def count(n: int, noun: str) -> str:
    """Return a number of things in words: 1 file, 2 files."""
    return f"{n:,} {noun}" + "s" * (n != 1)


def list_wrong_days(checks: list[Check]) -> list[str]:
    """Return the days of sales that the alarms of data health name, as ISO dates, sorted."""
    return sorted({day for check in select(checks, HEALTH, ALARM) for day in check.days})


def tell_left_out(wrong_days: Sequence[str]) -> str:
    """Return a sentence on the wrong days that a check leaves out; empty without any."""
    if not wrong_days:
        return ""
    shown = ", ".join(wrong_days[:_MOST_DAYS])
    if len(wrong_days) > _MOST_DAYS:
        shown += f" and {len(wrong_days) - _MOST_DAYS} more"
    return f" Left out, as data health says that they are wrong: {shown}."


def select(checks: list[Check], area: str, *states: str) -> list[Check]:
    """Return the checks of an area that are in one of the states."""
    return [check for check in checks if check.area == area and check.state in states]
