"""What monitoring looks at, and from when on it raises an alarm."""

from dataclasses import field
from datetime import date

from grocery_demand.core.parameters import parameters, require


@parameters("monitoring")
class MonitoringParameters:
    """Windows and thresholds.

    Attributes:
        max_series: Series whose forecasts are kept and compared with sales at most; the same ones
            every day, chosen by their numbers.
        history_days: Days of forecasts and sales that are looked back upon.
        window_days: Length of the windows whose error is held against the bar; one ends each day.
        max_error_growth: Share by which the error may exceed what the backtest promised, beyond
            what chance explains.
        max_psi: Population stability index that counts as a change, unless history itself moved
            more.
        max_slice_bias: Share of the units sold by which a slice's bias may differ from the
            backtest's.
        max_refused_share: Share of requests that the web app may refuse.
        max_failed_share: Share of requests that the web app may fail to answer (HTTP 5xx).
        max_model_age_days: Days after its last sales at which a model is retrained anyway.
        min_days_between_trainings: Days of new sales that a training on advice waits for after
            the one before.
        max_updates_without_day: Dates in a row with an update that brings no new day of sales,
            from which on the feed counts as stopped.
        accepted_days: Days of sales that look wrong, but are right as they are, as ISO dates; and
            the first day without a family that is no longer sold.
        confidence: Of the intervals by slice, for all slices together.
    """

    max_series: int = 10_000
    history_days: int = 42
    window_days: int = 7
    max_error_growth: float = 0.05
    max_psi: float = 0.25
    max_slice_bias: float = 0.10
    max_refused_share: float = 0.20
    max_failed_share: float = 0.01
    max_model_age_days: int = 120
    min_days_between_trainings: int = 5
    max_updates_without_day: int = 2
    accepted_days: list[str] = field(default_factory=list)
    confidence: float = 0.99

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name, least, most in (
            ("max_series", 100, 10**7),
            ("history_days", 14, 366),
            ("window_days", 3, 28),
            ("max_model_age_days", 1, 3660),
            ("min_days_between_trainings", 0, 366),
            ("max_updates_without_day", 1, 1000),
        ):
            value = getattr(self, name)
            allowed = f"a whole number from {least} to {most}"
            require(least <= value <= most, f"monitoring.{name}", value, allowed)
        for name, most in (
            ("max_error_growth", 10),
            ("max_psi", 10),
            ("max_slice_bias", 10),
            ("max_refused_share", 1),
            ("max_failed_share", 1),
        ):
            value = getattr(self, name)
            require(0 < value <= most, f"monitoring.{name}", value, f"above 0, up to {most}")
        for day in self.accepted_days:
            allowed = "a list of dates such as 2017-06-01"
            require(_is_date(day), "monitoring.accepted_days", self.accepted_days, allowed)
        confidence = self.confidence
        require(0 < confidence < 1, "monitoring.confidence", confidence, "between 0 and 1")


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and str(date.fromisoformat(value)) == value
    except ValueError:
        return False
