"""What follows from the checks: promote, keep or reject, with the reason first."""

import math

import numpy as np
import pytest

from grocery_demand.core.gate import INCUMBENT, GateParameters, Incumbent, Judgement, judge
from holdouts import make_holdout

GATE = GateParameters(max_nwrmsle=2.0, min_r2_score=-1000.0, champion_tolerance=0.01)
CHAMPION = Incumbent("champion version 3")
GOOD = {"point": 0.5, "seasonal_naive": 0.9, "moving_average": 0.8}
"""Errors of a challenger that beats both baselines."""


def judge_errors(
    champion: Incumbent | None = None, gate: GateParameters = GATE, **errors: object
) -> Judgement:
    return judge(make_holdout(**GOOD | errors), gate, champion)


def by_family(groceries: float, dairy: float) -> np.ndarray:
    return np.tile([groceries, dairy], 4)


def by_type(type_a: float, type_b: float) -> np.ndarray:
    return np.repeat([type_a, type_b], 4)


def names_of(judgement: Judgement, kind: str) -> list[str]:
    return [check.name for check in judgement.checks if check.kind == kind]


def test_a_first_challenger_that_passes_is_promoted():
    judgement = judge_errors()
    assert judgement.outcome == "promote"
    assert judgement.reasons[0] == "Promoted: it passes every bar, and there was no champion."


def test_all_is_checked_whatever_comes_of_it():
    for judgement in (judge_errors(), judge_errors(point=1.9)):
        assert names_of(judgement, "bar") == ["nwrmsle", "r2_score"]
        assert names_of(judgement, "baseline") == ["seasonal_naive", "moving_average"]
        assert names_of(judgement, "champion") == []
        slices = ["type A", "type B", "family DAIRY", "family GROCERY I"]
        assert names_of(judgement, "slice") == slices
    beside = judge_errors(CHAMPION, incumbent=0.5)
    assert names_of(beside, "champion") == ["champion"]


@pytest.mark.parametrize(
    ("gate", "errors", "missed"),
    [
        ({"max_nwrmsle": 0.4}, {}, "nwrmsle"),
        ({"min_r2_score": 0.99}, {}, "r2_score"),
        ({}, {"seasonal_naive": 0.4}, "seasonal_naive"),
        ({}, {"moving_average": 0.4}, "moving_average"),
        ({"max_nwrmsle": 0.4}, {"seasonal_naive": 0.5}, "nwrmsle, seasonal_naive"),
    ],
)
@pytest.mark.parametrize(
    "champion", [None, CHAMPION, Incumbent("champion version 3", same_model=True)]
)
def test_a_challenger_that_misses_a_bar_or_a_baseline_is_rejected(gate, errors, missed, champion):
    """Beside any champion, even one that it beats."""
    bars = {"max_nwrmsle": 2.0, "min_r2_score": -1000.0} | gate
    judgement = judge_errors(champion, GateParameters(**bars), **errors, incumbent=1.0)
    assert judgement.outcome == "reject"
    assert judgement.reasons[0] == f"Rejected: the challenger missed {missed}."


def test_a_challenger_whose_scores_are_unknown_is_rejected():
    judgement = judge_errors(point=math.nan)
    assert judgement.outcome == "reject"
    assert judgement.reasons[0] == (
        "Rejected: the challenger missed nwrmsle, r2_score, seasonal_naive, moving_average."
    )


@pytest.mark.parametrize("error", [0.5, 0.6], ids=["identical", "worse"])
def test_a_challenger_no_worse_than_the_champion_replaces_it(error):
    judgement = judge_errors(CHAMPION, incumbent=error)
    assert judgement.outcome == "promote"
    assert judgement.reasons[0] == "Promoted: it passes every bar and replaces champion version 3."


def test_a_challenger_a_little_worse_by_chance_replaces_the_champion():
    mixed = np.tile([0.4, 0.604, 0.604, 0.4], 2)
    judgement = judge_errors(CHAMPION, point=mixed, incumbent=1.0 - mixed)
    check = judgement.checks[4]
    assert 0 < check.value / check.limit - 1 < 0.01
    assert check.interval[0] < 0
    assert judgement.outcome == "promote"


def test_a_challenger_surely_worse_does_not_although_within_the_tolerance():
    judgement = judge_errors(CHAMPION, point=0.502, incumbent=0.5)
    check = judgement.checks[4]
    assert 0 < check.value / check.limit - 1 < 0.01
    assert check.interval[0] > 0
    assert judgement.outcome == "keep"
    assert judgement.reasons[0] == (
        "Not promoted: champion version 3 stays; the challenger missed champion."
    )


def test_a_challenger_beyond_the_tolerance_does_not_although_not_surely_worse():
    mixed = np.tile([0.3, 0.75, 0.75, 0.3], 2)
    judgement = judge_errors(CHAMPION, point=mixed, incumbent=1.0 - mixed)
    check = judgement.checks[4]
    assert check.value / check.limit - 1 > 0.01
    assert check.interval[0] < 0
    assert judgement.outcome == "keep"


