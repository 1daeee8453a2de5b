"""Settings come from files, environment and command line, in this order."""

import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.serving.settings import UnsafeStartError, load_settings
from published import make_project

ROOT_SETTINGS = {"port": 5005, "tenant": "shop", "product_names": {99197: "Milk"}}


@pytest.fixture
def project(tmp_path):
    folder = make_project(tmp_path, **ROOT_SETTINGS)
    (folder / "conf" / "production").mkdir()
    (folder / "conf" / "production" / "serving.yml").write_text("port: 7000\nmax_batch: 50\n")
    return folder


def test_an_environment_overrides_single_values(project):
    settings = load_settings(project, "production", {}, {})
    assert (settings.port, settings.max_batch, settings.tenant) == (7000, 50, "shop")


def test_variables_override_files_and_the_command_line_overrides_both(project):
    environ = {"GROCERY_DEMAND_PORT": "7001", "TENANT": "user1", "FLUENTD_PORT": "24225"}
    settings = load_settings(project, "production", environ, {"port": 7002, "host": None})
    assert (settings.port, settings.tag, settings.fluentd_port) == (7002, "user1.prediction", 24225)


def test_an_empty_host_turns_forwarding_off_and_other_empty_variables_say_nothing(project):
    file = project / "conf" / "production" / "serving.yml"
    file.write_text("fluentd_host: fluentd\nport: 7000\n")
    assert load_settings(project, "production", {}, {}).fluentd_host == "fluentd"
    environ = {"FLUENTD_HOST": "", "TENANT": "", "GROCERY_DEMAND_PORT": ""}
    settings = load_settings(project, "production", environ, {})
    assert (settings.fluentd_host, settings.tenant, settings.port) == ("", "shop", 7000)


def test_relative_paths_are_meant_from_the_project(project, monkeypatch):
    monkeypatch.chdir("/")
    settings = load_settings(project, "local", {}, {})
    assert settings.events_url == f"sqlite:///{project}/data/07_model_output/events.db"
    assert settings.publication_dir.startswith(str(project))


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"GROCERY_DEMAND_PORT": "seventy"}, "serving.port"),
        ({"GROCERY_DEMAND_PORT": "70000"}, "0 to 65535"),
        ({"TENANT": "a.b c"}, "letters, digits"),
    ],
)
def test_a_wrong_value_is_named(project, environ, told):
    with pytest.raises(ParameterError, match=told):
        load_settings(project, "local", environ, {})


def test_an_unknown_setting_is_named(project):
    (project / "conf" / "base" / "serving.yml").write_text("prot: 5005\n")
    with pytest.raises(ParameterError, match="did you mean `port`"):
        load_settings(project, "local", {}, {})


def test_a_file_that_is_no_yaml_is_named(project):
    (project / "conf" / "base" / "serving.yml").write_text("port: [\n")
    with pytest.raises(ParameterError, match=r"serving\.yml is not YAML"):
        load_settings(project, "local", {}, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example"])
def test_it_is_not_opened_to_the_network_without_a_key(project, host):
    with pytest.raises(UnsafeStartError, match="GROCERY_DEMAND_API_KEY"):
        load_settings(project, "local", {}, {"host": host})
    assert load_settings(project, "local", {"GROCERY_DEMAND_API_KEY": "k"}, {"host": host})
    assert load_settings(project, "local", {}, {"host": host, "insecure": True})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_alone_needs_no_key(project, host):
    assert load_settings(project, "local", {}, {"host": host}).host == host


def test_the_summary_of_monitoring_lies_in_the_project_or_where_a_variable_says(project):
    settings = load_settings(project, "local", {}, {})
    assert settings.monitoring_file == f"{project}/data/08_reporting/monitoring/summary.json"
    environ = {"MONITORING_FILE": "/elsewhere/summary.json"}
    assert load_settings(project, "local", environ, {}).monitoring_file == "/elsewhere/summary.json"
