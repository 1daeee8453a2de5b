"""The gate: whether a challenger may replace the champion, check by check, with reasons."""

from grocery_demand.core.gate.checks import BAR, BASELINE, Check
from grocery_demand.core.gate.judgement import (
    INCUMBENT,
    KEEP,
    PROMOTE,
    REJECT,
    Incumbent,
    Judgement,
    judge,
)
from grocery_demand.core.gate.parameters import GateParameters

__all__ = [
    "BAR",
    "BASELINE",
    "INCUMBENT",
    "KEEP",
    "PROMOTE",
    "REJECT",
    "Check",
    "GateParameters",
    "Incumbent",
    "Judgement",
    "judge",
]
