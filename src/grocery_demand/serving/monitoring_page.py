"""What the monitoring page shows, in the order in which an operator needs it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from grocery_demand.serving.monitoring import (
    COMMAND,
    NothingMonitoredError,
    SummaryFile,
    UnreadableSummaryError,
    find_notices,
)
from grocery_demand.serving.monitoring_charts import draw_charts
from grocery_demand.serving.monitoring_summary import Check, Skew, Slice, Summary
from grocery_demand.storage.pointer import Pointer

WORST_FIRST = ("alarm", "watch", "unknown", "ok")
OPEN = ("alarm", "watch")
STATES = {"alarm": "Alarm", "watch": "Watch", "unknown": "Not known", "ok": "OK"}
DECISIONS = {"keep": "Keep the model", "retrain": "Retrain", "check_feed": "Check the feed"}

MEASURES = {
    "nwrmsle": ("NWRMSLE, live", "{:.4f}"),
    "wape": ("WAPE, live", "{:.3f}"),
    "bias": ("bias, live", "{:+.1%}"),
    "coverage": ("coverage of 80 % intervals, live", "{:.1%}"),
    "forecast_units": ("units forecast from the newest cutoff", "{:,.0f}"),
    "requests": ("forecasts made in the last weeks", "{:,.0f}"),
    "latency_ms": ("latency, median, ms", "{:.1f}"),
    "latency_ms_95": ("latency, 95 % quantile, ms", "{:.1f}"),
}
"""Measures of champion and challenger in words, and how their numbers are written."""

_PROGRAMS = ("kedro", "make", "python", ".venv/", "mlflow")
_INFINITE = float("inf")
_ROWS_SHOWN = 8


@dataclass(frozen=True)
class Area:
    """Checks that belong together, the worst first."""

    name: str
    checks: list[Check]


def read(summaries: SummaryFile, pointer: Pointer | None) -> dict[str, Any]:
    """Return what the page shows: the summary, or why there is none.

    Args:
        summaries: The summary's file.
        pointer: What is served; None if nothing is.
    """
    try:
        summary = summaries.read()
    except NothingMonitoredError as error:
        return {"nothing": str(error)}
    except UnreadableSummaryError as error:
        return {"unreadable": str(error)}
    version = pointer.model_version if pointer else None
    notices = find_notices(summary, version, dt.datetime.now(dt.UTC))
    changed = challenger_notice(summary, pointer) if pointer else ""
    return describe(summary) | {"notices": notices, "challenger_notice": changed}


def challenger_notice(summary: Summary, pointer: Pointer) -> str:
    """Return what has changed about the challenger since; empty if nothing has."""
    monitored, served = summary.challenger, pointer.challenger
    now = (served.model_version, served.mode) if served else None
    then = (monitored.model_version, monitored.mode) if monitored else None
    if now == then:
        return ""
    told = f"version {now[0]} is served as {now[1]}" if now else "no challenger is served"
    return f"By now {told}: `{COMMAND}` looks at the present."


def describe(summary: Summary) -> dict[str, Any]:
    """Return what the page shows of a summary."""
    counts = {state: sum(c.state == state for c in summary.checks) for state in WORST_FIRST}
    return {
        "summary": summary,
        "decision": DECISIONS[summary.advice.decision] + beside_alarms(summary),
        "has_command": is_command(summary.advice.next),
        "counts": {state: n for state, n in counts.items() if n},
        "open_areas": group(check for check in summary.checks if check.state in OPEN),
        "calm_areas": group(check for check in summary.checks if check.state not in OPEN),
        "calm_since": any(check.state not in OPEN and check.since for check in summary.checks),
        "plots": draw_charts(summary),
        "drift": fold(_worst_first(summary.drift)),
        "skew": fold(sorted(summary.skew, key=_skew_need)),
        "fairness": fold(sorted(summary.fairness, key=_need)),
        "files": sorted(summary.files, key=lambda file: file.status != "refused"),
        "states": STATES,
        "measures": MEASURES,
        "since": since_in_words,
        "number": number_in_words,
        "slice": slice_in_words,
    }


def beside_alarms(summary: Summary) -> str:
    """Return what the headline adds where a model is kept in spite of alarms."""
    n_alarms = sum(check.state == "alarm" for check in summary.checks)
    if summary.advice.decision != "keep" or not n_alarms:
        return ""
    return f", and look at {n_alarms} {'alarm' if n_alarms == 1 else 'alarms'}"


def group(checks: Iterable[Check]) -> list[Area]:
    """Return checks by area: the area with the worst check first, its worst check first."""
    ordered = sorted(checks, key=lambda check: check.area)
    areas = [Area(name, _worst_first(list(run))) for name, run in
             groupby(ordered, lambda check: check.area)]  # fmt: skip
    return sorted(areas, key=lambda area: _rank(area.checks[0].state))


def fold(rows: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the rows to be shown, the worst first, and those in order that are folded away."""
    shown = max(sum(row.state != "ok" for row in rows), _ROWS_SHOWN)
    return (rows[:shown], rows[shown:]) if len(rows) > shown + 1 else (rows, [])


def is_command(text: str) -> bool:
    """Return whether a text is to be typed as it stands."""
    return text.startswith(_PROGRAMS) and "\n" not in text and not text.endswith(".")


def since_in_words(since: dt.date | None, cutoff: dt.date | None) -> str:
    """Return a day, and for how many days of sales it has been so."""
    if since is None:
        return ""
    days = (cutoff - since).days + 1 if cutoff else 0
    if days < 1:
        return str(since)
    return f"{since} ({days:,} {'day' if days == 1 else 'days'} of sales)"


def number_in_words(value: float | None, form: str = "{:.3g}") -> str:
    """Return a number, or a dash where it is not known."""
    if value is None:
        return "–"
    if form == "{:.3g}" and abs(value) >= 100:  # noqa: PLR2004
        form = "{:,.0f}"
    return form.format(value).replace("-", "−")


def slice_in_words(entry: Slice) -> str:
    """Return which series a group holds."""
    if entry.value is None:
        return entry.name
    value = (
        {True: "yes", False: "no"}[entry.value] if isinstance(entry.value, bool) else entry.value
    )
    return f"{entry.name}: {value}"


def _rank(state: str) -> int:
    return WORST_FIRST.index(state)


def _worst_first(entries: Sequence[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: _rank(entry.state))


def _skew_need(entry: Skew) -> tuple[int, float]:
    """Order features by state, then by how far the PSI reaches; those without one come last."""
    if entry.psi is None:
        return _rank(entry.state), _INFINITE
    return _rank(entry.state), -entry.psi / (entry.threshold or 1)


def _need(entry: Slice) -> tuple[int, float]:
    return _rank(entry.state), _INFINITE if entry.skill is None else entry.skill
