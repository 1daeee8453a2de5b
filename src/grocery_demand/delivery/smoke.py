"""A smoke test: a few real requests that show whether a deployed app does its work."""

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grocery_demand.core.errors import GroceryDemandError

CLIENT = "smoke-test"
_SECONDS_TO_ANSWER = 30.0
_PAUSE_SECONDS = 0.2


class SmokeTestError(GroceryDemandError):
    """A deployed app does not do what it should."""


@dataclass(frozen=True)
class SmokeTested:
    """What a smoke test saw.

    Attributes:
        url: Address of the app.
        model_version: The version that answered.
        cutoff: Last day of sales that it forecasts from, ISO date.
    """

    url: str
    model_version: int
    cutoff: str


class _App:
    """The app as a client sees it."""

    def __init__(self, url: str, key: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise SmokeTestError(
                f"`{url}` is no address of a web app; one looks like http://127.0.0.1:5005."
            )
        self.url = url.rstrip("/")
        self._headers = {"X-Client-Name": CLIENT} | ({"X-API-Key": key} if key else {})

    def get(self, path: str, **query: object) -> str:
        """Return the body of an answer.

        Raises:
            SmokeTestError: If it is none of success, with what the app says.
        """
        address = self.url + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        return self._call(urllib.request.Request(address, headers=self._headers))  # noqa: S310

    def post(self, path: str, body: object) -> Any:
        """Return the JSON that answers a JSON body."""
        headers = self._headers | {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        return json.loads(self._call(urllib.request.Request(self.url + path, data, headers)))  # noqa: S310

    def _call(self, request: urllib.request.Request) -> str:
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER) as answer:  # noqa: S310
                body: bytes = answer.read()
                return body.decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace").strip()
            raise SmokeTestError(f"{request.full_url} answers {error.code}: {said}") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SmokeTestError(
                f"{request.full_url} does not answer: {reason}. Start the app with `kedro deploy`, "
                "or name its address with --url."
            ) from error


def smoke_test(
    url: str,
    tell: Callable[[str], None],
    *,
    key: str = "",
    wait_seconds: float = 60.0,
    model_version: int | None = None,
) -> SmokeTested:
    """Ask an app what its users ask it.

    Args:
        url: Its address.
        tell: Is given a line for each thing that works.
        key: Its API key; empty if it asks for none.
        wait_seconds: How long it may take until it is ready, and serves the wanted version.
        model_version: The version that has to answer; None for any.

    Raises:
        SmokeTestError: At the first thing that does not work.
    """
    app = _App(url, key)
    served = _wait_until_ready(app, wait_seconds, model_version)
    version, cutoff = int(served["model_version"]), str(served["cutoff"])
    tell(f"ready: version {version}, sales up to {cutoff}")
    described = json.loads(app.get("/api/v1/model"))
    _require(described["model_version"] == version, "/api/v1/model names another version.")
    question, units = _ask_for_one(app, described["first_date"])
    tell(f"a prediction: {units} units of {question['item_nbr']} in store {question['store_nbr']}")
    event = _find_event(app, question, units)
    tell(f"its event: {event['id']}, tag {event['tag']}")
    for path in ("/", "/model", "/events", "/monitoring", "/metrics"):
        app.get(path)
    tell("the pages and /metrics answer")
    return SmokeTested(app.url, version, cutoff)


def _wait_until_ready(app: _App, seconds: float, version: int | None) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        try:
            served: dict[str, Any] = json.loads(app.get("/health/ready"))
            if version in (None, served["model_version"]):
                return served
            problem = SmokeTestError(
                f"{app.url} serves version {served['model_version']}, not version {version}."
            )
        except SmokeTestError as error:
            problem = error
        if time.monotonic() > deadline:
            raise problem
        time.sleep(_PAUSE_SECONDS)


def _ask_for_one(app: _App, date: str) -> tuple[dict[str, Any], float]:
    """Return a question that can be answered, and the answer of /prediction."""
    products = json.loads(app.get("/api/v1/products", size=1))["products"]
    question = {"date": date, "item_nbr": products[0]["item_nbr"]}
    answer = app.post("/api/v1/forecasts", {"requests": [question]})["answers"][0]
    if "errors" in answer:
        # The default store does not sell it; the app says which stores do.
        stores = answer["errors"][0]["valid"].split(", ")
        question["store_nbr"] = int(stores[0])
        answer = app.post("/api/v1/forecasts", {"requests": [question]})["answers"][0]
    _require("forecast" in answer, f"{question} is not answered: {answer}.")
    forecast = answer["forecast"]
    quantiles = list(forecast["quantiles"].values())
    _require(forecast["units"] >= 0, f"A forecast is below zero: {forecast['units']}.")
    _require(quantiles == sorted(quantiles), f"Quantiles cross: {quantiles}.")
    question["store_nbr"] = forecast["store_nbr"]
    return question, float(app.get("/prediction", **question))


def _find_event(app: _App, question: dict[str, Any], units: float) -> dict[str, Any]:
    """Return the newest event of a question; it has to say what was answered."""
    query = f"client:{CLIENT} item_nbr:{question['item_nbr']} store_nbr:{question['store_nbr']}"
    found = json.loads(app.get("/api/v1/events", q=query, size=1))["events"]
    _require(bool(found), f"The log of events does not hold the prediction ({query}).")
    event: dict[str, Any] = found[0]
    _require(
        math.isclose(event["prediction"], units, rel_tol=1e-3, abs_tol=1e-3),
        f"The event says {event['prediction']} units, the answer was {units}.",
    )
    return event


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise SmokeTestError(otherwise)
