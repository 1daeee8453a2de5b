"""Two forecasts of the same rows, compared by hand, by loops and by resampling the series."""

import math

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.gate.comparison import Comparison, compare, compare_slices, sum_errors
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.scores import row_weights
from holdouts import make_holdout

T_OF_ONE = 12.7062047
"""Quantile 0.975 of Student's t distribution with one degree of freedom, from a printed table."""


def make_sums(challenger: list[float], reference: list[float], weight: object = 1.0):
    """Return the sums of series of one family and store type."""
    sums = {"weight": weight, "challenger": challenger, "reference": reference}
    return pd.DataFrame({"family": "DAIRY", "type": "A"} | sums)


def make_random_sums(seed: int, n_series: int) -> pd.DataFrame:
    """Return sums of series of unequal weight, in which both forecasts tend to err together."""
    source = np.random.default_rng(seed)
    weight = 16 * source.choice([1.0, 1.25], n_series)
    common = source.gamma(1, 0.2, n_series)
    sums = {
        name: weight * (common + source.gamma(0.5, mean / 0.5, n_series))
        for name, mean in (("challenger", 0.22), ("reference", 0.2))
    }
    return make_sums(weight=weight, **sums)


@pytest.fixture
def holdout() -> pd.DataFrame:
    """Eight series with errors of every size, days of closed stores missing."""
    source = np.random.default_rng(3)
    errors = {name: source.normal(0, 0.5, 8) for name in ("point", "incumbent")}
    holdout = make_holdout(n_days=5, **errors)
    holdout["unit_sales"] = source.integers(-2, 9, len(holdout)).astype(float)
    return holdout[source.random(len(holdout)) < 0.7]


def test_errors_are_summed_by_series_as_a_naive_loop_does(holdout):
    expected = {}
    for row in holdout.to_dict(orient="records"):
        weight = 1.25 if row["perishable"] else 1.0
        key = (row["store_nbr"], row["item_nbr"])
        sums = expected.setdefault(key, [row["family"], row["type"], 0.0, 0.0, 0.0])
        actual = math.log1p(max(row["unit_sales"], 0))
        sums[2] += weight
        for i, name in ((3, "point"), (4, "incumbent")):
            sums[i] += weight * (math.log1p(max(row[name], 0)) - actual) ** 2
    found = sum_errors(holdout, "point", "incumbent")
    assert list(found) == ["family", "type", "weight", "challenger", "reference"]
    assert len(found) == len(expected) == 8
    for row, sums in zip(found.itertuples(index=False), expected.values(), strict=True):
        assert tuple(row[:2]) == tuple(sums[:2])
        assert tuple(row[2:]) == pytest.approx(tuple(sums[2:]))


def test_the_scores_compared_are_those_of_the_metric(holdout):
    pair = compare(sum_errors(holdout, "point", "incumbent"), 0.95)
    actual, weight = holdout["unit_sales"].to_numpy(), row_weights(holdout)
    expected = [nwrmsle(actual, holdout[c].to_numpy(), weight) for c in ("point", "incumbent")]
    assert [pair.challenger, pair.reference] == pytest.approx(expected)
    assert pair.series == 8


def test_the_order_of_rows_does_not_matter(holdout):
    shuffled = holdout.sample(frac=1, random_state=1)
    one, other = (compare(sum_errors(h, "point", "incumbent"), 0.95) for h in (holdout, shuffled))
    assert list(vars(other).values()) == pytest.approx(list(vars(one).values()))


def test_an_interval_is_that_worked_out_by_hand():
    """Mean squares 4 and 1; worse by 7 and 5 where 6 and 6 are expected."""
    pair = compare(make_sums([9, 7], [2, 2], weight=2.0), 0.95)
    assert (pair.challenger, pair.reference, pair.series) == (2, 1, 2)
    margin = T_OF_ONE * math.sqrt((1 + 1) * 2 / 1) / 4
    assert pair.lower == pytest.approx((3 - margin) / 3)
    assert pair.upper == pytest.approx((3 + margin) / 3)


def test_series_that_all_differ_alike_leave_no_doubt():
    pair = compare(make_sums([2.5, 3.125], [1.6, 2.0], weight=[1, 1.25]), 0.95)
    difference = math.sqrt(2.5) - math.sqrt(1.6)
    assert [pair.lower, pair.upper] == pytest.approx([difference, difference])
    assert pair.significantly_worse


def test_the_difference_lies_in_the_middle_of_the_interval():
    pair = compare(make_random_sums(0, 50), 0.95)
    assert (pair.lower + pair.upper) / 2 == pytest.approx(pair.challenger - pair.reference)
    assert pair.lower < pair.upper


def test_the_interval_of_the_exchanged_forecasts_is_the_mirrored_one():
    sums = make_random_sums(0, 50)
    one = compare(sums, 0.95)
    other = compare(
        sums.rename(columns={"challenger": "reference", "reference": "challenger"}), 0.95
    )
    assert [other.lower, other.upper] == pytest.approx([-one.upper, -one.lower])


def test_the_surer_the_interval_the_wider_it_is():
    sums = make_random_sums(0, 50)
    bounds = [(p.lower, p.upper) for p in (compare(sums, c) for c in (0.6, 0.9, 0.95, 0.999))]
    lowers, uppers = zip(*bounds, strict=True)
    assert list(lowers) == sorted(lowers, reverse=True)
    assert list(uppers) == sorted(uppers)
    assert len(set(lowers)) == len(set(uppers)) == 4


