"""The overlay `cluster`: scheduler, workers and the training agree with one another."""

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from grocery_demand.cluster.ports import share_ports
from make_targets import ROOT

SCHEDULER, WORKERS, JOBS = "scheduler", "workers", "jobs"


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> list[dict]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which holds kustomize, is not installed")
    folder = tmp_path_factory.mktemp("cluster") / "kubernetes"
    shutil.copytree(ROOT / "deploy/kubernetes", folder)
    production, cluster = (folder / "overlays" / name for name in ("production", "cluster"))
    shutil.copy(production / "secrets.env.example", production / "secrets.env")
    (cluster / "tls").mkdir(exist_ok=True)
    for name in ("ca.crt", "node.crt", "node.key"):
        (cluster / "tls" / name).write_text("made up")
    rendered = subprocess.check_output(["kubectl", "kustomize", cluster], text=True)
    return list(yaml.safe_load_all(rendered))


def find(resources: list[dict], kind: str, name: str) -> dict:
    (found,) = [r for r in resources if r["kind"] == kind and r["metadata"]["name"] == name]
    return found["spec"]


def container_of(resources: list[dict], name: str) -> dict:
    return find(resources, "Deployment", name)["template"]["spec"]["containers"][0]


def training_of(resources: list[dict]) -> dict:
    job = find(resources, "CronJob", "train")["jobTemplate"]["spec"]
    return job["template"]["spec"]["containers"][0]


def options_of(container: dict) -> dict[str, str]:
    pairs = [word.partition("=") for word in container["args"] if word.startswith("--")]
    return {name: value for name, _, value in pairs}


def value_of(container: dict, variable: str) -> str:
    return next(entry["value"] for entry in container["env"] if entry["name"] == variable)


@pytest.mark.parametrize("name", [SCHEDULER, WORKERS])
def test_options_are_those_of_dask(resources, name):
    container = container_of(resources, name)
    program = importlib.import_module(f"distributed.cli.dask_{container['command'][1]}")
    known = {option for parameter in program.main.params for option in parameter.opts}
    assert options_of(container).keys() <= known


def test_workers_and_training_look_for_the_scheduler_where_it_is(resources):
    service = find(resources, "Service", SCHEDULER)["ports"][0]
    address = f"tls://{SCHEDULER}:{service['port']}"
    assert container_of(resources, WORKERS)["args"][0] == address
    assert value_of(training_of(resources), "DASK_SCHEDULER_ADDRESS") == address
    scheduler = container_of(resources, SCHEDULER)
    ports = {port["name"]: port["containerPort"] for port in scheduler["ports"]}
    assert options_of(scheduler)["--port"] == str(ports[service["targetPort"]])


def test_all_three_read_the_configuration_of_tls_and_have_what_it_names(resources):
    configuration = yaml.safe_load((ROOT / "conf/production/dask.yml").read_text())
    assert configuration["distributed"]["comm"]["require-encryption"] is True
    tls = configuration["distributed"]["comm"]["tls"]
    roles = [tls[role] for role in (SCHEDULER, "worker", "client")]
    files = {tls["ca-file"], *(file for role in roles for file in role.values())}
    for container in (container_of(resources, SCHEDULER), container_of(resources, WORKERS),
                      training_of(resources)):  # fmt: skip
        assert value_of(container, "DASK_CONFIG") == "conf/production/dask.yml"
        (mount,) = [m for m in container["volumeMounts"] if m["name"] == "tls"]
        assert {f"/app/{Path(file).parent}" for file in files} == {mount["mountPath"]}
    (secret,) = [r for r in resources if r["metadata"]["name"].startswith("dask-tls")]
    assert secret["data"].keys() == {Path(file).name for file in files}, "no key of the authority"


def test_workers_and_training_share_the_volume_by_the_same_name(resources):
    mounts = [
        next(m["mountPath"] for m in container["volumeMounts"] if m["name"] == "data")
        for container in (container_of(resources, WORKERS), training_of(resources))
    ]
    assert mounts == ["/app/data"] * 2


def ports_of(rule: dict) -> set[int]:
    spans = [(port["port"], port.get("endPort", port["port"])) for port in rule["ports"]]
    return {port for first, last in spans for port in range(first, last + 1)}


def open_between(resources: list[dict], one: str, other: str) -> set[int]:
    """Return the ports of one component on which policies let the other in, and it out."""
    let_in, let_out = set(), set()
    for policy in (r["spec"] for r in resources if r["kind"] == "NetworkPolicy"):
        owner = policy["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component")
        for way, found, at, peer in (
            ("ingress", let_in, one, other), ("egress", let_out, other, one)
        ):  # fmt: skip
            ends = {"ingress": "from", "egress": "to"}[way]
            for rule in policy.get(way, []) if owner == at else []:
                named = [
                    end.get("podSelector", {}).get("matchLabels", {}) for end in rule.get(ends, [])
                ]
                if peer in [labels.get("app.kubernetes.io/component") for labels in named]:
                    found.update(ports_of(rule))
    assert let_in == let_out, "what is let out is let in"
    return let_in


def test_policies_open_the_ports_that_are_used_and_no_others(resources, monkeypatch):
    options = options_of(container_of(resources, WORKERS))
    worker, nanny = (int(options[name]) for name in ("--worker-port", "--nanny-port"))
    scheduler = int(options_of(container_of(resources, SCHEDULER))["--port"])
    variable = "GROCERY_DEMAND_TRAINING_PORTS"
    monkeypatch.setenv(variable, value_of(training_of(resources), variable))
    training = set(share_ports([f"tls://10.0.0.1:{worker}"])[f"tls://10.0.0.1:{worker}"])
    assert open_between(resources, SCHEDULER, WORKERS) == {scheduler}
    assert open_between(resources, SCHEDULER, JOBS) == {scheduler}
    assert open_between(resources, WORKERS, SCHEDULER) == {worker, nanny}
    assert open_between(resources, WORKERS, WORKERS) == {worker} | training
    assert open_between(resources, WORKERS, JOBS) == set()


def test_workers_are_scaled_by_hand_and_never_replaced_one_by_one(resources):
    """An autoscaler would remove idle workers with their parts."""
    workers = find(resources, "Deployment", WORKERS)
    assert workers["replicas"] >= 3
    assert workers["strategy"] == {"type": "Recreate"}
    scaled = [r["spec"]["scaleTargetRef"]["name"] for r in resources
              if r["kind"] == "HorizontalPodAutoscaler"]  # fmt: skip
    assert scaled == ["web"]


def test_a_worker_may_use_the_memory_that_its_pod_has(resources):
    container = container_of(resources, WORKERS)
    assert options_of(container)["--memory-limit"] == "$(MEMORY_LIMIT)"
    sources = {e["name"]: e.get("valueFrom", {}) for e in container["env"]}
    assert sources["MEMORY_LIMIT"]["resourceFieldRef"]["resource"] == "limits.memory"
    assert container["resources"]["requests"] == container["resources"]["limits"]
