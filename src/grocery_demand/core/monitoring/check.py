"""The outcome of one check, in words and numbers."""

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
    """

    area: str
    name: str
    state: str
    detail: str
    mend: str = ""
    value: float | None = None
    threshold: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return asdict(self)


def select(checks: list[Check], area: str, *states: str) -> list[Check]:
    """Return the checks of an area that are in one of the states."""
    return [check for check in checks if check.area == area and check.state in states]
