"""The gate: whether a challenger may replace the champion, check by check, with reasons."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core import metrics
from grocery_demand.core.comparison import Comparison, compare, compare_slices, sum_errors
from grocery_demand.core.models import BASELINES
from grocery_demand.core.parameters import parameters, require
from grocery_demand.core.scores import row_weights

PROMOTE, KEEP, REJECT = "promote", "keep", "reject"
BAR, BASELINE, CHAMPION, SLICE = "bar", "baseline", "champion", "slice"

INCUMBENT = "incumbent"
"""Column of the incumbent's forecast in the holdout table."""

_SLICE_WORDS = {"type": "store type", "family": "family"}


@parameters("gate")
class GateParameters:
    """What a challenger has to reach.

    Attributes:
        max_nwrmsle: Absolute bar: highest NWRMSLE on the holdout, above 0.
        min_r2_score: Absolute bar: R² on the holdout has to be above it.
        champion_tolerance: Share by which the NWRMSLE may exceed the champion's, from 0 to 1.
        max_slice_loss: Share by which a store type or a family may fall behind, from 0 to 1.
        confidence: Of the intervals, between 0.5 and 1.
    """

    max_nwrmsle: float = 0.80
    min_r2_score: float = 0.0
    champion_tolerance: float = 0.005
    max_slice_loss: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        require(self.max_nwrmsle > 0, "gate.max_nwrmsle", self.max_nwrmsle, "above 0")
        require(self.min_r2_score < 1, "gate.min_r2_score", self.min_r2_score, "below 1")
        for name in ("champion_tolerance", "max_slice_loss"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"gate.{name}", value, "from 0 to 1")
        allowed = "above 0.5 and below 1"
        require(0.5 < self.confidence < 1, "gate.confidence", self.confidence, allowed)  # noqa: PLR2004


@dataclass(frozen=True)
class Check:
    """One thing the gate looked at.

    Attributes:
        name: Metric, baseline, `champion`, or the slice as `family DAIRY`.
        kind: `bar`, `baseline`, `champion` or `slice`.
        passed: Whether the challenger passed it.
        decisive: Whether failing it changes the outcome.
        value: The challenger's number.
        limit: What it was held against; the baseline's or the champion's number, or the bar.
        interval: Of the difference to the champion's number; None where there is none.
        reason: The same in one sentence.
    """

    name: str
    kind: str
    passed: bool
    value: float | None
    limit: float | None
    reason: str
    decisive: bool = True
    interval: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class Judgement:
    """The checks and what follows from them.

    Attributes:
        outcome: `promote`; `keep` (the champion is as good); `reject` (a bar or a baseline was
            missed).
        checks: All checks made.
        reasons: Sentences, the outcome first.
    """

    outcome: str
    checks: list[Check]
    reasons: list[str]

    @property
    def missed(self) -> list[Check]:
        """The decisive checks that the challenger failed."""
        return [check for check in self.checks if check.decisive and not check.passed]


def judge(holdout: pd.DataFrame, gate: GateParameters, champion: str | None = None) -> Judgement:
    """Judge a challenger by its forecasts of the holdout.

    Args:
        holdout: One row per series and day: store_nbr, item_nbr, family, type, perishable,
            unit_sales, `point`, a column for each baseline, and, with a champion, `incumbent`.
        gate: The bars.
        champion: The champion's name in sentences, as `champion version 3`; None if there is
            none, or none that can forecast this holdout: then the slices are held against the
            better baseline, and one that falls behind is told but stops nothing.
    """
    checks = [*_check_bars(holdout, gate), *_check_baselines(holdout)]
    reference, named = INCUMBENT, champion
    if champion is None:
        reference = _better_baseline(checks)
        named = _words(reference)
    sums = sum_errors(holdout, "point", reference)
    if champion is not None:
        checks.append(_check_champion(compare(sums, gate.confidence), gate, champion))
    checks += _check_slices(sums, gate, str(named), decisive=champion is not None)
    return _conclude(checks, champion, gate)


def _check_bars(holdout: pd.DataFrame, gate: GateParameters) -> Iterator[Check]:
    actual, forecast = holdout["unit_sales"].to_numpy(), holdout["point"].to_numpy()
    nwrmsle = metrics.nwrmsle(actual, forecast, row_weights(holdout))
    passed = nwrmsle <= gate.max_nwrmsle
    told = f"NWRMSLE {nwrmsle:.4f} {_is_or_not(passed)} within the bar of {gate.max_nwrmsle:g}."
    yield Check("nwrmsle", BAR, passed, _finite(nwrmsle), gate.max_nwrmsle, told)
    r2 = metrics.r2_score(actual, forecast)
    passed = r2 > gate.min_r2_score
    told = f"R² {r2:.4f} {_is_or_not(passed)} above the bar of {gate.min_r2_score:g}."
    yield Check("r2_score", BAR, passed, _finite(r2), gate.min_r2_score, told)


