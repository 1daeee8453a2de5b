"""`kedro run --env cluster` beside `kedro run`: the same project, the same sales."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mlflow import MlflowClient

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

WEAK = (
    "training.max_training_rows=10000,training.max_long_range_rows=2000,"
    "training.backtest_folds=2,training.backtest_fits=1,"
    "model_settings.lightgbm.n_estimators=20,model_settings.lightgbm.bagging_fraction=1.0,"
    "model_settings.lightgbm.min_child_samples=1,"
    "model_settings.lightgbm.min_sum_hessian_in_leaf=100,"
    "model_settings.lightgbm.rows_to_stand_alone=1,"
    "gate.max_nwrmsle=0.9,gate.max_slice_loss=1"
)
"""A small model whose trees do not depend on the workers.

Each learns from all rows, since which rows are drawn depends on where they lie; and leaves are
limited by the weight of their rows, since LightGBM estimates their number from it.
One booster is fitted, as on workers.
"""

KEPT = {
    "forecasts": "data/07_model_output/forecasts.parquet",
    "holdout": "data/07_model_output/holdout_forecasts.parquet",
    "folds": "data/07_model_output/backtest_forecasts.parquet",
}
PANEL = "data/03_primary/panel"
KEY = ["store_nbr", "item_nbr", "date"]


def read(project: Path) -> dict[str, object]:
    """Return what a run has left: tables by name, its metrics, and the panel's files."""
    tables = {name: pd.read_parquet(project / path) for name, path in KEPT.items()}
    metrics = json.loads((project / "data/08_reporting/metrics.json").read_text())
    panel = {path.name: path.read_bytes() for path in (project / PANEL).glob("*.npy")}
    sales = pl.read_parquet(project / "data/02_intermediate/sales/*.parquet")
    quality = json.loads((project / "data/02_intermediate/data_quality.json").read_text())
    return {**tables, "metrics": metrics, "panel": panel, "sales": sales, "quality": quality}


@pytest.fixture(scope="module")
def whole(kedro, world, project) -> dict[str, object]:
    """What the run on one machine left."""
    outcome = kedro("run", "--params", WEAK)
    assert outcome.returncode == 0, outcome.stderr
    return read(project)


@pytest.fixture(scope="module")
def outcome(kedro, whole):
    """The run on two workers, after that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROCERY_DEMAND_WORKERS", "2")
        return kedro("run", "--env", "cluster", "--params", WEAK)


@pytest.fixture(scope="module")
def parts(outcome, project) -> dict[str, object]:
    """What the run on two workers left."""
    assert outcome.returncode == 0, outcome.stderr
    return read(project)


def test_it_names_the_workers_and_the_dashboard(outcome, parts):
    assert "Cluster: 2 workers" in outcome.stderr
    assert "dashboard: http://127.0.0.1:" in outcome.stderr
    assert "28/28" in outcome.stderr


def test_its_summary_lists_the_joined_panel_with_the_parts(outcome, parts):
    assert "  data/03_primary/  panel_parts, panel\n" in outcome.stdout


def test_the_run_says_on_how_many_workers_its_model_was_fitted(parts, project):
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    (newest,) = client.search_runs(
        [found.experiment_id for found in client.search_experiments()],
        order_by=["start_time DESC"], max_results=1,
    )  # fmt: skip
    assert (newest.data.tags["workers"], newest.data.tags["parts"]) == ("2", "8")


def test_sales_that_workers_checked_are_one_machines_and_so_is_the_report(whole, parts, project):
    assert parts["quality"] == whole["quality"]
    in_order = whole["sales"].sort("store_nbr", maintain_order=True)
    assert parts["sales"].sort("store_nbr", maintain_order=True).equals(in_order)
    assert not list((project / "data/02_intermediate").glob(".sales-*"))


def test_scores_are_one_machines(whole, parts):
    for name in ("nwrmsle", "backtest_nwrmsle"):
        assert parts["metrics"][name] == pytest.approx(whole["metrics"][name], rel=1e-4)
    for name in ("baseline_moving_average_nwrmsle", "baseline_seasonal_naive_nwrmsle"):
        assert parts["metrics"][name] == whole["metrics"][name]


def test_the_panel_that_workers_made_is_one_machines_to_the_bit(whole, parts):
    assert parts["panel"].keys() == {"units.npy", "promotions.npy", "open_days.npy",
                                     "national.npy", "local.npy"}  # fmt: skip
    assert parts["panel"] == whole["panel"]


def test_the_backtest_has_the_same_rows(whole, parts):
    for name in ("folds", "holdout"):
        columns = [*KEY, "unit_sales", "moving_average", "deviation_28"]
        pd.testing.assert_frame_equal(parts[name][columns], whole[name][columns])


def test_forecasts_are_one_machines(whole, parts):
    one, other = whole["forecasts"], parts["forecasts"]
    pd.testing.assert_frame_equal(other[KEY], one[KEY])
    away = np.log1p(other["point"]) - np.log1p(one["point"])
    assert np.sqrt(np.mean(away**2)) < 1e-3


def test_the_gate_compares_it_with_the_champion_of_one_machine(parts, project):
    verdict = json.loads((project / "data/08_reporting/verdict.json").read_text())
    assert verdict["challenger"]["version"] == 2
    assert verdict["incumbent"]["version"] == 1


def test_one_machine_serves_and_forecasts_from_the_panel_joined_from_parts(kedro, parts, project):
    assert (project / "data/03_primary/panel/joined-from").is_file()
    outcome = kedro("run", "--pipeline", "forecast")
    assert outcome.returncode == 0, outcome.stderr
    again = pd.read_parquet(project / KEPT["forecasts"])
    pd.testing.assert_frame_equal(again, parts["forecasts"])


def test_what_one_machine_does_is_refused_with_what_to_type_instead(kedro):
    outcome = kedro("run", "--env", "cluster", "--pipeline", "update")
    assert outcome.returncode == 1
    assert "`kedro run --pipeline update`, without --env cluster" in outcome.stderr
    assert "Cluster:" not in outcome.stderr


def test_one_machine_takes_in_new_days_and_monitors_on_what_the_cluster_left(kedro, parts, project):
    sales = pl.read_parquet(project / "data/02_intermediate/sales/part-*.parquet")
    last = sales["date"].max()
    day = sales.filter(pl.col("date") == last).with_columns(date=last + timedelta(1))
    new = project / "data/01_raw/incoming"
    new.mkdir(parents=True)
    day.with_row_index("id").write_csv(new / f"train-{last + timedelta(1)}.csv")
    outcome = kedro("run", "--pipeline", "update")
    assert outcome.returncode == 0, outcome.stderr
    assert "Files that arrived: 1 taken in" in outcome.stdout
    outcome = kedro("run", "--pipeline", "monitor")
    assert outcome.returncode == 0, outcome.stderr
    assert "Advice:" in outcome.stdout
