"""All findings as one JSON object: the contract between this pipeline and the web app's page."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.served import ServedEvents
from grocery_demand.core.panel import Panel

FORMAT = "grocery-demand monitoring"
VERSION = 1

_DECIMALS = 5
_MOST_ROWS = 20
_KNOWN = "known"
"""Status of files that were taken in before; the folder may hold years of them."""


@dataclass(frozen=True)
class Findings:
    """The tables of the pipeline; see its nodes and `core.monitoring`."""

    checks: pd.DataFrame
    advice: dict[str, Any]
    live_windows: pd.DataFrame
    live_scores: pd.DataFrame
    drift: pd.DataFrame
    skew: pd.DataFrame
    outputs: pd.DataFrame
    explanations: pd.DataFrame
    fairness: pd.DataFrame
    challenger_measures: pd.DataFrame
    challenger_comparison: dict[str, Any]
    events: ServedEvents
    files: list[dict[str, Any]]


def summarise(findings: Findings, panel: Panel, champion: ModelVersion) -> dict[str, Any]:
    """Return what is found as plain JSON: numbers rounded, NaN as null, dates as ISO."""
    metadata = champion.model.metadata
    return {
        "format": FORMAT,
        "version": VERSION,
        "simulated": bool(panel.simulated or metadata.get("simulated")),
        "model_version": champion.number,
        "champion_cutoff": metadata["cutoff"],
        "cutoff": str(panel.cutoff),
        "advice": findings.advice,
        "checks": _to_records(findings.checks),
        "live_error": _to_records(findings.live_windows),
        "live_by_step": _by_step(findings.live_scores, Promise.of_metadata(metadata)),
        "live_by_week": _by_week(findings.live_scores),
        "outputs": _to_records(findings.outputs),
        "drift": _to_records(findings.drift),
        "skew": _to_records(findings.skew),
        "explanations": _to_records(findings.explanations),
        "fairness": _to_records(findings.fairness),
        "challenger": _describe_challenger(findings),
        "usage": _describe_usage(findings.events),
        "files": [
            {name: file.get(name) for name in ("file", "status", "reason")}
            for file in findings.files
            if file["status"] != _KNOWN
        ],
    }


def _by_step(scores: pd.DataFrame, promise: Promise | None) -> list[dict[str, Any]]:
    rows = scores[scores["slice"] == "step"]
    table = pd.DataFrame({"step": rows["value"].astype(int), "nwrmsle": rows["nwrmsle"]})
    promised = {s["step"]: s["nwrmsle"] for s in promise.steps} if promise else {}
    table["promised"] = table["step"].map(promised).astype(float)
    return _to_records(table.sort_values("step"))


def _by_week(scores: pd.DataFrame) -> list[dict[str, Any]]:
    rows = scores[scores["slice"] == "weeks_since_cutoff"]
    table = pd.DataFrame(
        {
            "weeks_since_cutoff": rows["value"].astype(int),
            "nwrmsle": rows["nwrmsle"],
            "rows": rows["rows"],
        }
    )
    return _to_records(table.sort_values("weeks_since_cutoff"))


def _describe_challenger(findings: Findings) -> dict[str, Any] | None:
    """Return how the challenger that is served does beside the champion; None without one."""
    comparison = findings.challenger_comparison
    if not comparison:
        return None
    parts = {
        name: {key: _to_plain(value) for key, value in comparison[name].items()}
        for name in ("live", "differences")
    }
    return comparison | parts | {"measures": _to_records(findings.challenger_measures)}


def _describe_usage(events: ServedEvents) -> dict[str, Any]:
    shares = {
        "long_range_share": _to_plain(events.long_range_share),
        "refused_share": _to_plain(events.refused_share),
        "failed_share": _to_plain(events.failed_share),
    }
    counts = {
        "requests": events.requests,
        "refused": events.refused,
        "failed": events.failed,
    }
    return {
        **(dict.fromkeys(counts) if events.problem else counts),
        **shares,
        "by_day": _to_records(events.by_day[["date", "requests", "refused", "failed"]]),
        "products": _to_records(events.products.head(_MOST_ROWS)),
        "stores": _to_records(events.stores.head(_MOST_ROWS)),
        "clients": _to_records(events.clients.head(_MOST_ROWS)),
    }


def _to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _to_plain(value) for name, value in record.items()}
        for record in table.to_dict(orient="records")
    ]


def _to_plain(value: Any) -> Any:
    """Return a JSON-able value."""
    if isinstance(value, float | np.floating):
        return round(float(value), _DECIMALS) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return None if value is pd.NaT else value
