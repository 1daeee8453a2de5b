"""A challenger is called worse only if series and days say so, beyond chance."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_demand.core.gate.comparison import compare
from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.monitoring.challenger import (
    LiveComparison,
    compare_live,
    measure_differences,
    tabulate_measures,
)
from grocery_demand.core.monitoring.challenger_checks import check_challenger
from grocery_demand.core.rollout import Rollout
from live_rows import make_live

VERSIONS = {"champion": 1, "challenger": 2}
NO_MISSES = pd.DataFrame(columns=["model_version", "mode", "reason", "requests"])


def pair(live: pl.DataFrame, factor=1.0, noise=0.0, day_noise=0.0, seed=1) -> pl.DataFrame:
    """Put a challenger beside: the champion's forecasts times a factor, noise and moved days."""
    source = np.random.default_rng(seed)
    moved = {day: source.normal(0, day_noise) for day in sorted(set(live["date"]))}
    log = source.normal(0, noise, len(live)) + np.array([moved[day] for day in live["date"]])
    factors = pl.Series(factor * np.exp(log))
    beside = [(pl.col(name) * factors).alias(f"{name}_beside") for name in ("point", *INTERVAL)]
    cutoff = (pl.col("date") - timedelta(days=1)).alias("cutoff")
    return live.with_columns(cutoff).with_columns(beside)


def rollout(mode="canary") -> Rollout:
    return Rollout(2, None, mode, 0.1, "2026-11-24T12:00:00+00:00")


def measures_of(pairs, requests=(1000, 200), latency=(4.0, 5.0)) -> pd.DataFrame:
    roles = pd.DataFrame(
        {"role": ["champion", "canary"], "model_version": [1, 2], "requests": requests,
         "latency_ms": latency, "latency_ms_95": latency}
    )  # fmt: skip
    return tabulate_measures(pairs, {}, roles, VERSIONS)


def check(pairs, mode="canary", misses=NO_MISSES, **measured):
    live = compare_live(pairs, 0.99)
    return {c.name: c for c in check_challenger(live, measures_of(pairs, **measured), misses,
                                                rollout(mode))}  # fmt: skip


def test_errors_are_those_of_the_metric_on_the_same_rows():
    pairs = pair(make_live(), factor=1.3, noise=0.2)
    found = compare_live(pairs, 0.99)
    table = pairs.to_pandas()
    for value, column in ((found.champion, "point"), (found.challenger, "point_beside")):
        expected = nwrmsle(
            table["unit_sales"].to_numpy(), table[column].to_numpy(), table["weight"].to_numpy()
        )
        assert value == pytest.approx(expected)
    assert (found.rows, found.series, found.days) == (60 * 21, 60, 21)
    assert found.lower < found.difference < found.upper


def test_an_interval_is_about_as_wide_as_the_difference_scatters():
    """Where each row errs by itself, nine of ten intervals hold what is true of many rows."""
    live = make_live(n_series=400, n_days=40, seed=5)
    true = compare_live(pair(live, noise=0.3), 0.9).difference
    held = []
    for seed in range(200):
        few = make_live(n_series=40, n_days=14, seed=100 + seed)
        found = compare_live(pair(few, noise=0.3, seed=seed), 0.9)
        held.append(found.lower < true < found.upper)
    assert 0.85 < np.mean(held) < 0.98


def test_the_interval_over_series_alone_is_the_one_of_the_gate():
    """On one row a series, where days say nothing of their own, both are the same."""
    live = make_live(n_series=80, n_days=80, noise=0.3)
    kept = [live.filter(item_nbr=100 + s).slice(s, 1) for s in range(80)]
    pairs = pair(pl.concat(kept), noise=0.2)
    table = pairs.to_pandas().assign(family="A", type="B", perishable=0)
    actual = np.log1p(table["unit_sales"])
    sums = table.assign(
        challenger=table["weight"] * (np.log1p(table["point_beside"]) - actual) ** 2,
        reference=table["weight"] * (np.log1p(table["point"]) - actual) ** 2,
    )
    found, expected = compare_live(pairs, 0.95), compare(sums, 0.95)
    assert found.difference == pytest.approx(expected.challenger - expected.reference)
    assert (found.lower, found.upper) == pytest.approx((expected.lower, expected.upper))


@pytest.mark.parametrize(
    ("mode", "state", "todo"),
    [("canary", "alarm", "kedro challenger off"), ("shadow", "watch", "kedro challenger off")],
)
def test_a_worse_challenger_is_to_be_switched_off(mode, state, todo):
    found = check(pair(make_live(), factor=1.5), mode)["error beside the champion"]
    assert found.state == state
    assert todo in found.mend
    assert "is worse by" in found.detail
    assert "[+" in found.detail


@pytest.mark.parametrize(
    ("mode", "todo"), [("canary", "kedro challenger promote"), ("shadow", "challenger canary")]
)
def test_a_better_challenger_may_go_on(mode, todo):
    live = make_live()
    poor = live.with_columns(pl.col("point") * 1.5).drop("squares")
    swapped = pair(poor, factor=1 / 1.5)
    actual = pl.col("unit_sales").log1p()
    squares = (pl.col("weight") * (pl.col("point").log1p() - actual) ** 2).alias("squares")
    found = check(swapped.with_columns(squares), mode)["error beside the champion"]
    assert found.state == "ok"
    assert todo in found.mend
    assert "is better by" in found.detail


