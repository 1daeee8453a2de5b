"""The ports on which LightGBM listens while it fits on several workers."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from grocery_demand.cluster.errors import ClusterError
from grocery_demand.cluster.ports import VARIABLE, find_port, share_ports

WORKERS = ["tls://10.0.0.1:9000", "tls://10.0.0.2:9000", "tls://10.0.0.1:9001"]


def test_the_system_chooses_where_none_are_named(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    shared = share_ports(WORKERS)
    assert set(shared) == set(WORKERS)
    assert all(find_port(own) >= 1024 for own in shared.values())


def test_workers_of_one_host_take_none_of_each_others_ports(monkeypatch):
    monkeypatch.setenv(VARIABLE, "9100:9104")
    first, other_host, second = (set(share_ports(WORKERS)[worker]) for worker in WORKERS)
    assert first | second == set(range(9100, 9105)) == other_host
    assert not first & second


def test_a_port_that_is_taken_is_passed_over():
    with socket.create_server(("", 0)) as taken, socket.socket() as free:
        free.bind(("", 0))
        ports = [taken.getsockname()[1], free.getsockname()[1]]
        free.close()
        assert find_port(ports) == ports[1]


def test_a_port_is_waited_for_while_all_are_taken():
    with socket.create_server(("", 0)) as taken, ThreadPoolExecutor() as pool:
        port = taken.getsockname()[1]
        found = pool.submit(find_port, [port])
        assert not found.done()
        taken.close()
        assert found.result() == port


def test_ports_that_are_all_taken_are_named_with_the_mend(monkeypatch):
    monkeypatch.setattr("grocery_demand.cluster.ports._PATIENCE", 0)
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=rf"every port of {port} is taken.*{VARIABLE}"):
            find_port([port])


@pytest.mark.parametrize("named", ["9100", "9100-9104", "9104:9100", "0:5", "65000:65536", "a:b"])
def test_what_is_no_range_is_refused(monkeypatch, named):
    monkeypatch.setenv(VARIABLE, named)
    with pytest.raises(ClusterError, match="allowed: first:last, such as 9100:9149"):
        share_ports(WORKERS)


def test_fewer_ports_than_workers_of_a_host_are_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "9100:9100")
    with pytest.raises(ClusterError, match="one host has 2 workers"):
        share_ports(WORKERS)
