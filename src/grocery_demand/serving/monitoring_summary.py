"""The summary that pipeline `monitor` writes: its shape, version 1.

Any number may be null, any list empty; what is not known here is ignored.
"""

import datetime as dt
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

FORMAT = "grocery-demand monitoring"
VERSION = 1

_LARGEST = 1e15
_MOST = 10**12

Entry = TypeVar("Entry")


def _readable(value: Any) -> Any:
    """Return None for a number that nobody can read or draw: NaN, infinite, absurdly large."""
    is_number = isinstance(value, int | float)
    return None if is_number and not abs(value) < _LARGEST else value


def _counted(value: Any) -> Any:
    """Return a whole number, which tables with unknown entries hold as a float."""
    value = _readable(value)
    return round(value) if isinstance(value, float) else value


Number = Annotated[float | None, BeforeValidator(_readable)]
Count = Annotated[int | None, BeforeValidator(_counted)]
Whole = Annotated[int, Field(ge=-_MOST, le=_MOST)]
Day = dt.date | None
State = Annotated[
    Literal["ok", "watch", "alarm", "unknown"],
    BeforeValidator(lambda value: "unknown" if value is None else value),
]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Many = Annotated[list[Entry], BeforeValidator(lambda value: [] if value is None else value)]


class Advice(BaseModel):
    """What to do with the model."""

    decision: Literal["keep", "retrain", "check_feed"]
    since: Day = Field(None, description="First day of sales on which it was so.")
    reasons: Many[str] = []
    next: Text = Field("", description="A command, or what to do.")
    champion_since: Day = Field(None, description="Last day of sales when the champion took over.")
    former_version: Whole | None = Field(None, description="Whose place the champion took.")


class Check(BaseModel):
    """One thing that was looked at."""

    area: str = Field(examples=["live error"])
    name: str
    state: State = "unknown"
    since: Day = None
    value: Number = None
    threshold: Number = None
    detail: Text = ""
    mend: Text = ""
    days: Many[str] = Field([], description="Days of sales that are wrong by it.")


class LiveError(BaseModel):
    """Errors of the forecasts served, over the `monitoring.window_days` that end on `date`."""

    date: dt.date
    rows: Count = None
    nwrmsle: Number = None
    moving_average: Number = None
    seasonal_naive: Number = None
    promised: Number = Field(None, description="NWRMSLE in the backtest at the same steps.")
    mean_step: Number = Field(None, description="Days ahead of the forecasts, on average.")
    bar: Number = Field(None, description="NWRMSLE above which it is an alarm.")
    wape: Number = None
    bias: Number = None
    coverage: Number = Field(None, description="Share of actuals in the 80 % interval.")


class StepError(BaseModel):
    """NWRMSLE at one step."""

    step: Whole
    nwrmsle: Number = None
    promised: Number = None


class WeekError(BaseModel):
    """NWRMSLE at one age of the model."""

    weeks_since_cutoff: Whole
    nwrmsle: Number = None
    rows: Count = None


class Output(BaseModel):
    """Units of all series on one day."""

    date: dt.date
    sold: Number = None
    forecast: Number = None


class Drift(BaseModel):
    """How far sales have moved from those that the model learnt from."""

    column: str
    statistic: Text = ""
    value: Number = None
    threshold: Number = None
    state: State = "unknown"


class Skew(BaseModel):
    """How far a feature served differs from the same feature in training."""

    feature: str
    served_missing_share: Number = None
    training_missing_share: Number = None
    psi: Number = None
    ks: Number = None
    threshold: Number = Field(None, description="Of the PSI.")
    ks_threshold: Number = Field(None, description="Of the KS statistic.")
    differing_share: Number = None
    state: State = "unknown"


class Explanation(BaseModel):
    """What one group of features did in one week's forecasts."""

    week: dt.date
    is_training: bool | None = Field(None, description="Whether the model learnt from that week.")
    driver: str
    share: Number = None
    mean: Number = None


