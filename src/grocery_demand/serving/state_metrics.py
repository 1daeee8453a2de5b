"""Metrics of what the app holds, read when Prometheus asks for them."""

from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from grocery_demand.core.rollout import CHAMPION
from grocery_demand.serving.state import AppState


class StateCollector(Collector):
    """The versions that are served, and the events on their way.

    Args:
        state: What the app holds.
    """

    def __init__(self, state: AppState) -> None:
        self._state = state

    def collect(self) -> list[GaugeMetricFamily | CounterMetricFamily]:
        """Return the metrics."""
        counts = self._state.log.counts
        found: list[GaugeMetricFamily | CounterMetricFamily] = [
            *self._describe_roles(),
            GaugeMetricFamily("events_queued", "Events waiting to be written.", counts.queued),
            CounterMetricFamily("events_written", "Events written.", counts.written),
            CounterMetricFamily("events_failed", "Events that failed.", counts.failed),
        ]
        forwarder = self._state.forwarder
        if forwarder is not None:
            found += [
                GaugeMetricFamily("events_to_forward", "Events waiting for Fluentd.",
                                  forwarder.waiting()),
                CounterMetricFamily("events_forwarded", "Events Fluentd took.", forwarder.sent),
                CounterMetricFamily("events_given_up", "Events not forwarded, as too many waited.",
                                    forwarder.given_up),
            ]  # fmt: skip
        return found

    def _describe_roles(self) -> list[GaugeMetricFamily]:
        """Return version, share and state of who is served, by role."""
        served = self._state.follower.served
        nobody: list[dict[str, Any]] = [{"role": CHAMPION, "model_version": 0}]
        roles = served.describe_roles() if served else nobody
        version, share, problem = (
            GaugeMetricFamily(name, text, labels=["role"])
            for name, text in (
                ("model_version", "Version that is served, by role; champion 0 for none."),
                ("model_share", "Share of the series that it forecasts, by role."),
                ("model_problem", "1 if it is published but not served, or left alone; by role."),
            )
        )
        for role in roles:
            labels = [role["role"]]
            version.add_metric(labels, role["model_version"])
            share.add_metric(labels, role.get("share") or 0.0)
            problem.add_metric(labels, float(bool(role.get("problem"))))
        return [version, share, problem]
