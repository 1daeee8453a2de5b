"""The training pipeline on a catalog in memory."""

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import ParameterError
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.models import MODELS
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.pipelines.training import create_pipeline
from worlds import SMALL_MODELS

SLICES = {"total", "step", "family", "store_nbr", "type", "new", "interval"}
KEPT = ("backtest_forecasts", "holdout_forecasts", "scores", "metrics")


def run(panel, model_settings=SMALL_MODELS, **values) -> dict[str, object]:
    """Run the pipeline; return its outputs and what the later pipelines read by name."""
    contents = {
        "panel": panel,
        "params:training": TrainingParameters(**{"max_training_rows": 3000} | values),
        "params:model_settings": model_settings,
    }
    kept = {}
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in contents.items()})
    pipeline = create_pipeline()
    for name in KEPT:
        catalog[name] = _Kept(kept, name)
    outputs = SequentialRunner().run(pipeline, catalog)
    return kept | {name: dataset.load() for name, dataset in outputs.items()}


class _Kept(MemoryDataset):
    """A dataset that the runner does not empty after its last use."""

    def __init__(self, kept: dict[str, object], name: str) -> None:
        super().__init__()
        self._kept, self._name = kept, name

    def save(self, data: object) -> None:
        self._kept[self._name] = data
        super().save(data)


@pytest.fixture(scope="module")
def results(panel) -> dict[str, object]:
    return run(panel)


def test_what_the_later_pipelines_read_is_made(results):
    made = {"challenger", "challenger_identity", "scores", "metrics", "feature_importance"}
    made |= {"error_by_step", "error_by_family"}
    assert made | {"backtest_forecasts", "holdout_forecasts"} == set(results)
    assert isinstance(results["challenger"], TrainedModel)


def test_forecasts_carry_the_columns_that_gate_and_report_read(results):
    columns = {
        *("cutoff", "store_nbr", "item_nbr", "family", "type", "perishable", "date", "step"),
        *("unit_sales", *FORECAST, "seasonal_naive", "moving_average", "is_new"),
        *SPREAD_FEATURES,
    }
    for name in ("backtest_forecasts", "holdout_forecasts"):
        assert set(results[name]) == columns
        assert (results[name]["unit_sales"] >= 0).all()


def test_forecasts_can_be_written_as_parquet(results, tmp_path):
    for name in ("backtest_forecasts", "holdout_forecasts", "scores", "feature_importance"):
        results[name].to_parquet(tmp_path / f"{name}.parquet")
        again = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(again, results[name], check_dtype=False)


def test_every_slice_is_scored_beside_both_baselines(results):
    scores = results["scores"]
    assert set(scores["slice"]) == SLICES
    baselines = {"seasonal_naive", "moving_average"}
    models = scores.groupby("evaluation")["model"].unique().map(set).to_dict()
    assert models == {
        "backtest": {"lightgbm", *baselines},
        "holdout": {"lightgbm", *baselines},
        "long_range": {"lightgbm", "seasonal_naive_year", *baselines},
    }
    rows = scores.pivot_table(
        index=["evaluation", "slice", "value"], columns="model", values="rows"
    )
    assert (rows.nunique(axis=1) == 1).all()


def test_the_metrics_are_those_of_the_holdout_and_lie_on_the_model(results):
    metrics = results["metrics"]
    assert metrics == results["challenger"].metadata["metrics"]
    scores = results["scores"].query("evaluation == 'holdout' and slice == 'total'")
    by_model = scores.set_index("model")["nwrmsle"]
    assert metrics["nwrmsle"] == by_model["lightgbm"]
    assert metrics["baseline_seasonal_naive_nwrmsle"] == by_model["seasonal_naive"]
    assert metrics["baseline_moving_average_nwrmsle"] == by_model["moving_average"]
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())


def test_the_importance_names_every_feature_the_largest_first(results):
    importance = results["feature_importance"]
    assert set(importance["feature"]) == set(results["challenger"].final.feature_names)
    assert importance["importance"].is_monotonic_decreasing
    assert importance["importance"].sum() == pytest.approx(1)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_passes_through(panel, model):
    results = run(panel, model=model, feature_set="workshop")
    assert results["challenger"].metadata["model"] == model
    expected = {} if model in {"seasonal_naive", "moving_average"} else SMALL_MODELS[model]
    assert results["challenger"].metadata["settings"] == expected
    baselines = {"seasonal_naive", "moving_average", "seasonal_naive_year"}
    assert set(results["scores"]["model"]) == {model, *baselines}


def test_the_same_run_gives_the_same_model_and_scores(panel, results):
    again = run(panel)
    assert again["challenger"].digest == results["challenger"].digest
    assert again["metrics"] == results["metrics"]
    pd.testing.assert_frame_equal(again["scores"], results["scores"], check_exact=True)


def test_a_model_without_settings_is_named_with_those_that_have_some(panel):
    with pytest.raises(ParameterError, match=r"no entry `adaboost`.*it has: lightgbm"):
        run(panel, model_settings={"lightgbm": {}}, model="adaboost")