def test_the_same_model_is_kept_out_without_a_comparison():
    judgement = judge_errors(Incumbent("champion version 3", same_model=True))
    assert judgement.outcome == "keep"
    assert judgement.reasons[0] == "Not promoted: it is the same model as champion version 3."
    assert names_of(judgement, "champion") == []


@pytest.mark.parametrize(
    ("errors", "missed"),
    [(by_family(0.3, 0.6), "family DAIRY"), (by_type(0.6, 0.3), "type A")],
)
def test_a_challenger_better_in_all_but_behind_in_a_slice_does_not_replace_the_champion(
    errors, missed
):
    judgement = judge_errors(CHAMPION, point=errors, incumbent=0.5)
    assert judgement.checks[4].passed
    assert judgement.outcome == "keep"
    assert judgement.reasons[0] == (
        f"Not promoted: champion version 3 stays; the challenger missed {missed}."
    )


def test_all_that_was_missed_is_named():
    judgement = judge_errors(CHAMPION, point=by_type(0.7, 0.4), incumbent=0.5)
    assert judgement.reasons[0].endswith("the challenger missed champion, type A.")


@pytest.mark.parametrize("champion", [None, Incumbent("champion version 3", note="It is lost.")])
def test_a_slice_behind_the_better_baseline_is_told_but_stops_nothing(champion):
    judgement = judge_errors(champion, point=by_family(0.3, 0.9))
    assert judgement.outcome == "promote"
    behind = [check for check in judgement.checks if not check.passed]
    assert [check.name for check in behind] == ["family DAIRY"]
    assert not behind[0].decisive
    assert judgement.reasons[-1] == behind[0].reason
    assert behind[0].reason.startswith(
        "In family DAIRY NWRMSLE 0.9000 falls behind the 0.8000 of the moving average:"
    )


@pytest.mark.parametrize(
    ("errors", "better", "limit"),
    [
        ({"seasonal_naive": 0.7, "moving_average": 0.8}, "the seasonal naive", 0.7),
        ({"seasonal_naive": 0.8, "moving_average": 0.7}, "the moving average", 0.7),
        ({"seasonal_naive": math.nan, "moving_average": 0.8}, "the moving average", 0.8),
    ],
)
def test_without_a_champion_the_slices_are_held_against_the_better_baseline(errors, better, limit):
    judgement = judge_errors(**errors)
    slices = [check for check in judgement.checks if check.kind == "slice"]
    assert [check.limit for check in slices] == pytest.approx([limit] * 4)
    assert all(f" of {better}:" in check.reason for check in slices)


def test_with_both_baselines_unknown_the_challenger_is_rejected_all_the_same():
    judgement = judge_errors(seasonal_naive=math.nan, moving_average=math.nan)
    assert judgement.outcome == "reject"
    assert [c.limit for c in judgement.checks if c.kind == "baseline"] == [None, None]
    slices = [check.reason for check in judgement.checks if check.kind == "slice"]
    assert all(" of the seasonal naive:" in reason for reason in slices)


def test_a_champion_that_could_not_be_compared_with_is_replaced_and_the_reason_told():
    judgement = judge_errors(Incumbent("champion version 3", note="It cannot forecast this."))
    assert judgement.outcome == "promote"
    assert judgement.reasons[:2] == [
        "Promoted: it passes every bar and replaces champion version 3.",
        "It cannot forecast this.",
    ]
    assert names_of(judgement, "champion") == []


def test_the_reasons_are_those_of_all_checks_but_the_slices_that_keep_up():
    noted = Incumbent("champion version 3", note="It had seen less.")
    judgement = judge_errors(noted, point=0.4, incumbent=0.5)
    told = [check.reason for check in judgement.checks if check.kind != "slice"]
    assert len(told) == 5
    assert judgement.reasons == [
        "Promoted: it passes every bar and replaces champion version 3.",
        "It had seen less.",
        *told,
        "None of the 4 store types and families falls behind by more than 5% beyond chance.",
    ]


def test_only_the_slices_that_fall_behind_are_told():
    judgement = judge_errors(CHAMPION, point=by_family(0.3, 0.6), incumbent=0.5)
    told = [reason for reason in judgement.reasons if reason.startswith("In ")]
    assert len(told) == 1
    assert told[0].startswith("In family DAIRY NWRMSLE 0.6000 falls behind")
    assert not any("None of the" in reason for reason in judgement.reasons)


def test_a_forecast_of_a_champion_is_not_compared_with_if_there_is_no_champion():
    judgement = judge(make_holdout(**GOOD, **{INCUMBENT: 0.1}), GATE)
    assert judgement.outcome == "promote"
    assert names_of(judgement, "champion") == []


def test_the_tables_judged_are_left_as_they_were():
    holdout = make_holdout(**GOOD, incumbent=0.5)
    before = holdout.copy()
    judge(holdout, GATE, CHAMPION)
    assert holdout.equals(before)
