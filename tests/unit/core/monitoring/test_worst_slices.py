"""Which slices the error of the newest days comes from."""

from dataclasses import replace

import polars as pl
import pytest

from grocery_demand.core.monitoring.check import ERROR, LIVE_ERROR, Check
from grocery_demand.core.monitoring.group_scores import score_groups
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.worst_slices import find_worst_slices, name_worst_slices
from live_rows import make_live
from promises import EVEN, promise_of


def promise_from(live: pl.DataFrame, factor: float = 1.0) -> Promise:
    """Promise the error of the forecasts, or a multiple of it."""
    slices = [
        {"slice": name, "value": row[name], "nwrmsle": factor * row["nwrmsle"], "bias": row["bias"]}
        for name in ("family", "city")
        for row in score_groups(live, [name]).to_dicts()
    ]
    return replace(promise_of(EVEN), nwrmsle=1.0, slices=slices)


def test_the_family_whose_demand_moved_is_the_worst():
    promise = promise_from(make_live(seed=1))
    worst = find_worst_slices(make_live(seed=2, FAMILY3=0.4), promise, 7, 1.0)
    of_families = worst.filter(pl.col("slice") == "family")
    assert of_families["value"][0] == "FAMILY3"
    assert of_families["bias"][0] < -0.4
    assert (worst["nwrmsle"] > worst["promised"]).all()


def test_only_the_newest_days_count():
    calm, moved = make_live(seed=2), make_live(seed=2, FAMILY3=0.4)
    last = calm["date"].max()
    days_ago = (pl.lit(last) - pl.col("date")).dt.total_days()
    live = pl.concat([moved.filter(days_ago >= 7), calm.filter(days_ago < 7)])
    promise = promise_from(make_live(seed=1))
    assert find_worst_slices(live, promise, 7, 1.0).equals(find_worst_slices(calm, promise, 7, 1.0))


def test_a_share_is_of_the_squares_beyond_those_promised():
    live, promise = make_live(n_days=7, seed=2, FAMILY1=0.5), promise_from(make_live(seed=1))
    worst = find_worst_slices(live, promise, 7, 1.0).row(0, named=True)
    added = {}
    for of in promise.slices:
        rows = live.filter(pl.col(of["slice"]) == of["value"])
        if of["slice"] == "family":
            added[of["value"]] = rows["squares"].sum() - of["nwrmsle"] ** 2 * rows["weight"].sum()
    rise = sum(value for value in added.values() if value > 0)
    assert (worst["value"], worst["share"]) == (
        "FAMILY1",
        pytest.approx(added["FAMILY1"] / rise),
    )


def test_promises_of_slices_follow_that_of_the_window():
    live, promise = make_live(seed=2), promise_from(make_live(seed=1))
    assert len(find_worst_slices(live, promise, 99, promised=0.5))
    assert find_worst_slices(live, promise, 99, promised=2.0).is_empty()


@pytest.mark.parametrize(("state", "is_named"), [("alarm", True), ("watch", True), ("ok", False)])
def test_a_check_that_is_not_ok_names_them(state, is_named):
    worst = find_worst_slices(make_live(FAMILY3=0.4), promise_from(make_live(seed=1)), 7, 1.0)
    checks = [Check(LIVE_ERROR, ERROR, state, "High."), Check(LIVE_ERROR, "other", state, "Low.")]
    named, other = name_worst_slices(checks, worst)
    assert ("family FAMILY3 (" in named.detail) == is_named
    assert named.detail.startswith("High.")
    assert other.detail == "Low."


def test_a_slice_that_is_better_than_promised_is_not_named():
    live = make_live(seed=1)
    worst = find_worst_slices(live, promise_from(live, 1.01), 99, 1.0)
    assert worst.is_empty()
    check = Check(LIVE_ERROR, ERROR, "watch", "High.")
    assert name_worst_slices([check], worst) == [check]
