"""Settings of a cluster that make no sense are refused before anything is started."""

import polars as pl
import pytest
from distributed import LocalCluster

from grocery_demand.cluster import PartedRawSalesDataset
from grocery_demand.cluster.client import connect
from grocery_demand.cluster.datasets import SALES, PartedFileError, PartedSalesDataset
from grocery_demand.cluster.errors import ClusterError
from grocery_demand.cluster.ports import VARIABLE
from grocery_demand.cluster.raw_sales import StagedParts
from grocery_demand.core.quality.sales_facts import SalesFacts
from grocery_demand.core.quality.sales_staging import KeptSales
from grocery_demand.storage.parted_table import TablePlace


@pytest.mark.parametrize("parts", [0, -2, "eight", 1.5, True])
def test_parts_are_a_whole_number_from_one(tmp_path, parts):
    with pytest.raises(PartedFileError, match=r"`parts` is .*conf/cluster/globals\.yml"):
        PartedSalesDataset(filepath=str(tmp_path / "sales"), parts=parts)
    with pytest.raises(PartedFileError, match=r"`parts` is"):
        PartedRawSalesDataset(filepath="raw", table="train", sales={"filepath": "s"}, parts=parts)


def test_parts_stand_only_where_they_were_written_for(tmp_path):
    place = TablePlace(str(tmp_path / "staged"), *SALES)
    none = pl.DataFrame(schema=dict.fromkeys(["store_nbr", "item_nbr", "unit_sales"], pl.Int32))
    facts = SalesFacts.of(none.with_columns(date=pl.lit(None, pl.Date), onpromotion=True))
    kept = KeptSales([], [], (0, -1), facts, StagedParts(place, place.new_version()))
    with pytest.raises(PartedFileError, match=r"staged .*raw_sales.*sales.*one place"):
        PartedSalesDataset(filepath=str(tmp_path / "sales")).save(kept)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", ["-1GiB", "0", "much"])
def test_a_worker_has_some_memory(monkeypatch, memory):
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setenv("GROCERY_DEMAND_WORKER_MEMORY", memory)
    with pytest.raises(ClusterError, match=r"GROCERY_DEMAND_WORKER_MEMORY is .*such as 4GiB"):
        connect.__wrapped__()


def make_empty(path):
    path.mkdir()


@pytest.mark.parametrize("make", [lambda path: None, make_empty, lambda path: path.touch()])
def test_settings_of_dask_that_are_not_there_are_refused(monkeypatch, tmp_path, make):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASK_CONFIG", "dask.yml")
    make(tmp_path / "dask.yml")
    with pytest.raises(ClusterError, match=rf"DASK_CONFIG is dask\.yml, but {tmp_path}/dask\.yml"):
        connect.__wrapped__()


def test_ports_that_are_no_range_are_refused_before_a_worker_is_started(monkeypatch):
    monkeypatch.setattr("grocery_demand.cluster.client.start_workers", pytest.fail)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setenv(VARIABLE, "9104:9100")
    with pytest.raises(ClusterError, match=rf"{VARIABLE} is .*such as 9100:9149"):
        connect.__wrapped__()


def test_fewer_ports_than_workers_of_a_host_are_refused_at_the_first_connection(monkeypatch):
    with LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        monkeypatch.setenv(VARIABLE, "9100:9100")
        with pytest.raises(ClusterError, match=rf"{VARIABLE} names too few ports, 1, .* 2 workers"):
            connect.__wrapped__()
