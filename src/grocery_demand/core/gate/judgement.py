"""The judgement: all checks, and what follows from them."""

from dataclasses import dataclass

import pandas as pd

from grocery_demand.core.gate.checks import (
    BAR,
    BASELINE,
    SLICE,
    Check,
    check_bars,
    check_baselines,
    check_champion,
    check_slices,
    in_words,
)
from grocery_demand.core.gate.comparison import compare, sum_errors
from grocery_demand.core.gate.parameters import GateParameters
from grocery_demand.core.models import BASELINES

PROMOTE, KEEP, REJECT = "promote", "keep", "reject"

INCUMBENT = "incumbent"
"""Column of the champion's forecast in the holdout table."""


@dataclass(frozen=True)
class Incumbent:
    """The champion that a challenger is judged against.

    Attributes:
        name: As it stands in sentences: `champion version 3`.
        same_model: Whether the challenger is the very same model.
        note: A sentence on how it was compared, or why it could not be.
    """

    name: str
    same_model: bool = False
    note: str = ""


@dataclass(frozen=True)
class Judgement:
    """The checks and what follows from them.

    Attributes:
        outcome: `promote`; `keep` (the champion stays, it is no worse); or `reject` (a bar or a
            baseline was missed).
        checks: All checks made.
        reasons: Sentences, the outcome first.
    """

    outcome: str
    checks: list[Check]
    reasons: list[str]


def judge(
    holdout: pd.DataFrame, gate: GateParameters, incumbent: Incumbent | None = None
) -> Judgement:
    """Judge a challenger by its forecasts of the holdout.

    Args:
        holdout: One row per series and day: store_nbr, item_nbr, family, type, perishable,
            unit_sales, `point`, a column for each baseline and, if the champion can forecast
            these days, its forecast as `incumbent`.
        gate: The bars.
        incumbent: The champion; None if there is none.

    Without the champion's forecast the slices are held against the better baseline, and one that
    falls behind is told but stops nothing.
    """
    checks = [*check_bars(holdout, gate), *check_baselines(holdout)]
    if incumbent is not None and INCUMBENT in holdout:
        sums = sum_errors(holdout, "point", INCUMBENT)
        checks.append(check_champion(compare(sums, gate.confidence), gate, incumbent.name))
        checks += check_slices(sums, gate, incumbent.name, decisive=True)
    else:
        baseline = _better_baseline(checks)
        sums = sum_errors(holdout, "point", baseline)
        checks += check_slices(sums, gate, f"the {in_words(baseline)}", decisive=False)
    outcome, headline = _conclude(checks, incumbent)
    notes = [incumbent.note] if incumbent is not None and incumbent.note else []
    return Judgement(outcome, checks, [headline, *notes, *_reasons(checks, gate)])


def _conclude(checks: list[Check], incumbent: Incumbent | None) -> tuple[str, str]:
    missed = [check for check in checks if check.decisive and not check.passed]
    fatal = [check.name for check in missed if check.kind in (BAR, BASELINE)]
    if fatal:
        return REJECT, f"Rejected: the challenger missed {', '.join(fatal)}."
    if incumbent is None:
        return PROMOTE, "Promoted: it passes every bar, and there was no champion."
    if incumbent.same_model:
        return KEEP, f"Not promoted: it is the same model as {incumbent.name}."
    if missed:
        names = ", ".join(check.name for check in missed)
        return KEEP, f"Not promoted: {incumbent.name} stays; the challenger missed {names}."
    return PROMOTE, f"Promoted: it passes every bar and replaces {incumbent.name}."


def _reasons(checks: list[Check], gate: GateParameters) -> list[str]:
    """Return the reason of each check, of slices only those that fall behind."""
    told = [check.reason for check in checks if check.kind != SLICE or not check.passed]
    slices = [check for check in checks if check.kind == SLICE]
    if all(check.passed for check in slices):
        told.append(
            f"None of the {len(slices)} store types and families falls behind by more than "
            f"{gate.max_slice_loss:.0%} beyond chance."
        )
    return told


def _better_baseline(checks: list[Check]) -> str:
    scored = {c.name: c.limit for c in checks if c.kind == BASELINE and c.limit is not None}
    return min(scored, key=lambda name: scored[name], default=BASELINES[0])