class Slice(BaseModel):
    """How one group of series is served, with confidence intervals."""

    name: str = Field(alias="slice")
    value: Any = None
    rows: Count = None
    series: Count = None
    nwrmsle: Number = None
    promised_nwrmsle: Number = Field(None, description="NWRMSLE in the backtest.")
    bias: Number = None
    bias_low: Number = None
    bias_high: Number = None
    promised_bias: Number = Field(None, description="Bias in the backtest.")
    skill: Number = Field(None, description="NWRMSLE of the moving average less the model's.")
    skill_low: Number = None
    skill_high: Number = None
    state: State = "unknown"


class LiveComparison(BaseModel):
    """Errors of champion and challenger on the same forecasts."""

    rows: Count = None
    series: Count = None
    days: Count = None
    champion: Number = None
    challenger: Number = None
    difference: Number = Field(None, description="NWRMSLE of the challenger less the champion's.")
    lower: Number = None
    upper: Number = None


class Differences(BaseModel):
    """How far both forecast apart."""

    rows: Count = Field(None, description="Forecasts of the newest cutoff that both made.")
    total_champion: Number = Field(None, description="Units in them.")
    total_challenger: Number = None
    mean_difference: Number = Field(None, description="Mean of |ln(1+a) − ln(1+b)|.")
    differing_share: Number = Field(None, description="Share that differs by more than a fifth.")
    shadow_rows: Count = Field(None, description="Newest forecasts made in shadow.")
    shadow_mean_difference: Number = None


class Measure(BaseModel):
    """One measure of both."""

    measure: Text
    champion: Number = None
    challenger: Number = None


class Challenger(BaseModel):
    """The challenger that is served, beside the champion."""

    model_version: Whole
    run_id: str | None = None
    mode: Literal["shadow", "canary"]
    share: Number = Field(None, description="Share of the series that it takes.")
    since: Text = ""
    live: LiveComparison | None = None
    differences: Differences | None = None
    measures: Many[Measure] = []


class UsageDay(BaseModel):
    """Forecasts served, and questions refused, and requests failed, on one day (UTC)."""

    date: dt.date
    requests: Count = None
    refused: Count = None
    failed: Count = Field(None, description="Requests answered by HTTP 5xx.")


class ProductUsage(BaseModel):
    """Requests for one product."""

    item_nbr: Whole
    requests: Count = None


class StoreUsage(BaseModel):
    """Requests for one store."""

    store_nbr: Whole
    requests: Count = None


class ClientUsage(BaseModel):
    """Requests of one client."""

    client: Text = ""
    requests: Count = None


class Usage(BaseModel):
    """Who asks for what."""

    requests: Count = None
    refused: Count = None
    failed: Count = Field(None, description="Requests answered by HTTP 5xx.")
    long_range_share: Number = None
    refused_share: Number = None
    failed_share: Number = Field(None, description="Share of failed in all answers.")
    by_day: Many[UsageDay] = []
    products: Many[ProductUsage] = []
    stores: Many[StoreUsage] = []
    clients: Many[ClientUsage] = []


class FileStatus(BaseModel):
    """What became of one file of sales."""

    file: str
    status: Text = ""
    reason: Text = ""


class Summary(BaseModel):
    """All that monitoring found."""

    format: Literal["grocery-demand monitoring"]
    version: Literal[1]
    made_at: dt.datetime = Field(description="When, in UTC.")
    simulated: bool
    model_version: Whole | None = None
    champion_cutoff: Day = None
    cutoff: Day = Field(None, description="Last day of sales.")
    advice: Advice
    checks: Many[Check] = []
    live_error: Many[LiveError] = []
    live_by_step: Many[StepError] = []
    live_by_week: Many[WeekError] = []
    outputs: Many[Output] = []
    drift: Many[Drift] = []
    skew: Many[Skew] = []
    explanations: Many[Explanation] = []
    fairness: Many[Slice] = []
    challenger: Challenger | None = None
    usage: Usage | None = None
    files: Many[FileStatus] = []
