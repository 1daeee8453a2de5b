import itertools
import json

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core import metrics
from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.monitoring.promise import Promise, make_promise
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.scores import row_weights
from grocery_demand.core.training import run_backtest
from worlds import SMALL_MODELS, make_panel


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=4, n_stores=4, n_items=12, n_days=180)


@pytest.fixture(scope="module")
def backtest(panel):
    training = TrainingParameters(max_training_rows=3000)
    return run_backtest(panel, training, SMALL_MODELS["lightgbm"])


@pytest.fixture(scope="module")
def promise(panel, backtest) -> Promise:
    return make_promise(panel, backtest.folds, backtest.holdout)


def test_it_is_the_error_of_backtest_and_holdout(promise, backtest):
    rows = np.concatenate([t["unit_sales"] for t in (backtest.folds, backtest.holdout)])
    points = np.concatenate([t["point"] for t in (backtest.folds, backtest.holdout)])
    weights = np.concatenate([row_weights(t) for t in (backtest.folds, backtest.holdout)])
    assert promise.nwrmsle == pytest.approx(metrics.nwrmsle(rows, points, weights), abs=1e-5)
    days = promise.days
    total = np.sqrt(sum(d["squares"] for d in days) / sum(d["weight"] for d in days))
    assert total == pytest.approx(promise.nwrmsle, abs=1e-4)
    assert sum(d["rows"] for d in days) == len(rows)
    counted = pd.concat([backtest.folds, backtest.holdout]).groupby(["date", "step"]).size()
    assert {(d["date"], d["step"]): d["rows"] for d in days} == {
        (f"{date:%Y-%m-%d}", step): n for (date, step), n in counted.items()
    }


def test_it_holds_every_step_and_slice(promise, panel):
    assert [s["step"] for s in promise.steps] == list(range(1, 17))
    families = {s["value"] for s in promise.slices if s["slice"] == "family"}
    assert families <= set(panel.series["family"])
    assert {s["slice"] for s in promise.slices} == {
        "type", "city", "cluster", "family", "perishable", "size",
    }  # fmt: skip


def test_the_size_of_a_series_is_what_it_was_at_each_cutoff(promise, panel, backtest):
    tables = []
    for table in (backtest.folds, backtest.holdout):
        for cutoff, rows in table.groupby("cutoff"):
            day = panel.day_of(f"{cutoff:%Y-%m-%d}")
            weeks = panel.units[:, max(day - 55, 0) : day + 1]
            keys = panel.series[SERIES_KEY].assign(mean=weeks.mean(axis=1))
            started = panel.first_sale <= day
            small, large = np.quantile(keys["mean"][started], [1 / 3, 2 / 3])
            bins = [-np.inf, small, large, np.inf]
            size = pd.cut(keys["mean"], bins, labels=["small", "medium", "large"])
            tables.append(rows.merge(keys.assign(size=size), on=SERIES_KEY))
    sums = pd.concat(tables).groupby("size", observed=True)[["point", "unit_sales"]].sum()
    expected = (sums["point"] / sums["unit_sales"] - 1).to_dict()
    found = {s["value"]: s["bias"] for s in promise.slices if s["slice"] == "size"}
    assert found == pytest.approx(expected, abs=1e-4)


def test_it_holds_the_sizes_of_forecasts(promise, backtest):
    points = np.concatenate([t["point"] for t in (backtest.folds, backtest.holdout)])
    size = np.log1p(np.maximum(points, 0, dtype=float))
    edges = [-np.inf, *promise.forecast_edges, np.inf]
    expected = [((size > a) & (size <= b)).mean() for a, b in itertools.pairwise(edges)]
    assert promise.forecast_shares == pytest.approx(expected, abs=1e-6)
    assert promise.forecast_shares[2:] == pytest.approx([0.1] * 8, abs=0.01)


def test_it_holds_the_bias_of_all_and_of_slices_and_how_far_single_cutoffs_lay(
    promise, backtest, panel
):
    rows = pd.concat([backtest.folds, backtest.holdout])
    sold, error = rows["unit_sales"], rows["point"] - rows["unit_sales"]
    assert promise.bias == pytest.approx(error.sum() / sold.sum(), abs=1e-5)
    near = rows["step"] <= 7
    assert promise.near_bias == pytest.approx(error[near].sum() / sold[near].sum(), abs=1e-5)
    assert promise.near_bias != promise.bias
    for family in rows["family"].unique():
        mine = rows["family"] == family
        bias = error[mine].sum() / sold[mine].sum()
        then = [
            error[mine & at].sum() / sold[mine & at].sum()
            for cutoff in rows["cutoff"].unique()
            if sold[mine & (at := rows["cutoff"] == cutoff)].sum() > 0
        ]
        found = next(s for s in promise.slices if (s["slice"], s["value"]) == ("family", family))
        assert found["bias"] == pytest.approx(bias, abs=1e-5)
        assert found["bias_spread"] == pytest.approx(max(abs(t - bias) for t in then), abs=1e-5)


def test_it_goes_through_json_with_the_metadata(promise):
    metadata = json.loads(json.dumps({"promise": promise.to_dict()}, allow_nan=False))
    assert Promise.of_metadata(metadata) == promise
    assert Promise.of_metadata({}) is None


def test_a_promise_kept_before_bias_and_shares_were_measured_is_read(promise):
    kept = promise.to_dict()
    del kept["bias"], kept["forecast_shares"]
    old = Promise.of_metadata({"promise": kept})
    assert (old.bias, old.forecast_shares) == (None, [])
    assert old.days == promise.days


def test_slices_that_sold_nothing_promise_no_bias(panel, backtest):
    silent = backtest.holdout.assign(unit_sales=0.0)
    promise = make_promise(panel, silent, silent.head(0))
    assert promise.bias is None
    assert {(s["bias"], s["bias_spread"]) for s in promise.slices} == {(None, None)}
    json.dumps(promise.to_dict(), allow_nan=False)
