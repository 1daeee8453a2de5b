"""Each check at, above and below its limit, with its numbers and its sentence."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.gate import BAR, BASELINE, Check, GateParameters
from grocery_demand.core.gate.checks import (
    CHAMPION,
    SLICE,
    check_bars,
    check_baselines,
    check_champion,
    check_slices,
    in_words,
)
from grocery_demand.core.gate.comparison import Comparison
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.scores import row_weights
from holdouts import make_holdout

SMALLEST = 1e-12

R2_HALF = pd.DataFrame({"unit_sales": [0.0, 2.0], "point": [0.0, 1.0], "perishable": [0, 0]})
"""A holdout whose R² is exactly one half."""


def bars_of(holdout: pd.DataFrame, **gate: float) -> dict[str, Check]:
    return {check.name: check for check in check_bars(holdout, GateParameters(**gate))}


def score_of(holdout: pd.DataFrame, column: str) -> float:
    units = (holdout[name].to_numpy() for name in ("unit_sales", column))
    return nwrmsle(*units, row_weights(holdout))


@pytest.mark.parametrize(
    ("above_score", "passes"), [(SMALLEST, True), (0, True), (-SMALLEST, False)]
)
def test_the_nwrmsle_may_reach_its_bar_but_not_exceed_it(above_score, passes):
    holdout = make_holdout(point=0.3)
    check = bars_of(holdout, max_nwrmsle=score_of(holdout, "point") + above_score)["nwrmsle"]
    assert check.passed is passes


@pytest.mark.parametrize(("bar", "passes"), [(0.5 - SMALLEST, True), (0.5, False), (0.6, False)])
def test_r2_has_to_be_above_its_bar(bar, passes):
    assert bars_of(R2_HALF, min_r2_score=bar)["r2_score"].passed is passes


def test_the_bars_are_told_with_their_numbers():
    checks = bars_of(R2_HALF, max_nwrmsle=0.4, min_r2_score=0.25)
    score = pytest.approx(math.log(1.5) / math.sqrt(2))
    assert list(checks) == ["nwrmsle", "r2_score"]
    assert checks["nwrmsle"] == Check(
        "nwrmsle", BAR, True, score, 0.4, "NWRMSLE 0.2867 is within the bar of 0.4."
    )
    assert checks["r2_score"] == Check(
        "r2_score", BAR, True, 0.5, 0.25, "R² 0.5000 is above the bar of 0.25."
    )


def test_a_missed_bar_is_told_as_missed():
    checks = bars_of(R2_HALF, max_nwrmsle=0.1, min_r2_score=0.75)
    assert checks["nwrmsle"].reason == "NWRMSLE 0.2867 is not within the bar of 0.1."
    assert checks["r2_score"].reason == "R² 0.5000 is not above the bar of 0.75."


def test_the_bar_counts_perishable_items_more():
    holdout = make_holdout(point=np.tile([0.1, 0.7], 4))
    expected = math.sqrt((0.1**2 + 1.25 * 0.7**2) / 2.25)
    assert bars_of(holdout)["nwrmsle"].value == pytest.approx(expected)


def test_a_score_that_is_unknown_misses_its_bar_and_has_no_value():
    lost = bars_of(make_holdout(point=math.nan), min_r2_score=-100)
    constant = bars_of(make_holdout(point=0.1).assign(unit_sales=3.0), min_r2_score=-100)
    for check in (*lost.values(), constant["r2_score"]):
        assert (check.passed, check.value) == (False, None)
        assert "nan is not" in check.reason
    assert constant["nwrmsle"].passed


@pytest.mark.parametrize("baseline", ["seasonal_naive", "moving_average"])
@pytest.mark.parametrize(("more", "passes"), [(SMALLEST, True), (0, False), (-SMALLEST, False)])
def test_each_baseline_has_to_be_beaten(baseline, more, passes):
    errors = {"point": 0.4, "seasonal_naive": 9.0, "moving_average": 9.0}
    holdout = make_holdout(**errors | {baseline: 0.4 + more})
    checks = {check.name: check for check in check_baselines(holdout)}
    assert checks.pop(baseline).passed is passes
    assert [check.passed for check in checks.values()] == [True]


def test_the_baselines_are_told_with_their_numbers():
    holdout = make_holdout(n_stores=250, point=0.5, seasonal_naive=0.75, moving_average=0.25)
    assert list(check_baselines(holdout)) == [
        Check(
            "seasonal_naive", BASELINE, True, pytest.approx(0.5), pytest.approx(0.75),
            "NWRMSLE 0.5000 is better than the seasonal naive's 0.7500 on the same 1,500 rows.",
        ),
        Check(
            "moving_average", BASELINE, False, pytest.approx(0.5), pytest.approx(0.25),
            "NWRMSLE 0.5000 is not better than the moving average's 0.2500 on the same 1,500 rows.",
        ),
    ]  # fmt: skip


def test_an_unknown_score_beats_no_baseline_and_none_is_beaten_that_is_unknown():
    known = {"point": 0.5, "seasonal_naive": 0.9, "moving_average": 0.9}
    for check in check_baselines(make_holdout(**known | {"point": math.nan})):
        assert (check.passed, check.value, check.limit) == (False, None, pytest.approx(0.9))
    naive, average = check_baselines(make_holdout(**known | {"seasonal_naive": math.nan}))
    assert (naive.passed, naive.value, naive.limit) == (False, pytest.approx(0.5), None)
    assert average.passed


def against_champion(
    challenger: float, reference: float, lower: float, upper: float, tolerance: float = 0.25
) -> Check:
    pair = Comparison(challenger, reference, lower, upper, 1234)
    gate = GateParameters(champion_tolerance=tolerance)
    return check_champion(pair, gate, "champion version 3")


@pytest.mark.parametrize(
    ("challenger", "lower", "upper", "passes"),
    [
        (0.40, -0.2, -0.1, True),
        (0.50, 0.0, 0.0, True),
        (0.55, -0.1, 0.2, True),
        (0.625, -0.1, 0.3, True),
        (0.625 + SMALLEST, -0.1, 0.3, False),
        (0.55, 0.0, 0.2, True),
        (0.55, SMALLEST, 0.2, False),
        (0.70, 0.1, 0.3, False),
        (0.55, math.nan, math.nan, True),
        (0.70, math.nan, math.nan, False),
    ],
    ids=[
        "better", "identical", "within tolerance", "at the tolerance", "beyond the tolerance",
        "interval from zero", "within tolerance but surely worse", "beyond and surely worse",
        "one series within tolerance", "one series beyond",
    ],
)  # fmt: skip
def test_a_challenger_may_be_little_worse_than_the_champion_but_not_surely(
    challenger, lower, upper, passes
):
    assert against_champion(challenger, 0.5, lower, upper).passed is passes


def test_without_tolerance_an_identical_challenger_passes_and_a_worse_one_does_not():
    assert against_champion(0.5, 0.5, 0.0, 0.0, tolerance=0).passed
    assert not against_champion(0.5 + SMALLEST, 0.5, -0.1, 0.1, tolerance=0).passed


def test_nothing_but_a_perfect_challenger_is_as_good_as_a_perfect_champion():
    assert against_champion(0.0, 0.0, 0.0, 0.0).passed
    check = against_champion(0.1, 0.0, -0.1, 0.3)
    assert (check.passed, check.limit) == (False, 0)


def test_the_champion_is_told_with_its_numbers():
    assert against_champion(0.55, 0.5, -0.1, 0.2, tolerance=0.125) == Check(
        name="champion",
        kind=CHAMPION,
        passed=True,
        value=0.55,
        limit=0.5,
        reason=(
            "NWRMSLE 0.5500 is not worse than the 0.5000 of champion version 3 on the same rows: "
            "+10.0%, interval of the difference -0.1000 … +0.2000 over 1,234 series; 12.5% is "
            "tolerated, unless the interval lies above zero."
        ),
        decisive=True,
        interval=(-0.1, 0.2),
    )
    worse = against_champion(0.55, 0.5, 0.01, 0.2).reason
    assert worse.startswith("NWRMSLE 0.5500 is worse than the 0.5000 of champion version 3 on")


def test_a_champion_compared_on_too_few_series_has_no_interval_and_this_is_said():
    check = check_champion(Comparison(0.4, 0.5, math.nan, math.nan, 1), GateParameters(), "it")
    assert check.interval is None
    assert "-20.0%; too few series (1) for an interval; 0.5% is tolerated" in check.reason


def test_a_challenger_of_unknown_score_does_not_pass_beside_the_champion():
    check = against_champion(math.nan, 0.5, math.nan, math.nan)
    assert (check.passed, check.value, check.limit, check.interval) == (False, None, 0.5, None)


def make_sums(challenger: list[float], n_each: int = 3) -> pd.DataFrame:
    """Return series of two families in stores of type A, the reference off by 1.

    Args:
        challenger: By how much the challenger is off: in DAIRY, in GROCERY I.
        n_each: Series of each family.
    """
    families = np.repeat(["DAIRY", "GROCERY I"], n_each)
    squares = np.repeat(np.square(challenger), n_each)
    return pd.DataFrame(
        {"family": families, "type": "A", "weight": 1.0, "challenger": squares, "reference": 1.0}
    )


def slices_of(sums: pd.DataFrame, *, decisive: bool = True, **gate: float) -> dict[str, Check]:
    gate = GateParameters(**{"max_slice_loss": 0.25} | gate)
    checks = check_slices(sums, gate, "champion version 3", decisive=decisive)
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("challenger", "passes"),
    [(0.5, True), (1.0, True), (1.125, True), (1.25, True), (1.25 + 1e-9, False), (2.0, False)],
)
def test_a_slice_may_fall_behind_by_its_limit_and_no_more(challenger, passes):
    checks = slices_of(make_sums([challenger, 0.5]))
    assert checks["family DAIRY"].passed is passes
    assert checks["family GROCERY I"].passed
    assert checks["type A"].passed


def test_a_slice_that_falls_behind_by_chance_passes():
    sums = make_sums([1.0, 0.5]).assign(challenger=[0.25, 0.25, 9, 0.25, 0.25, 0.25])
    check = slices_of(sums)["family DAIRY"]
    assert check.value / check.limit > 1.25
    assert check.interval[0] < 0 < check.interval[1]
    assert check.passed


def test_a_slice_of_one_series_never_holds_a_challenger_back():
    checks = slices_of(make_sums([9.0, 0.1], n_each=1))
    assert checks["family DAIRY"].passed
    assert checks["family DAIRY"].interval is None
    assert "+800.0%; too few series (1) for an interval" in checks["family DAIRY"].reason


def test_the_slices_are_told_with_their_numbers():
    checks = slices_of(make_sums([1.5, 0.5]))
    assert list(checks) == ["type A", "family DAIRY", "family GROCERY I"]
    assert checks["family DAIRY"] == Check(
        name="family DAIRY",
        kind=SLICE,
        passed=False,
        value=1.5,
        limit=1.0,
        reason=(
            "In family DAIRY NWRMSLE 1.5000 falls behind the 1.0000 of champion version 3: "
            "+50.0%, interval of the difference +0.5000 … +0.5000 over 3 series; 25% beyond "
            "chance is too much."
        ),
        decisive=True,
        interval=(0.5, 0.5),
    )
    kept = checks["type A"].reason
    assert kept.startswith("In store type A NWRMSLE 1.1180 keeps up with the 1.0000 of champion")


@pytest.mark.parametrize("decisive", [True, False])
def test_slices_are_as_decisive_as_asked(decisive):
    checks = slices_of(make_sums([1.5, 0.5]), decisive=decisive)
    assert {check.decisive for check in checks.values()} == {decisive}
    assert not checks["family DAIRY"].passed


def test_every_check_can_be_written_as_json_whatever_is_unknown():
    """Floats of numpy are floats of Python as well; its booleans are none."""
    unknown = {"point": math.nan, "seasonal_naive": math.inf, "moving_average": 0.1}
    known = {"point": 0.3, "seasonal_naive": 0.5, "moving_average": 0.4}
    gate = GateParameters()
    pairs = [Comparison(*[math.nan] * 4, 1), Comparison(0.1, 0.0, -0.1, 0.3, 5)]
    checks = [
        *(check for pair in pairs for check in [check_champion(pair, gate, "it")]),
        *check_slices(make_sums([math.nan, 0.5]), gate, "it", decisive=True),
        *check_slices(make_sums([1.5, 0.5], n_each=1), gate, "it", decisive=True),
    ]
    for errors in (known, unknown):
        holdout = make_holdout(**errors)
        checks += [*check_bars(holdout, gate), *check_baselines(holdout)]
    written = json.dumps([vars(check) for check in checks], allow_nan=False)
    assert [check["name"] for check in json.loads(written)] == [check.name for check in checks]


def test_names_stand_in_sentences_without_underscores():
    assert in_words("seasonal_naive") == "seasonal naive"
