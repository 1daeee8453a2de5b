"""Where runs go: the environment's address, the configured one, and in later sessions the same."""

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
