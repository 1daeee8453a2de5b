"""The manifests in deploy/kubernetes, as kustomize renders them: valid, safe, true of the code."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from grocery_demand.cli import cli
from grocery_demand.pipeline_registry import register_pipelines
from grocery_demand.serving import api
from grocery_demand.serving.settings import _VARIABLES, ServingSettings
from make_targets import ROOT

FOLDER = ROOT / "deploy/kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
VALIDATOR = ROOT / ".tools/bin/kubernetes-validate"
DOCKERFILE = ROOT / "Dockerfile"

DASK = {"scheduler", "workers"}
"""Components of the cluster; `test_kubernetes_cluster.py` has what concerns them alone."""

OF_LIBRARIES = {
    "DASK_CONFIG": "Dask: its configuration",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "Dask: how long to wait for a scheduler",
    "DASK_SCHEDULER_ADDRESS": "of the cluster, read by its client alone",
    "GROCERY_DEMAND_TRAINING_PORTS": "of the cluster, read by its training alone",
    "KEDRO_ENV": "Kedro: folder of conf/",
    "MEMORY_LIMIT": "an argument of `dask worker`",
    "MLFLOW_TRACKING_URI": "MLflow: where runs and models lie",
    "OMP_NUM_THREADS": "OpenMP: threads of LightGBM",
}
"""Variables that not this project's code reads, but a library that it uses."""

needs_kustomize = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which holds kustomize, is not installed"
)
needs_validator = pytest.mark.skipif(not VALIDATOR.exists(), reason="no .tools: make tools")


def put_certificates(folder: Path) -> None:
    """Put something into the place of certificates: nothing here reads them."""
    folder.mkdir(exist_ok=True)
    for name in ("ca.crt", "node.crt", "node.key"):
        (folder / name).write_text("made up")


def render(folder: Path) -> list[dict]:
    outcome = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    return list(yaml.safe_load_all(outcome.stdout))


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """The manifests with the example's secrets in the place of real ones."""
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(FOLDER, folder)
    for overlay in OVERLAYS:
        place = folder / "overlays" / overlay
        if (place / "secrets.env.example").exists():
            shutil.copy(place / "secrets.env.example", place / "secrets.env")
    put_certificates(folder / "overlays/cluster/tls")
    return folder


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def resources(copied, overlay) -> list[dict]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which holds kustomize, is not installed")
    return render(copied / "overlays" / overlay)


def of_kind(resources: list[dict], kind: str) -> dict[str, dict]:
    return {r["metadata"]["name"]: r for r in resources if r["kind"] == kind}


def pods_of(resources: list[dict]) -> dict[str, dict]:
    """Return the specification of each pod, by the name of what makes it."""
    pods = {name: r["spec"]["template"] for name, r in of_kind(resources, "Deployment").items()}
    for name, cron_job in of_kind(resources, "CronJob").items():
        pods[name] = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    return {name: pod["spec"] for name, pod in pods.items()}


def component_of(selector: dict) -> str:
    return selector.get("matchLabels", {}).get("app.kubernetes.io/component", "")


def kedro_containers_of(resources: list[dict]) -> list[dict]:
    """Return those that run a command of Kedro, which is the image's entry point."""
    return [container for container in containers_of(resources) if "command" not in container]


def containers_of(resources: list[dict]) -> list[dict]:
    pods = pods_of(resources).values()
    return [c for pod in pods for c in pod.get("initContainers", []) + pod["containers"]]


