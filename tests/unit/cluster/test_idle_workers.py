"""More workers than parts: those that will hold nothing are told of."""

import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from distributed import Client, LocalCluster

from grocery_demand.cluster.sources import OpenedParts, warn_of_idle


@pytest.mark.parametrize(
    ("n_parts", "said"), [(1, ["2 of 3 workers will hold nothing, as there are 1 parts"]), (3, [])]
)
def test_workers_that_will_hold_nothing_are_told_of_once(caplog, n_parts, said):
    warn_of_idle.cache_clear()
    options = {"processes": False, "dashboard_address": None}
    with LocalCluster(n_workers=3, **options) as cluster, Client(cluster) as client:
        for _ in range(2):
            parts = OpenedParts(client, n_parts, str, keep=True)
            assert parts.ask(len, [], None) == [1] * n_parts
    told = [r.getMessage() for r in caplog.records if r.name == "grocery_demand.cluster.sources"]
    assert [text.partition(":")[0] for text in told] == said
    assert all("`parts` in conf/cluster/globals.yml to 3 at least" in text for text in told)
