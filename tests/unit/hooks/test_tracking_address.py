"""Where runs and their artifacts go: by the environment, else as configured, always the same."""

import pytest

from grocery_demand.hooks.tracking import TrackingHook

CONFIGURED = {"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}}


@pytest.fixture
def address_of_a_session(monkeypatch):
    """Open sessions with one hook, as one process does; return each address."""
    hook = TrackingHook()

    def open_session() -> str:
        uri = hook._complete(CONFIGURED)["server"]["mlflow_tracking_uri"]
        # MLflow writes the address that it is given into the environment.
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        return uri

    return open_session


@pytest.mark.parametrize("given", ["http://mlflow:5000", "sqlite:////data/mlflow.db"])
def test_every_session_of_a_process_keeps_to_the_environments_address(
    given, address_of_a_session, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert [address_of_a_session() for _ in range(3)] == [given] * 3


def test_without_one_every_session_takes_the_configured_address(address_of_a_session, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    first, second = address_of_a_session(), address_of_a_session()
    assert first == second
    assert first.endswith("/mlflow.db")


@pytest.fixture
def choose(tmp_path, monkeypatch):
    """Choose among the environment's two names and the configured address."""
    hook = TrackingHook()
    hook._project = tmp_path

    def choose(configured: str | None, **environment: str) -> str:
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return hook._choose_uri(configured)

    return choose


def test_the_configured_address_counts_where_the_environment_names_none(choose, tmp_path):
    assert choose("http://mlflow:5000") == "http://mlflow:5000"
    assert choose("http://mlflow:5000", MLFLOW_TRACKING_URI="") == "http://mlflow:5000"
    assert choose("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    assert choose(None) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_environment_wins_by_mlflows_name_before_the_workshops(choose):
    ours, theirs = {"MLFLOW_TRACKING_URI": "http://a"}, {"MLFLOW_TRACKING_URL": "http://b"}
    assert choose("http://mlflow:5000", **theirs) == "http://b"
    assert choose("http://mlflow:5000", **ours, **theirs) == "http://a"


def test_an_address_that_mlflow_wrote_itself_into_the_environment_does_not_count(choose):
    chosen = choose("http://mlflow:5000", MLFLOW_TRACKING_URL="http://b")
    assert choose("http://mlflow:5000", MLFLOW_TRACKING_URI=chosen) == "http://mlflow:5000"


def test_artifacts_lie_beside_a_sqlite_file(choose, tmp_path):
    def place(uri: str, location: str) -> str | None:
        hook = TrackingHook()
        hook._project = tmp_path
        named = {"artifact_location": location}
        conf = hook._complete(
            {
                "server": {"mlflow_tracking_uri": uri},
                "tracking": {"experiment": {"name": "a", "create_experiment_kwargs": named}},
            }
        )
        return (
            conf["tracking"]["experiment"]
            .get("create_experiment_kwargs", {})
            .get("artifact_location")
        )

    choose(None)
    assert place("sqlite:///mlflow.db", "mlartifacts") == f"{tmp_path}/mlartifacts"
    assert place("sqlite:////elsewhere/mlflow.db", "mlartifacts") == "/elsewhere/mlartifacts"
    assert place("sqlite:///mlflow.db", "s3://bucket/a") == "s3://bucket/a"
    assert place("http://mlflow:5000", "mlartifacts") is None