@needs_validator
def test_every_manifest_is_valid_by_the_schemas(resources, tmp_path):
    path = tmp_path / "rendered.yaml"
    path.write_text(yaml.safe_dump_all(resources))
    outcome = subprocess.run(
        [VALIDATOR, "--strict", path], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout
    assert outcome.stdout.count(" passed for resource ") == len(resources)


@needs_validator
def test_every_file_of_resources_is_valid_by_itself():
    """Also where there is no kustomize."""
    named = [
        place / name
        for place in (FOLDER / "base", *(FOLDER / "overlays" / name for name in OVERLAYS))
        for name in yaml.safe_load((place / "kustomization.yaml").read_text())["resources"]
        if (place / name).is_file()
    ]
    assert len(named) > 5
    outcome = subprocess.run(
        [VALIDATOR, "--strict", *named], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout


@needs_validator
def test_a_manifest_with_a_mistake_is_not_valid(tmp_path):
    text = (FOLDER / "base/web.yaml").read_text()
    path = tmp_path / "web.yaml"
    path.write_text(text.replace("readinessProbe", "readyProbe"))
    outcome = subprocess.run([VALIDATOR, "--strict", path], capture_output=True, check=False)
    assert outcome.returncode != 0


def test_probes_ask_paths_that_the_app_has(resources):
    routes = {route.path for route in api.router.routes}
    web = pods_of(resources)["web"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in web["ports"]}
    asked = {}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked[probe] = web[probe]["httpGet"]["path"]
        assert web[probe]["httpGet"]["port"] in ports
    assert set(asked.values()) <= routes
    assert asked["readinessProbe"] == "/health/ready"
    # A pod without a champion is not ready, but nothing that a restart would mend.
    assert asked["startupProbe"] == asked["livenessProbe"] == "/health/live"


def test_ports_agree_from_the_app_to_the_ingress(resources):
    web = pods_of(resources)["web"]["containers"][0]
    assert web["ports"] == [{"name": "http", "containerPort": ServingSettings().port}]
    (settings,) = of_kind(resources, "ConfigMap").values()
    assert settings["data"]["GROCERY_DEMAND_PORT"] == str(ServingSettings().port)
    service = of_kind(resources, "Service")["web"]
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    for ingress in of_kind(resources, "Ingress").values():
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        assert backend["name"] == service["metadata"]["name"]
        assert backend["port"]["name"] == service["spec"]["ports"][0]["name"]
    policies = of_kind(resources, "NetworkPolicy")
    let_in = [
        port["port"]
        for policy in policies.values()
        if component_of(policy["spec"]["podSelector"]) not in DASK
        for rule in policy["spec"].get("ingress", [])
        for port in rule["ports"]
    ]
    assert set(let_in) == {ServingSettings().port}


def test_arguments_are_commands_and_pipelines_that_exist(resources):
    for container in kedro_containers_of(resources):
        command, *words = container["args"]
        assert command in cli.commands, container["name"]
        options = {option for p in cli.commands[command].params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= options
        if "--pipeline" in words:
            assert words[words.index("--pipeline") + 1] in register_pipelines()
        if "--env" in words:
            assert (ROOT / "conf" / words[words.index("--env") + 1]).is_dir()


def test_parameters_given_to_runs_are_read_by_the_configuration(resources):
    catalog = (ROOT / "conf/base/catalog.yml").read_text()
    for container in kedro_containers_of(resources):
        words = container["args"]
        if "--params" in words:
            for pair in words[words.index("--params") + 1].split(","):
                assert f"${{runtime_params:{pair.partition('=')[0]}," in catalog


def test_what_a_simulation_writes_is_what_training_reads(resources):
    train = pods_of(resources)["train"]
    (read,) = [word for word in train["containers"][0]["args"] if word.startswith("raw_dir=")]
    for container in train.get("initContainers", []):
        assert f"simulated_dir={read.partition('=')[2]}" in container["args"]


def test_every_variable_is_a_setting_that_something_reads(resources):
    known = set(_VARIABLES) | set(OF_LIBRARIES)
    (settings,) = of_kind(resources, "ConfigMap").values()
    given = {entry["name"] for c in containers_of(resources) for entry in c.get("env", [])}
    assert given | set(settings["data"]) <= known


def test_every_map_secret_key_volume_and_account_referred_to_exists(resources):
    maps, secrets = of_kind(resources, "ConfigMap"), of_kind(resources, "Secret")
    claims, accounts = (of_kind(resources, k) for k in ("PersistentVolumeClaim", "ServiceAccount"))
    for container in containers_of(resources):
        for source in container.get("envFrom", []):
            assert source["configMapRef"]["name"] in maps
        for entry in container.get("env", []):
            if "secretKeyRef" in entry.get("valueFrom", {}):
                wanted = entry["valueFrom"]["secretKeyRef"]
                held = secrets[wanted["name"]]
                assert wanted["key"] in held["data"]
    for pod in pods_of(resources).values():
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod["containers"] + pod.get("initContainers", []):
            assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
            if "secret" in volume:
                assert volume["secret"]["secretName"] in secrets
        assert pod["serviceAccountName"] in accounts


def test_selectors_meet_the_pods_they_are_meant_for(resources):
    deployments, services = (of_kind(resources, kind) for kind in ("Deployment", "Service"))
    for name, other in deployments.items():
        made = other["spec"]["template"]["metadata"]["labels"]
        assert other["spec"]["selector"]["matchLabels"].items() <= made.items()
        if name in services:
            assert services[name]["spec"]["selector"].items() <= made.items()
    deployment = deployments["web"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = []
    budgets = of_kind(resources, "PodDisruptionBudget").values()
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in budgets]
    assert all(selector.items() <= labels.items() for selector in selectors)
    for scaler in of_kind(resources, "HorizontalPodAutoscaler").values():
        assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"]


def test_pods_have_no_rights_that_they_do_not_need(resources):
    for name, pod in pods_of(resources).items():
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"] + pod.get("initContainers", []):
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True, name
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            needed = {"/tmp"} if name == "scheduler" else {"/app/data", "/tmp"}
            assert needed <= {m["mountPath"] for m in container["volumeMounts"]}


def test_only_the_web_app_knows_its_key(resources):
    for name, pod in pods_of(resources).items():
        named = {entry["name"] for c in pod["containers"] for entry in c.get("env", [])}
        assert ("GROCERY_DEMAND_API_KEY" in named) == (name == "web")


def test_the_user_is_the_images():
    (user,) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE.read_text(), re.MULTILINE)
    cluster = "overlays/cluster"
    for file in ("base/web.yaml", "base/jobs.yaml", f"{cluster}/scheduler.yaml",
                 f"{cluster}/workers.yaml"):  # fmt: skip
        text = (FOLDER / file).read_text()
        assert set(re.findall(r"runAsUser: (\d+)", text)) == {user[0]}
        assert set(re.findall(r"(?:runAsGroup|fsGroup): (\d+)", text)) == {user[1]}


def test_the_environment_of_the_configuration_exists(resources):
    (settings,) = of_kind(resources, "ConfigMap").values()
    environment = settings["data"]["KEDRO_ENV"]
    folder = ROOT / "conf" / environment
    assert folder.is_dir()
    # An image has no conf/local, which holds what is this machine's only.
    assert environment != "local"


@needs_kustomize
def test_several_pods_share_no_database_file_and_read_the_data_only(copied):
    """SQLite and a writer on a shared volume would lose events."""
    resources = render(copied / "overlays/production")
    (scaler,) = of_kind(resources, "HorizontalPodAutoscaler").values()
    assert scaler["spec"]["minReplicas"] > 1
    example = (copied / "overlays/production/secrets.env.example").read_text()
    assert "EVENTS_URL=postgresql://" in example
    (claim,) = of_kind(resources, "PersistentVolumeClaim").values()
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    mounts = pods_of(resources)["web"]["containers"][0]["volumeMounts"]
    assert {m["mountPath"]: m.get("readOnly", False) for m in mounts} == {
        "/app/data": True,
        "/tmp": False,
    }


@needs_kustomize
def test_one_pod_keeps_its_events_in_a_file(copied):
    resources = render(copied / "overlays/local")
    assert of_kind(resources, "Deployment")["web"]["spec"]["replicas"] == 1
    assert not of_kind(resources, "HorizontalPodAutoscaler")


def test_a_new_pod_is_ready_before_an_old_one_goes(resources):
    deployment = of_kind(resources, "Deployment")["web"]
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_two_daily_jobs_never_run_at_once(resources):
    assert of_kind(resources, "CronJob")["daily"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_nothing_is_reached_unless_a_policy_says_so(resources):
    policies = of_kind(resources, "NetworkPolicy")
    deny = policies["default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_no_secret_is_in_git():
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"{FOLDER}/overlays/{name}/secrets.env" for name in OVERLAYS)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ignored.returncode == 128:
        pytest.skip("this is no git repository")
    assert len(ignored.stdout.split()) == len(OVERLAYS)
