"""compose.yml fits its schema, its files and the image; nothing in it is open, loose or secret."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ONE_SHOT = {"bucket", "s3-volume", "events-index", "dashboard"}
ON_DEMAND = {"jobs"}


@pytest.fixture(scope="module")
def services(compose) -> dict[str, dict]:
    return compose["services"]


@pytest.fixture(scope="module")
def example(deploy) -> dict[str, str]:
    """The variables of .env.example."""
    lines = (deploy / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_it_fits_the_compose_schema(deploy, tool):
    outcome = subprocess.run(
        [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "--verbose",
         deploy / "compose.yml"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout


def test_each_variable_is_in_the_example_and_each_secret_is_wanted(deploy, example):
    text = (deploy / "compose.yml").read_text()
    used = dict(re.findall(r"\$\{(\w+)(:[-?])?", text))
    from_make = {"COMMIT", "DIRTY", "IMAGE_TAG"}
    assert set(used) - from_make == set(example)
    for name, value in example.items():
        assert used[name] == (":-" if value else ":?"), name


def test_no_secret_is_committed(deploy, example):
    secrets = {"KEY", "PASSWORD"}
    assert all(not value for name, value in example.items() if secrets & set(name.split("_")))
    ignored = subprocess.run(["git", "check-ignore", "-q", "deploy/.env"], check=False, cwd=PROJECT)
    assert ignored.returncode == 0


def test_every_image_is_pinned(services, deploy):
    for name, service in services.items():
        version = service["image"].partition(":")[2]
        built_here = service["image"].startswith("grocery-demand")
        assert built_here or re.match(r"v?\d+\.\d+\.?\d*", version), name
    lines = (deploy / "fluentd" / "Dockerfile").read_text()
    assert re.search(r"^FROM fluent/fluentd:v\d+\.\d+-debian-\d+$", lines, re.MULTILINE)
    assert lines.count("gem install") == lines.count("--version ") == 2


def test_ports_are_open_on_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_service_may_gain_rights_and_none_but_one_is_root(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("user") != "0:0" or name == "s3-volume", name
        assert "privileged" not in service, name


def test_root_file_systems_are_read_only_but_where_elastic_writes_its_own(services):
    writable = {name for name, service in services.items() if not service.get("read_only")}
    assert writable == {"elasticsearch", "kibana"}


def test_every_service_that_stays_has_a_health_check(services):
    for name in set(services) - ONE_SHOT - ON_DEMAND - {"app"}:
        assert services[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
    assert "HEALTHCHECK" in (PROJECT / "Dockerfile").read_text()
    assert all(services[name]["restart"] == "no" for name in ONE_SHOT | ON_DEMAND)


def test_services_wait_until_those_they_need_are_ready(services):
    for name, service in services.items():
        for needed, wait in service.get("depends_on", {}).items():
            one_shot = "service_completed_successfully"
            expected = one_shot if needed in ONE_SHOT else "service_healthy"
            assert wait["condition"] == expected, (name, needed)
    assert "mlflow" in services["jobs"]["depends_on"]


def test_every_mounted_file_exists_and_is_read_only(services, deploy, example):
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source, target, *mode = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", volume).split(":")
            if source.startswith("."):
                assert (deploy / source).exists(), (name, source)
                assert mode == ["ro"], (name, source)
                assert target.startswith("/")


def test_every_volume_is_declared_and_used(compose, services):
    used = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
        if re.match(r"[a-z]", volume)
    }
    assert used == set(compose["volumes"])


def test_the_apps_variables_are_settings_that_it_knows(services):
    from grocery_demand.serving.settings import _VARIABLES

    known = {*_VARIABLES, "KEDRO_ENV", "MLFLOW_TRACKING_URI"}
    for name in ("app", "jobs"):
        assert set(services[name]["environment"]) <= known
        assert (PROJECT / "conf" / services[name]["environment"]["KEDRO_ENV"]).is_dir()


def test_services_call_each_other_by_their_names(services):
    text = str([service.get("environment", {}) for service in services.values()])
    called = set(re.findall(r"(?:https?://|@)([a-z0-9-]+)", text))
    assert called <= set(services)
    assert {"mlflow", "postgres", "s3", "elasticsearch", "kibana"} <= called


def test_secrets_are_made_once_and_for_their_owner_alone(deploy, tmp_path):
    (tmp_path / ".env.example").write_text((deploy / ".env.example").read_text())
    (tmp_path / "make_env.py").write_text((deploy / "make_env.py").read_text())
    subprocess.run([sys.executable, tmp_path / "make_env.py"], check=True)
    made = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in made.splitlines() if line and line[0] != "#")
    secrets = [value for value in values.values() if len(value) == 43]
    assert len(secrets) == len(set(secrets)) == 10
    assert all(re.fullmatch(r"[\w-]{43}", value) for value in secrets)
    assert values["TENANT"] == "local"
    assert os.stat(tmp_path / ".env").st_mode & 0o777 == 0o600
    subprocess.run([sys.executable, tmp_path / "make_env.py"], check=True)
    assert (tmp_path / ".env").read_text() == made


def test_the_one_shot_services_name_tasks_of_the_script(services, deploy):
    tasks = runpy.run_path(str(deploy / "set_up.py"))["TASKS"]
    named = [services[name]["command"][0] for name in ONE_SHOT - {"s3-volume"}]
    assert sorted(named) == sorted(tasks)