def _check_baselines(holdout: pd.DataFrame) -> Iterator[Check]:
    actual, weight = holdout["unit_sales"].to_numpy(), row_weights(holdout)
    mine = metrics.nwrmsle(actual, holdout["point"].to_numpy(), weight)
    for name in BASELINES:
        theirs = metrics.nwrmsle(actual, holdout[name].to_numpy(), weight)
        passed = mine < theirs
        told = (
            f"NWRMSLE {mine:.4f} {_is_or_not(passed)} better than the {_words(name)}'s "
            f"{theirs:.4f} on the same {len(holdout):,} rows."
        )
        yield Check(name, BASELINE, passed, _finite(mine), _finite(theirs), told)


def _check_champion(pair: Comparison, gate: GateParameters, champion: str) -> Check:
    passed = pair.loss <= gate.champion_tolerance and not pair.significantly_worse
    told = (
        f"NWRMSLE {pair.challenger:.4f} {_is_or_not(not passed)} worse than the "
        f"{pair.reference:.4f} of {champion} on the same rows: {_difference(pair)}; "
        f"{gate.champion_tolerance:.1%} is tolerated unless the interval lies above zero."
    )
    return _comparison_check("champion", CHAMPION, passed, pair, told)


def _check_slices(
    sums: pd.DataFrame, gate: GateParameters, reference: str, *, decisive: bool
) -> Iterator[Check]:
    for (column, value), pair in compare_slices(sums, gate.confidence).items():
        behind = pair.loss > gate.max_slice_loss and pair.significantly_worse
        word = _SLICE_WORDS[column]
        told = (
            f"In {word} {value} NWRMSLE {pair.challenger:.4f} {_is_or_not(behind)} behind the "
            f"{pair.reference:.4f} of {reference} by more than {gate.max_slice_loss:.0%}: "
            f"{_difference(pair)}."
        )
        name = f"{column} {value}"
        yield _comparison_check(name, SLICE, not behind, pair, told, decisive=decisive)


def _conclude(checks: list[Check], champion: str | None, gate: GateParameters) -> Judgement:
    missed = [check for check in checks if check.decisive and not check.passed]
    fatal = [check for check in missed if check.kind in (BAR, BASELINE)]
    slices = [check for check in checks if check.kind == SLICE]
    if fatal:
        names = ", ".join(check.name for check in fatal)
        outcome, headline = REJECT, f"Rejected: the challenger missed {names}."
    elif missed:
        outcome, headline = KEEP, f"Not promoted: {champion} is the better model."
    elif champion is None:
        outcome, headline = PROMOTE, "Promoted: it passes every bar and there is no champion."
    else:
        outcome, headline = PROMOTE, f"Promoted: it passes every bar and replaces {champion}."
    told = [check.reason for check in checks if check.kind != SLICE or not check.passed]
    if slices and all(check.passed for check in slices):
        told.append(
            f"None of the {len(slices)} store types and families is behind by more than "
            f"{gate.max_slice_loss:.0%} beyond chance."
        )
    return Judgement(outcome, checks, [headline, *told])


def _better_baseline(checks: list[Check]) -> str:
    scored = [c for c in checks if c.kind == BASELINE and c.limit is not None]
    return min(scored, key=lambda check: float(check.limit or 0)).name if scored else BASELINES[0]


def _comparison_check(
    name: str, kind: str, passed: bool, pair: Comparison, told: str, *, decisive: bool = True
) -> Check:
    interval = (_finite(pair.lower), _finite(pair.upper))
    value, limit = _finite(pair.challenger), _finite(pair.reference)
    return Check(name, kind, bool(passed), value, limit, told, decisive, interval)


def _difference(pair: Comparison) -> str:
    spread = f"{pair.loss:+.1%}, {pair.challenger - pair.reference:+.4f}"
    if not np.isfinite(pair.lower):
        return f"{spread}; too few series ({pair.series}) for an interval"
    return f"{spread} with interval {pair.lower:+.4f} … {pair.upper:+.4f} over {pair.series:,} series"


def _is_or_not(condition: bool) -> str:
    return "is" if condition else "is not"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _finite(number: float) -> float | None:
    """Return the number, or None for what JSON has no word for."""
    return float(number) if math.isfinite(number) else None


def to_verdict(judgement: Judgement, **facts: Any) -> dict[str, Any]:
    """Return the judgement with facts about what was judged, JSON-able."""
    checks = [
        {name: value for name, value in vars(check).items() if value is not None}
        for check in judgement.checks
    ]
    return {"outcome": judgement.outcome, "reasons": judgement.reasons, "checks": checks} | facts
