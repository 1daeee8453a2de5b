"""A log of events that is damaged while the app runs: what cannot be read is told, not a fault."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from grocery_demand.serving.app import create_app
from grocery_demand.serving.settings import load_settings

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", ["/events", "/api/v1/events"])
def test_a_damaged_log_is_told_with_its_mend(tmp_path, path):
    database = tmp_path / "events.db"
    variables = {"EVENTS_URL": f"sqlite:///{database}"}
    settings = load_settings(PROJECT, "local", variables, {})
    app = create_app(settings, tmp_path)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        assert client.get(path).status_code == 200
        for left in tmp_path.glob("events.db*"):
            left.write_bytes(b"damaged" * 4096)
        answer = client.get(path)
    assert answer.status_code == 503
    assert "stop the app, move the database away, and start the app again" in answer.text
