import json

import numpy as np
import pytest

from grocery_demand.core import metrics
from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.monitoring.promise import Promise, make_promise
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


def test_it_holds_every_step_and_slice(promise, panel):
    assert [s["step"] for s in promise.steps] == list(range(1, 17))
    families = {s["value"] for s in promise.slices if s["slice"] == "family"}
    assert families <= set(panel.series["family"])
    assert {s["slice"] for s in promise.slices} == {
        "type", "city", "cluster", "family", "perishable", "size",
    }  # fmt: skip


def test_it_goes_through_json_with_the_metadata(promise):
    metadata = json.loads(json.dumps({"promise": promise.to_dict()}, allow_nan=False))
    assert Promise.of_metadata(metadata) == promise
    assert Promise.of_metadata({}) is None
