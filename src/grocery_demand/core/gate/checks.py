"""The checks of the gate: each with its numbers and its reason in one sentence."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grocery_demand.core import metrics
from grocery_demand.core.gate.comparison import Comparison, compare_slices
from grocery_demand.core.gate.parameters import GateParameters
from grocery_demand.core.models import BASELINES
from grocery_demand.core.scores import row_weights

BAR, BASELINE, CHAMPION, SLICE = "bar", "baseline", "champion", "slice"

_SLICE_WORDS = {"type": "store type", "family": "family"}


@dataclass(frozen=True)
class Check:
    """One thing the gate looked at.

    Attributes:
        name: Metric, baseline, `champion`, or the slice, as `family DAIRY`.
        kind: `bar`, `baseline`, `champion` or `slice`.
        passed: Whether the challenger passed it.
        value: The challenger's number; None if it has none.
        limit: What it was held against: the bar, or the number of the baseline or champion.
        reason: The same in one sentence.
        decisive: Whether failing it changes the outcome.
        interval: Of the difference to `limit`; None where there is none.
    """

    name: str
    kind: str
    passed: bool
    value: float | None
    limit: float | None
    reason: str
    decisive: bool = True
    interval: tuple[float, float] | None = None


def check_bars(holdout: pd.DataFrame, gate: GateParameters) -> Iterator[Check]:
    """Hold the challenger against the absolute bars."""
    actual, forecast = holdout["unit_sales"].to_numpy(), holdout["point"].to_numpy()
    nwrmsle = metrics.nwrmsle(actual, forecast, row_weights(holdout))
    passed = nwrmsle <= gate.max_nwrmsle
    told = f"NWRMSLE {nwrmsle:.4f} {_is(passed)} within the bar of {gate.max_nwrmsle:g}."
    yield Check("nwrmsle", BAR, passed, _finite(nwrmsle), gate.max_nwrmsle, told)
    r2 = metrics.r2_score(actual, forecast)
    passed = r2 > gate.min_r2_score
    told = f"R² {r2:.4f} {_is(passed)} above the bar of {gate.min_r2_score:g}."
    yield Check("r2_score", BAR, passed, _finite(r2), gate.min_r2_score, told)


def check_baselines(holdout: pd.DataFrame) -> Iterator[Check]:
    """Hold the challenger against each baseline on the same rows."""
    actual, weight = holdout["unit_sales"].to_numpy(), row_weights(holdout)
    mine = metrics.nwrmsle(actual, holdout["point"].to_numpy(), weight)
    for name in BASELINES:
        theirs = metrics.nwrmsle(actual, holdout[name].to_numpy(), weight)
        passed = mine < theirs
        told = (
            f"NWRMSLE {mine:.4f} {_is(passed)} better than the {in_words(name)}'s {theirs:.4f} "
            f"on the same {len(holdout):,} rows."
        )
        yield Check(name, BASELINE, passed, _finite(mine), _finite(theirs), told)


def check_champion(pair: Comparison, gate: GateParameters, champion: str) -> Check:
    """Hold the challenger against the champion on the same rows."""
    passed = pair.loss <= gate.champion_tolerance and not pair.significantly_worse
    told = (
        f"NWRMSLE {pair.challenger:.4f} {_is(not passed)} worse than the {pair.reference:.4f} of "
        f"{champion} on the same rows: {_difference(pair)}; {gate.champion_tolerance:.1%} is "
        "tolerated, unless the interval lies above zero."
    )
    return _paired("champion", CHAMPION, passed, pair, told)


def check_slices(
    sums: pd.DataFrame, gate: GateParameters, reference: str, *, decisive: bool
) -> Iterator[Check]:
    """Hold the challenger against a reference in each store type and each family."""
    for (column, value), pair in compare_slices(sums, gate.confidence).items():
        behind = pair.loss > gate.max_slice_loss and pair.significantly_worse
        told = (
            f"In {_SLICE_WORDS[column]} {value} NWRMSLE {pair.challenger:.4f} "
            f"{'falls behind' if behind else 'keeps up with'} the {pair.reference:.4f} of "
            f"{reference}: {_difference(pair)}; {gate.max_slice_loss:.0%} beyond chance is too "
            "much."
        )
        yield _paired(f"{column} {value}", SLICE, not behind, pair, told, decisive=decisive)


def in_words(name: str) -> str:
    """Return a name as it stands in a sentence."""
    return name.replace("_", " ")


def _paired(
    name: str, kind: str, passed: bool, pair: Comparison, told: str, *, decisive: bool = True
) -> Check:
    known = np.isfinite(pair.lower)
    interval = (float(pair.lower), float(pair.upper)) if known else None
    value, limit = _finite(pair.challenger), _finite(pair.reference)
    return Check(name, kind, bool(passed), value, limit, told, decisive, interval)


def _difference(pair: Comparison) -> str:
    change = f"{pair.loss:+.1%}"
    if not np.isfinite(pair.lower):
        return f"{change}; too few series ({pair.series}) for an interval"
    interval = f"{pair.lower:+.4f} … {pair.upper:+.4f}"
    return f"{change}, interval of the difference {interval} over {pair.series:,} series"


def _is(condition: bool) -> str:
    return "is" if condition else "is not"


def _finite(number: float) -> float | None:
    """Return the number, or None for what JSON has no word for."""
    return float(number) if math.isfinite(number) else None
