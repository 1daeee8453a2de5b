"""What the desks count for Prometheus: forecasts by the role and the version that made them."""

from prometheus_client import CollectorRegistry, Counter

from grocery_demand.serving.served_model import ServedModel


class DeskMetrics:
    """Counters by role (`champion`, `canary`, `shadow`) and version.

    Args:
        registry: Where they are kept.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("role", "model_version")
        self._made = Counter(
            "forecasts", "Forecasts made, by role and model_version.", labels, registry=registry
        )
        self._missed = Counter(
            "challenger_misses",
            "Forecasts that a challenger was to make and did not, by role and model_version.",
            labels,
            registry=registry,
        )

    def count(self, role: str, model: ServedModel, n: int) -> None:
        """Count forecasts that were made."""
        self._made.labels(role, model.label.model_version).inc(n)

    def count_misses(self, role: str, model: ServedModel, n: int) -> None:
        """Count forecasts that a challenger did not make."""
        self._missed.labels(role, model.label.model_version).inc(n)
