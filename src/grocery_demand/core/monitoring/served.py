"""What the web app was asked and what it served, from its event log."""

from dataclasses import dataclass, field

import pandas as pd

from grocery_demand.core.monitoring.check import ALARM, OK, UNKNOWN, USAGE, WATCH, Check, count
from grocery_demand.core.monitoring.parameters import MonitoringParameters

_FEWEST_REQUESTS = 50
_FEWEST_FAILURES = 5


@dataclass(frozen=True)
class ServedEvents:
    """A part of the event log.

    Attributes:
        newest: The newest forecasts, one row each: date, step, store_nbr, item_nbr, cutoff,
            model_version, long_range, onpromotion, promotion_assumed, prediction and features
            (JSON).
        by_day: One row per day (UTC) of the last weeks: date, requests (forecasts), long_range,
            answered (requests that brought them, of one or many questions), refused (questions),
            failed (requests).
        products: One row per item: item_nbr, requests; the most requested first.
        stores: One row per store: store_nbr, requests.
        clients: One row per client: client, requests.
        roles: One row per role and version of the last weeks: role, model_version, requests, and
            latency_ms and latency_ms_95, median and 95 % quantile of the newest forecasts.
        pairs: The newest forecasts made in shadow, one row each: prediction and model_version,
            both also as `given_…` of the forecast that was given for the same question.
        misses: One row per version and reason: model_version, mode, reason, requests: what
            challengers were to forecast in the last weeks and did not.
        problem: Why the log cannot be read; empty if it can.

    Forecasts made in shadow are in `roles` and `pairs` alone: nobody was given them.
    """

    newest: pd.DataFrame
    by_day: pd.DataFrame
    products: pd.DataFrame
    stores: pd.DataFrame
    clients: pd.DataFrame
    roles: pd.DataFrame = field(default_factory=pd.DataFrame)
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    misses: pd.DataFrame = field(default_factory=pd.DataFrame)
    problem: str = ""

    @property
    def requests(self) -> int:
        """Forecasts served in the last weeks."""
        return int(self.by_day["requests"].sum())

    @property
    def refused(self) -> int:
        """Questions refused in the last weeks."""
        return int(self.by_day["refused"].sum())

    @property
    def failed(self) -> int:
        """Requests of the last weeks that the web app itself failed to answer: HTTP 5xx."""
        return int(self.by_day["failed"].sum())

    @property
    def answered(self) -> int:
        """Requests of the last weeks that were answered by forecasts, of one or many questions."""
        return int(self.by_day["answered"].sum())

    @property
    def failed_share(self) -> float:
        """Share of failed requests in these, the refused and the answered; NaN without any."""
        asked = self.answered + self.refused + self.failed
        return self.failed / asked if asked else float("nan")

    @property
    def refused_share(self) -> float:
        """Share of questions that were refused, among those and the forecast; NaN without any."""
        asked = self.requests + self.refused
        return self.refused / asked if asked else float("nan")

    @property
    def long_range_share(self) -> float:
        """Share of the forecasts that lie beyond the horizon; NaN without any."""
        far = float(self.by_day["long_range"].sum())
        return far / self.requests if self.requests else float("nan")


def check_usage(served: ServedEvents, parameters: MonitoringParameters) -> list[Check]:
    """Say how much is asked, and whether too much of it is refused or failed."""
    if served.problem:
        told = "What was asked and answered is not known."
        return [Check(USAGE, "event log", ALARM, told, served.problem)]
    if not served.requests + served.refused + served.failed:
        told = "Nobody asked the web app yet, or its events lie in another database."
        return [Check(USAGE, "questions", UNKNOWN, told, "Start it with `kedro serve`.")]
    failures = _check_failures(served, parameters.max_failed_share)
    if not served.requests + served.refused:
        told = "No request was answered in the last weeks: the web app failed at each."
        return [Check(USAGE, "refused requests", UNKNOWN, told), failures]
    share, allowed = served.refused_share, parameters.max_refused_share
    far = f"{served.long_range_share:.1%}" if served.requests else "none"
    until = f" up to {str(served.by_day['date'].max())[:10]}" if len(served.by_day) else ""
    told = (
        f"{count(served.requests, 'forecast')} served in the last weeks{until}, {far} beyond the "
        "horizon; "
        f"{count(served.refused, 'question')} refused ({share:.1%})."
    )
    many = share > allowed and served.requests + served.refused >= _FEWEST_REQUESTS
    mend = "See on the page /events what was asked wrongly." if many else ""
    state = WATCH if many else OK
    return [
        Check(USAGE, "refused requests", state, told, mend, share, allowed),
        failures,
    ]


def _check_failures(served: ServedEvents, allowed: float) -> Check:
    share = served.failed_share
    many = share > allowed and served.failed >= _FEWEST_FAILURES
    failed = count(served.failed, "request")
    told = f"{failed} answered by an error of the app's own ({share:.1%})."
    mend = "See the app's log, and /health/ready." if many else ""
    return Check(USAGE, "failed answers", WATCH if many else OK, told, mend, share, allowed)
