"""A run over a cluster made again: on as many workers and parts, in places of the copy."""

import dataclasses
import shutil

import pytest
from kedro.config import OmegaConfigLoader

from grocery_demand.reproduction import rerun
from grocery_demand.reproduction.comparison import DIFFERENT, compare_runs
from grocery_demand.reproduction.data import find_parts_digest
from grocery_demand.reproduction.recorded_run import RecordedRun
from grocery_demand.storage.parted_panel import PartedPlace
from make_targets import ROOT

ALONE = RecordedRun("r1", "FINISHED", {"pipeline": "train"}, {}, {})
OVER_WORKERS = dataclasses.replace(ALONE, tags=ALONE.tags | {"workers": "3", "parts": "5"})


@pytest.fixture
def copy(tmp_path):
    """Of the configuration, as it was when the cluster's places lay on S3."""
    for folder in ("base", "cluster"):
        shutil.copytree(ROOT / "conf" / folder, tmp_path / "conf" / folder)
    path = tmp_path / "conf/cluster/globals.yml"
    path.write_text(path.read_text().replace("data/", "s3://bucket/data/"))
    return tmp_path


def read_catalog(copy) -> dict[str, dict]:
    """Return the catalog that `kedro run` takes in the copy."""
    loader = OmegaConfigLoader(str(copy / "conf"), base_env="base", default_run_env="local")
    return loader["catalog"]


def test_a_run_over_workers_gets_parts_in_the_copy(copy):
    rerun.configure(copy, {}, "raw", OVER_WORKERS)
    catalog = read_catalog(copy)
    assert catalog["panel"]["type"] == "grocery_demand.cluster.PartedPanelDataset"
    assert catalog["sales"]["parts"] == catalog["panel"]["parts"] == 5
    for name in ("sales", "panel", "forecasts"):
        assert catalog[name]["filepath"].startswith("data/")


def test_a_run_of_one_machine_is_made_again_by_one_machine(copy):
    rerun.configure(copy, {}, "raw", ALONE)
    assert "cluster" not in read_catalog(copy)["panel"]["type"]


def test_workers_are_processes_of_this_machine_as_many_as_the_run_had(copy, monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://10.0.0.2:8786")
    given = rerun._environment(copy, OVER_WORKERS.workers)
    assert given["GROCERY_DEMAND_WORKERS"] == "3"
    assert "DASK_SCHEDULER_ADDRESS" not in given


def test_another_number_of_workers_is_told():
    fewer = dataclasses.replace(ALONE, tags=ALONE.tags | {"workers": "2"})
    states = {found.subject: found for found in compare_runs(OVER_WORKERS, fewer)}
    assert (states["workers"].state, states["workers"].detail) == (DIFFERENT, "3, now 2")
    assert "workers" not in {found.subject for found in compare_runs(ALONE, ALONE)}


def test_the_data_of_a_panel_in_parts_are_known(copy):
    assert find_parts_digest(copy) is None
    place = PartedPlace(str(copy / "data/03_primary/panel_parts"))
    place.write_manifest("version-1", {"digest": "d"}, 1)
    assert find_parts_digest(copy) == "d"
