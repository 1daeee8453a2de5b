"""What the routes share."""

import time
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.serving.desk import Desk
from grocery_demand.serving.events.forwarder import Forwarder
from grocery_demand.serving.events.log import EventLog
from grocery_demand.serving.follower import Follower
from grocery_demand.serving.monitoring import SummaryFile
from grocery_demand.serving.served import Served
from grocery_demand.serving.served_forecast import Client, client_name
from grocery_demand.serving.settings import ServingSettings


class NotReadyError(GroceryDemandError):
    """There is no champion to answer with."""


@dataclass(frozen=True)
class AppState:
    """Everything that the app holds while it runs.

    Attributes:
        settings: What it was told.
        follower: What is served.
        log: The log of events.
        desk: Answers questions.
        forwarder: Sends events to Fluentd; None if that is not wanted.
        metrics: Prometheus metrics.
        summaries: What monitoring found.
        project: The project's folder.
    """

    settings: ServingSettings
    follower: Follower
    log: EventLog
    desk: Desk
    forwarder: Forwarder | None
    metrics: CollectorRegistry
    summaries: SummaryFile
    project: Path

    @property
    def served(self) -> Served:
        """What is served at this moment.

        Raises:
            NotReadyError: If nothing is.
        """
        if self.follower.served is None:
            raise NotReadyError(self.follower.problem or "The champion is being loaded.")
        return self.follower.served

    @property
    def problem(self) -> str:
        """Why requests cannot be answered as they should; empty if they can."""
        if self.follower.served is None:
            return self.follower.problem or "The champion is being loaded."
        return self.log.problem


def state_of(request: Request) -> AppState:
    """Return the state of the app that a request came to."""
    state: AppState = request.app.state.grocery_demand
    return state


def client_of(request: Request) -> Client:
    """Return who asks."""
    return Client(client_name(request.headers), time.perf_counter())
