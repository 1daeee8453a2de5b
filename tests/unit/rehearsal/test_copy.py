"""What the copy of a rehearsal shares with others: nothing."""

import os

from grocery_demand.rehearsal.copy import copy_project, leave_shared_services


def test_a_rehearsal_uses_no_registry_or_event_log_that_others_use(monkeypatch):
    names = (
        "KEDRO_ENV", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URL", "EVENTS_URL", "FLUENTD_HOST",
        "MONITORING_FILE", "PUBLICATION_DIR",
    )  # fmt: skip
    for name in names:
        monkeypatch.setenv(name, "http://production")
    leave_shared_services()
    assert not set(names) & set(os.environ)


def test_a_copy_takes_the_local_parameters_along_but_no_place_of_data_and_no_secret(tmp_path):
    project = tmp_path / "project"
    contents = {
        "conf/base/globals.yml": "raw_dir: data",
        "conf/local/globals.yml": "raw_dir: data/01_raw/mine",
        "conf/local/mlflow.yml": "server: {mlflow_tracking_uri: http://production}",
        "conf/local/serving.yml": "api_key: secret",
        "conf/local/credentials.yml": "key: secret",
        "conf/local/parameters.yml": "training: {seed: 1}",
        "conf/production/credentials.yml": "key: secret",
        "src/package/module.py": "",
        "src/package/__pycache__/module.pyc": "",
        "pyproject.toml": "",
        "requirements.lock": "",
    }
    for name, text in contents.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    copy = copy_project(project, tmp_path / "copy")
    found = {str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file()}
    assert found == {
        ".rehearsal", "conf/base/globals.yml", "conf/local/parameters.yml",
        "src/package/module.py", "pyproject.toml", "requirements.lock",
    }  # fmt: skip
