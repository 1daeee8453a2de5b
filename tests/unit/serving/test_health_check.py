"""A container's health check, beside a web app that answers, errs or is away."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from grocery_demand.serving.health_check import main


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def app(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        monkeypatch.setenv("GROCERY_DEMAND_PORT", str(server.server_address[1]))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_an_answer_of_200_is_well(app):
    assert main() == 0


def test_any_other_answer_is_not(app, capsys):
    assert main("/health/ready") == 1
    assert capsys.readouterr().err == "/health/ready answers 503\n"


def test_no_answer_is_not(monkeypatch, capsys):
    monkeypatch.setenv("GROCERY_DEMAND_PORT", "1")
    assert main() == 1
    assert "no answer on port 1" in capsys.readouterr().err
