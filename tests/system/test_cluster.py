"""The same work on worker processes as on one machine, held side by side."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

import dask
from distributed import Client, LocalCluster

from cluster_workers import two_workers
from grocery_demand.cluster import PartedPanelDataset, gathering
from grocery_demand.cluster.client import connect, list_workers
from grocery_demand.cluster.errors import ClusterError
from grocery_demand.cluster.gathering import Crew
from grocery_demand.cluster.panel import ClusterPanel
from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import Encoding, Snapshot, sum_items
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.models import feature_names_of
from grocery_demand.core.panel import Panel
from grocery_demand.core.scores import row_weights
from grocery_demand.core.training import Backtest, assemble_rows, fit_point_model, run_backtest
from moto_s3 import BUCKET, running_s3
from worlds import SMALL_MODELS, make_panel

TRAINING = TrainingParameters(max_training_rows=20_000, backtest_folds=2, backtest_fits=1)
SETTINGS = SMALL_MODELS["lightgbm"] | {"min_child_samples": 1, "min_sum_hessian_in_leaf": 10}
"""Leaves by the weight of their rows: the trees then do not depend on the workers."""
HASTY = {"distributed.comm.timeouts.connect": "1s"}


@pytest.fixture(scope="module")
def world() -> Panel:
    return make_panel(seed=6, n_stores=10, n_items=20, n_days=200)


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3() as environment:
        yield environment


@pytest.fixture(scope="module")
def client(s3) -> Iterator[Client]:
    """Two workers that reach the S3."""
    with two_workers(s3, sys.modules[__name__]) as client:
        yield client


@pytest.fixture(scope="module")
def parts(client, world, tmp_path_factory) -> ClusterPanel:
    dataset = PartedPanelDataset(filepath=str(tmp_path_factory.mktemp("parts")), parts=4)
    dataset.save(world)
    return dataset.load()


@pytest.fixture(scope="module")
def whole(world) -> Backtest:
    return run_backtest(world, TRAINING, SETTINGS)


@pytest.fixture(scope="module")
def backtest(parts) -> Backtest:
    return run_backtest(parts, TRAINING, SETTINGS)


def test_rows_to_learn_from_are_the_same_to_the_bit(world, parts):
    names, encoding = feature_names_of("lightgbm", "full"), Encoding.fit_parts(parts)
    found = assemble_rows(parts, 150, TRAINING, names, encoding)
    expected = assemble_rows(world, 150, TRAINING, names, Encoding.fit(world.series))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_on_s3_are_read_by_the_workers(client, s3, world):
    if not s3:
        pytest.skip("moto is missing: make tools")
    dataset = PartedPanelDataset(filepath=f"s3://{BUCKET}/panel", parts=3)
    assert not dataset.exists()
    dataset.save(world)
    np.testing.assert_array_equal(dataset.load().first_sale, world.first_sale)


def test_item_sums_of_all_parts_are_those_of_the_whole_panel(world, parts):
    of_parts, of_whole = sum_items(parts, [120])[0], Snapshot(world, 120).surroundings.items
    np.testing.assert_array_equal(of_parts.past.sums, of_whole.past.sums)
    np.testing.assert_array_equal(of_parts.promoted, of_whole.promoted)


def score(table: pd.DataFrame) -> float:
    actual, forecast = table["unit_sales"].to_numpy(), table["point"].to_numpy()
    return nwrmsle(actual, forecast, row_weights(table))


def test_scores_are_one_machines(whole, backtest):
    for name in ("folds", "holdout"):
        one, other = getattr(whole, name), getattr(backtest, name)
        assert score(other) == pytest.approx(score(one), rel=1e-4)


def test_forecasts_are_one_machines(whole, backtest):
    keys = ["store_nbr", "item_nbr", "date", "unit_sales", "moving_average", "is_new"]
    pd.testing.assert_frame_equal(backtest.holdout[keys], whole.holdout[keys])
    away = np.log1p(backtest.holdout["point"]) - np.log1p(whole.holdout["point"])
    assert np.sqrt(np.mean(away**2)) < 1e-3


def test_a_fit_on_the_same_workers_repeats_itself(parts, backtest):
    again = fit_point_model(
        parts,
        parts.day_of(backtest.holdout_forecaster.cutoff),
        TRAINING,
        SETTINGS,
        backtest.holdout_forecaster.encoding,
    )
    assert again.booster_texts == backtest.holdout_forecaster.model.booster_texts


def test_the_model_is_an_ordinary_one_without_a_trace_of_the_cluster(backtest):
    model = backtest.holdout_forecaster.model
    assert model.from_files(model.feature_names, model.to_files()) == model
    assert all("127.0.0.1" not in text for text in model.booster_texts)


def test_an_error_of_the_work_itself_comes_back_as_on_one_machine(client, world, tmp_path):
    dataset = PartedPanelDataset(filepath=str(tmp_path / "parts"), parts=2)
    dataset.save(replace(world, open_days=np.zeros_like(world.open_days)))
    with pytest.raises(DataShortageError, match="give more days"):
        fit_point_model(dataset.load(), 150, TRAINING, SETTINGS, Encoding.fit(world.series))


def say_when_there(path: str) -> str:
    while not Path(path).exists():
        time.sleep(0.01)
    return path


def count_days_or_die(part: Panel, marker: str) -> int:
    """End the worker that is asked first; the others find that it has been."""
    with suppress(FileExistsError):
        Path(marker).touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    return part.n_days


def test_what_is_counted_while_a_model_is_fitted_is_said(parts, backtest, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(gathering, "_SECONDS_BETWEEN_LINES", 0)
    forecaster = backtest.holdout_forecaster
    day = parts.day_of(forecaster.cutoff)
    fit_point_model(parts, day, TRAINING, SETTINGS, forecaster.encoding)
    told = re.findall(r"fitting lightgbm on 4 parts: \d of (\d \w+) done", caplog.text)
    assert {"4 parts", "2 workers"} == set(told)


def die_when_fitting(marker: str) -> None:
    """Let this worker end in its first fit, as if it were killed."""
    from grocery_demand.core.models.gradient_boosted import LightGBM

    def fit(*_: object) -> None:
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)

    LightGBM.fit = fit


def test_a_worker_that_is_killed_at_its_work_is_replaced_and_its_parts_are_read_again(
    client, parts, world, tmp_path, caplog
):
    marker, before = tmp_path / "died", list_workers(client)
    assert parts.map(count_days_or_die, str(marker)) == [world.n_days] * 4
    assert marker.exists()
    (told,) = re.findall(r"Worker (\S+) ended while asking 4 parts .*: others do", caplog.text)
    assert told in before


def test_a_scheduler_that_does_not_answer_is_named_with_the_mend(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:1")
    said = r"tcp://127.0.0.1:1 .*`dask scheduler`"
    with dask.config.set(HASTY), pytest.raises(ClusterError, match=said):
        connect.__wrapped__()


def test_a_scheduler_without_workers_is_named_with_the_mend(client, monkeypatch):
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        said = "has no worker after 1 seconds"
        with dask.config.set(HASTY), pytest.raises(ClusterError, match=said):
            connect.__wrapped__()
        assert Client.current() is client


def test_work_is_waited_for_where_it_is_done_though_another_connection_comes_and_goes(
    client, tmp_path
):
    crew, go = Crew(client, list_workers(client), "waiting for a file"), tmp_path / "go"
    future = client.submit(say_when_there, str(go))
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as other, Client(other):
        assert crew.await_one({future}) == {future}
    go.touch()
    assert crew.gather([future]) == [str(go)]


@pytest.mark.parametrize("number", ["0", "two", "-1"])
def test_a_number_of_workers_that_makes_no_sense_is_refused(monkeypatch, number):
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setenv("GROCERY_DEMAND_WORKERS", number)
    with pytest.raises(ClusterError, match="GROCERY_DEMAND_WORKERS"):
        connect.__wrapped__()


def test_a_model_is_fitted_anew_when_a_worker_is_killed_meanwhile(
    client, parts, backtest, tmp_path
):
    client.wait_for_workers(2, timeout=60)
    victim = next(iter(client.scheduler_info()["workers"]))
    client.run(die_when_fitting, str(tmp_path / "died"), workers=[victim])
    forecaster = backtest.holdout_forecaster
    day = parts.day_of(forecaster.cutoff)
    model = fit_point_model(parts, day, TRAINING, SETTINGS, forecaster.encoding)
    assert (tmp_path / "died").exists()
    assert [booster.num_trees() for booster in model.boosters] == [SETTINGS["n_estimators"]]


def test_workers_are_known_however_often_dask_notes_the_cluster_without_them(client):
    expected = list_workers(client)
    with (
        dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        Client(client.scheduler.address, set_as_default=False) as hurried,
    ):
        assert all(list_workers(hurried) == expected for _ in range(300))