def test_chance_is_no_alarm():
    """Equally good on average: one in two hundred may look worse, at a confidence of 99 %."""
    live = make_live(noise=0.0, n_series=80, n_days=14)
    actual = pl.col("unit_sales").log1p()
    alarms = 0
    for seed in range(150):
        source = np.random.default_rng(1000 + seed)
        day = {d: source.normal(0, 0.15) for d in sorted(set(live["date"]))}
        shift = source.normal(0, 0.3, len(live)) + np.array([day[d] for d in live["date"]])
        ours = live.with_columns(pl.col("point") * pl.Series(np.exp(shift)))
        ours = ours.with_columns(squares=pl.col("weight") * (pl.col("point").log1p() - actual) ** 2)
        theirs = pair(live, noise=0.3, day_noise=0.15, seed=seed)
        pairs = ours.with_columns(theirs.select("cutoff", "^.*_beside$"))
        alarms += check(pairs)["error beside the champion"].state == "alarm"
    assert alarms <= 4


@pytest.mark.parametrize(("n_series", "n_days"), [(10, 21), (60, 2), (60, 1), (1, 1)])
def test_too_few_series_or_days_tell_nothing(n_series, n_days):
    pairs = pair(make_live(n_series, n_days), factor=3.0)
    found = check(pairs)["error beside the champion"]
    assert found.state == "unknown"
    assert "too few to tell" in found.detail


def test_without_a_common_row_nothing_is_known_and_what_to_do_is_said():
    nothing = float("nan")
    live = LiveComparison(0, 0, 0, nothing, nothing, nothing, nothing)
    assert compare_live(pair(make_live()).head(0), 0.99).rows == 0
    found = check_challenger(live, measures_of(pl.DataFrame()), NO_MISSES, rollout())[0]
    assert found.state == "unknown"
    assert "kedro run --pipeline forecast" in found.mend


@pytest.mark.parametrize(("missed", "state"), [(0, "ok"), (2, "ok"), (20, "watch")])
def test_forecasts_that_it_did_not_make_are_counted(missed, state):
    misses = pd.DataFrame(
        {"model_version": [2, 7], "mode": "canary", "reason": ["it hangs", "other"],
         "requests": [missed, 900]}
    )  # fmt: skip
    found = check(pair(make_live()), misses=misses)["forecasts not made"]
    assert found.state == state
    assert ("it hangs" in found.detail) == (missed > 0)


def test_a_challenger_that_was_never_asked_is_unknown():
    found = check(pair(make_live()), requests=(1000, 0))
    assert found["forecasts not made"].state == "unknown"
    assert "latency" not in found


@pytest.mark.parametrize(("latency", "state"), [((4.0, 6.0), "ok"), ((4.0, 40.0), "watch")])
def test_a_slow_canary_is_watched_a_slow_shadow_is_not(latency, state):
    assert check(pair(make_live()), latency=latency)["latency"].state == state
    assert "latency" not in check(pair(make_live()), mode="shadow", latency=latency)


def test_differences_are_of_the_newest_cutoff_that_both_forecast():
    live = make_live(n_series=5, n_days=3).select("store_nbr", "item_nbr", "date", "point")
    days = sorted(set(live["date"]))
    archive = pl.concat(
        [
            live.with_columns(
                pl.col("point") * factor, cutoff=pl.lit(days[i]), model_version=pl.lit(version)
            )
            for version, factor, newest in ((1, 1.0, 3), (2, 1.5, 2))
            for i in range(newest)
        ]
    ).lazy()
    events = pd.DataFrame(
        {"prediction": [1.0, 5.0], "model_version": [2, 7], "given_prediction": [3.0, 5.0],
         "given_model_version": [1, 1]}
    )  # fmt: skip
    found = measure_differences(archive, events, VERSIONS)
    total = float(live["point"].sum())
    assert found["rows"] == 15
    assert found["total_champion"] == pytest.approx(total)
    assert found["total_challenger"] == pytest.approx(1.5 * total)
    assert found["shadow_rows"] == 1
    assert found["shadow_mean_difference"] == pytest.approx(np.log(2))
    assert measure_differences(archive, events.head(0), VERSIONS | {"challenger": 9})["rows"] == 0


def test_a_canary_that_is_worse_changes_what_to_do_next():
    from grocery_demand.core.monitoring.advice import advise
    from grocery_demand.core.monitoring.parameters import MonitoringParameters

    bad = check(pair(make_live(), factor=1.5))["error beside the champion"]
    advice = advise([bad], 100, MonitoringParameters())
    assert (advice.decision, advice.next) == ("keep", "kedro challenger off")
    assert "is worse by" in advice.reasons[0]
    calm = advise([replace(bad, state="ok")], 100, MonitoringParameters())
    assert calm.next == "Nothing to do with the model."
