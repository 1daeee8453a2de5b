"""Settings of a cluster that make no sense are refused before anything is started."""

import pytest

from grocery_demand.cluster.client import connect
from grocery_demand.cluster.datasets import PartedFileError, PartedSalesDataset
from grocery_demand.cluster.errors import ClusterError


@pytest.mark.parametrize("parts", [0, -2, "eight", 1.5, True])
def test_parts_are_a_whole_number_from_one(tmp_path, parts):
    with pytest.raises(PartedFileError, match=r"`parts` is .*conf/cluster/globals\.yml"):
        PartedSalesDataset(filepath=str(tmp_path / "sales"), parts=parts)


@pytest.mark.parametrize("memory", ["-1GiB", "0", "much"])
def test_a_worker_has_some_memory(monkeypatch, memory):
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setenv("GROCERY_DEMAND_WORKER_MEMORY", memory)
    with pytest.raises(ClusterError, match=r"GROCERY_DEMAND_WORKER_MEMORY is .*such as 4GiB"):
        connect.__wrapped__()
