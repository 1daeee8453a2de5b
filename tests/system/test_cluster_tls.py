"""Who may join the cluster: real connections, with the certificates that the script makes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

import dask
from distributed import Client

from grocery_demand.cluster.client import connect
from grocery_demand.cluster.errors import ClusterError
from make_targets import ROOT
from published import wait_for

CONFIGURATION = "conf/production/dask.yml"
SCHEDULER = ("--protocol=tls", "--host=127.0.0.1", "--port=0", "--dashboard-address=127.0.0.1:0")
Ask = Callable[..., Client]

if shutil.which("openssl") is None:
    pytest.skip("openssl is missing", allow_module_level=True)


def make_certificates(project: Path) -> Path:
    """Make a project's folder with the configuration, and the certificates that it names."""
    (project / "conf/production").mkdir(parents=True)
    shutil.copy(ROOT / CONFIGURATION, project / CONFIGURATION)
    subprocess.run([ROOT / "deploy/cluster/make-certificates"], cwd=project, check=True)
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Path:
    """Certificates of another authority."""
    return make_certificates(tmp_path_factory.mktemp("others"))


def start(project: Path, *words: str, **variables: str) -> tuple[subprocess.Popen, Path]:
    """Start one of Dask's programs in a folder, on this machine; return it with its log.

    A local cluster of an earlier test leaves variables behind, such as the level of logs.
    """
    log = project / f"{words[0]}.log"
    known = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
    program = str(Path(sys.executable).with_name("dask"))
    with log.open("w") as file:
        process = subprocess.Popen(
            [program, *words], cwd=project, env=known | variables, stdout=file, stderr=file
        )
    return process, log


@pytest.fixture(scope="module")
def scheduler(project) -> Iterator[str]:
    """A scheduler that asks for certificates; its address."""
    address = project / "scheduler.json"
    process, log = start(
        project, "scheduler", *SCHEDULER, f"--scheduler-file={address}", DASK_CONFIG=CONFIGURATION,
    )  # fmt: skip
    wait_for(lambda: address.exists() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    yield yaml.safe_load(address.read_text())["address"]
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def worker(project, scheduler) -> Iterator[None]:
    process, log = start(
        project, "worker", scheduler, "--host=127.0.0.1", "--no-dashboard", "--no-nanny",
        DASK_CONFIG=CONFIGURATION,
    )  # fmt: skip
    wait_for(lambda: "Registered to" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    yield
    process.terminate()
    process.wait()


def test_a_scheduler_that_is_to_use_tls_does_not_start_without_its_settings(tmp_path):
    process, log = start(tmp_path, "scheduler", *SCHEDULER, DASK_CONFIG=CONFIGURATION)
    assert process.wait(30) != 0
    assert "TLS" in log.read_text()


@pytest.fixture
def ask(monkeypatch) -> Iterator[Ask]:
    """Connect to a scheduler with the configuration of a folder, some of it changed."""

    def connect_as(folder: Path | None, address: str, **changed: object) -> Client:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        dask.config.set({"distributed.comm.timeouts.connect": "5s"})
        if folder:
            monkeypatch.chdir(folder)
            dask.config.update(dask.config.config, yaml.safe_load(Path(CONFIGURATION).read_text()))
        dask.config.set({f"distributed.comm.{name}": value for name, value in changed.items()})
        return connect.__wrapped__()

    yield connect_as
    dask.config.refresh()


def test_who_shows_a_certificate_of_the_authority_is_answered(ask, project, scheduler, worker):
    assert scheduler.startswith("tls://")
    with ask(project, scheduler) as client:
        assert client.submit(sum, [1, 2]).result() == 3


@pytest.mark.parametrize("shown", ["none", "another"])
def test_a_worker_without_a_certificate_of_the_authority_is_refused(
    others, scheduler, tmp_path, shown
):
    variables = {"DASK_CONFIG": CONFIGURATION if shown == "another" else "/nowhere"}
    if shown == "none":
        scheduler = scheduler.replace("tls://", "tcp://")
    process, log = start(
        others, "worker", scheduler, "--host=127.0.0.1", "--no-dashboard", "--no-nanny",
        "--death-timeout=2", **variables,
    )  # fmt: skip
    process.wait(30)
    assert process.returncode != 0
    assert "Registered to" not in log.read_text()


def test_a_driver_with_a_certificate_of_another_authority_is_told_so(ask, others, scheduler):
    with pytest.raises(ClusterError, match=r"do not take each other's certificates.*make-cert"):
        ask(others, scheduler)


def test_a_driver_whose_own_certificate_is_of_another_authority_is_told_so(
    ask, project, others, scheduler
):
    foreign = {kind: str(others / f"conf/local/tls/node.{kind[:3]}") for kind in ("crt", "key")}
    shown = {"tls.client": {"cert": foreign["crt"], "key": foreign["key"]}}
    with pytest.raises(ClusterError, match="do not take each other's certificates"):
        ask(project, scheduler, **shown)


def test_a_driver_that_names_no_certificate_is_told_what_is_not_set(ask, scheduler):
    with pytest.raises(ClusterError, match=r"distributed\.comm\.tls\.ca-file is not set"):
        ask(None, scheduler)


def test_a_certificate_that_is_not_there_is_named(ask, project, scheduler):
    with pytest.raises(ClusterError, match=r"There is no /nowhere/ca.crt \(distributed"):
        ask(project, scheduler, **{"tls.ca-file": "/nowhere/ca.crt"})


def test_a_certificate_that_is_none_is_named(ask, project, scheduler, tmp_path):
    (tmp_path / "node.crt").write_text("no certificate")
    with pytest.raises(ClusterError, match=r"node\.crt.* cannot be used: .*PEM"):
        ask(project, scheduler, **{"tls.client.cert": str(tmp_path / "node.crt")})


def test_an_address_without_tls_is_refused_where_the_configuration_asks_for_it(
    ask, project, scheduler
):
    with pytest.raises(ClusterError, match=r"is not encrypted, but .* give the address as tls://"):
        ask(project, scheduler.replace("tls://", "tcp://"))


def test_an_address_without_tls_is_not_answered_where_the_scheduler_asks_for_it(ask, scheduler):
    with pytest.raises(ClusterError, match=r"No scheduler answers .*tls://… if it asks"):
        ask(None, scheduler.replace("tls://", "tcp://"))


def test_keys_can_be_read_by_their_owner_only(project):
    keys = list((project / "conf/local/tls").glob("*.key"))
    assert {path.name for path in keys} == {"ca.key", "node.key"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)
