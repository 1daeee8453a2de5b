"""Settings of a cluster that make no sense are refused before anything is started."""

import polars as pl
import pytest

from grocery_demand.cluster import PartedRawSalesDataset
from grocery_demand.cluster.client import connect
from grocery_demand.cluster.datasets import SALES, PartedFileError, PartedSalesDataset
from grocery_demand.cluster.errors import ClusterError
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