def test_days_that_repeat_each_other_make_no_interval_narrower():
    holdout = make_holdout(point=np.linspace(0.1, 0.8, 8), incumbent=0.4)
    repeated = pd.concat([holdout] * 10)
    one, other = (compare(sum_errors(h, "point", "incumbent"), 0.95) for h in (holdout, repeated))
    assert [other.lower, other.upper] == pytest.approx([one.lower, one.upper])
    assert one.lower < 0 < one.upper


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_interval_is_about_that_of_a_bootstrap_over_series(seed):
    n_series = 400
    sums = make_random_sums(seed, n_series)
    source = np.random.default_rng(seed)
    times_drawn = source.multinomial(n_series, np.full(n_series, 1 / n_series), size=4000)
    resampled = times_drawn @ sums[["challenger", "reference", "weight"]].to_numpy()
    difference = np.diff(np.sqrt(resampled[:, [1, 0]] / resampled[:, [2]]))
    lower, upper = np.quantile(difference, [0.025, 0.975])
    pair = compare(sums, 0.95)
    assert [pair.lower, pair.upper] == pytest.approx([lower, upper], abs=0.15 * (upper - lower))


def test_95_of_100_intervals_cover_the_true_difference():
    everything = make_random_sums(7, 100_000)
    true = compare(everything, 0.95)
    samples = [everything.iloc[start : start + 60] for start in range(0, 24_000, 60)]
    pairs = [compare(sample, 0.95) for sample in samples]
    share = np.mean([p.lower <= true.challenger - true.reference <= p.upper for p in pairs])
    assert share == pytest.approx(0.95, abs=0.03)


def test_one_series_is_too_few_for_an_interval():
    pair = compare(make_sums([4.0], [1.0]), 0.95)
    assert (pair.challenger, pair.reference, pair.series) == (2, 1, 1)
    assert math.isnan(pair.lower)
    assert math.isnan(pair.upper)
    assert not pair.significantly_worse


@pytest.mark.parametrize("n_series", [1, 2, 9])
def test_two_perfect_forecasts_differ_by_nothing(n_series):
    pair = compare(make_sums([0.0] * n_series, [0.0] * n_series), 0.95)
    assert pair == Comparison(0, 0, 0, 0, n_series)
    assert pair.loss == 0
    assert not pair.significantly_worse


def test_the_same_forecast_twice_differs_by_nothing():
    pair = compare(make_sums([1.0, 2.0, 5.0], [1.0, 2.0, 5.0]), 0.95)
    assert (pair.lower, pair.upper, pair.loss) == (0, 0, 0)
    assert not pair.significantly_worse


@pytest.mark.parametrize(
    ("challenger", "reference", "loss"),
    [
        (0.55, 0.5, 0.1),
        (0.45, 0.5, -0.1),
        (0.5, 0.5, 0),
        (0, 0.5, -1),
        (0, 0, 0),
        (0.5, 0, math.inf),
    ],
)
def test_the_loss_is_the_share_by_which_the_challenger_is_worse(challenger, reference, loss):
    assert Comparison(challenger, reference, 0, 0, 9).loss == pytest.approx(loss)


@pytest.mark.parametrize(("challenger", "reference"), [(math.nan, 0.5), (0.5, math.nan)])
def test_the_loss_of_an_unknown_score_is_unknown(challenger, reference):
    assert math.isnan(Comparison(challenger, reference, math.nan, math.nan, 9).loss)


@pytest.mark.parametrize(
    ("lower", "is_worse"), [(-0.1, False), (0.0, False), (1e-12, True), (math.nan, False)]
)
def test_only_an_interval_that_lies_above_zero_is_significant(lower, is_worse):
    assert Comparison(0.6, 0.5, lower, 0.2, 9).significantly_worse is is_worse


def test_each_store_type_and_each_family_is_compared_by_its_own_series(holdout):
    sums = sum_errors(holdout, "point", "incumbent")
    found = compare_slices(sums, 0.95)
    assert list(found) == [
        ("type", "A"), ("type", "B"), ("family", "DAIRY"), ("family", "GROCERY I"),
    ]  # fmt: skip
    for (column, value), pair in found.items():
        assert pair == compare(sums[sums[column] == value], 1 - 0.05 / 4)
        assert pair.series == 4


def test_the_more_slices_are_looked_at_the_wider_each_interval():
    sums = make_random_sums(0, 60)
    few = compare_slices(sums, 0.95)
    many = compare_slices(sums.assign(family=np.repeat(["DAIRY", "EGGS", "MEATS"], 20)), 0.95)
    one, other = few["type", "A"], many["type", "A"]
    assert (len(few), len(many)) == (2, 4)
    assert other.upper - other.lower > one.upper - one.lower


def test_where_the_forecasts_are_equally_good_a_slice_seldom_looks_worse():
    """The confidence holds for all slices together: in 1 of 40 tables one lies above zero."""
    source = np.random.default_rng(5)
    families = np.repeat([f"family {i}" for i in range(8)], 20)
    alarms = 0
    for _ in range(40):
        errors = {name: source.normal(0, 1, 160) ** 2 for name in ("challenger", "reference")}
        sums = make_sums(**errors).assign(family=families)
        alarms += any(pair.significantly_worse for pair in compare_slices(sums, 0.95).values())
    assert alarms <= 3
