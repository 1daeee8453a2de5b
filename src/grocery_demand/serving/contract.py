"""Shapes of requests and answers of the API, as its OpenAPI description shows them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ForecastRequest(BaseModel):
    """One product in one store on one day."""

    date: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Day to forecast, YYYY-MM-DD; up to a year ahead.",
        examples=["2017-06-14"],
    )
    item_nbr: int = Field(description="Number of the product.", examples=[99197])
    store_nbr: int | None = Field(
        None, description="Number of the store; the default store if left out.", examples=[47]
    )
    onpromotion: bool | None = Field(
        None, description="Assume a promotion or none; left out: as planned.", examples=[True]
    )


class ForecastsRequest(BaseModel):
    """Many forecasts at once."""

    requests: list[ForecastRequest] = Field(description="Up to 10,000.")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "requests": [
                        {"date": "2017-06-14", "item_nbr": 99197},
                        {"date": "2017-06-15", "item_nbr": 105574, "store_nbr": 44,
                         "onpromotion": True},
                    ]
                }
            ]
        }
    )  # fmt: skip


class Contribution(BaseModel):
    """One thing that moved the forecast."""

    driver: str = Field(examples=["promotion"])
    factor: float = Field(
        description="What it multiplies 1 + units by, compared with recent weeks.", examples=[1.31]
    )


class Interval(BaseModel):
    """Between which numbers of units the sales of four days of five lie, both included."""

    level: float = Field(
        description="Share of all days that lie within their interval.", examples=[0.8]
    )
    low: float = Field(description="In units; where it is 0, nothing lies below.", examples=[9.1])
    high: float = Field(description="In units.", examples=[19.2])


class Forecast(BaseModel):
    """The units that will sell."""

    date: str = Field(examples=["2017-06-14"])
    item_nbr: int = Field(examples=[99197])
    store_nbr: int = Field(examples=[47])
    onpromotion: bool = Field(description="The promotion that it was made with.")
    units: float = Field(description="Point forecast in units.", examples=[13.4])
    interval: Interval
    quantiles: dict[str, float] = Field(
        description="Units that are not exceeded with the probability of each level.",
        examples=[{"0.1": 8.9, "0.5": 13.2, "0.9": 19.7}],
    )
    long_range: bool = Field(description="Whether the day lies beyond the 16 days' horizon.")
    closed_years: list[int] = Field(
        description="Earlier years in which the store sold nothing on the same date: the forecast "
        "is for the case that it opens.",
        examples=[[2015, 2016]],
    )
    moving_average: float = Field(description="What recent weeks let expect on that weekday.")
    contributions: list[Contribution]
    model_version: int = Field(description="Version that made it.", examples=[3])
    role: str = Field(
        description="`champion`, or `canary`: a challenger that answers for a share of the series.",
        examples=["champion"],
    )
    cutoff: str = Field(description="Last day with known sales.", examples=["2017-05-31"])
    event_id: str = Field(description="Id of the event in the log.")


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(examples=["store_nbr"])
    message: str = Field(examples=["There is no store 99."])
    valid: str = Field(examples=["1, 3, 8, 44, 47"])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    errors: list[FieldError] = []


class Answer(BaseModel):
    """The answer to one request of many: a forecast, or what is wrong."""

    forecast: Forecast | None = None
    errors: list[FieldError] | None = None


class ForecastsAnswer(BaseModel):
    """Answers in the order of the requests."""

    answers: list[Answer]
    answered: int = Field(description="How many were forecast.")
    refused: int = Field(description="How many were not.")


class Product(BaseModel):
    """One product."""

    item_nbr: int = Field(examples=[99197])
    name: str | None = Field(None, examples=["Milk"])
    family: str = Field(examples=["GROCERY I"])
    item_class: int = Field(alias="class", examples=[1067])
    perishable: bool


class Products(BaseModel):
    """Products found, the best first."""

    products: list[Product]
    total: int = Field(description="Products that can be asked for in all.")


class Store(BaseModel):
    """One store."""

    store_nbr: int = Field(examples=[47])
    city: str = Field(examples=["Quito"])
    state: str
    type: str
    cluster: int


class Stores(BaseModel):
    """All stores."""

    stores: list[Store]
    default_store: int


class ServedRole(BaseModel):
    """A version that is served, and in which role."""

    role: str = Field(description="`champion`, `canary` or `shadow`.", examples=["champion"])
    model_version: int
    run_id: str | None
    share: float = Field(description="Share of the series that it forecasts.", examples=[1.0])
    since: str | None
    problem: str | None = Field(description="Why it is not served at present; null if it is.")


class ModelDescription(BaseModel):
    """The champion, and who is served beside it."""

    model_name: str
    model_version: int
    run_id: str | None
    model: str
    cutoff: str
    horizon: int = Field(description="Days ahead that are not long-range.")
    first_date: str
    last_date: str
    simulated: bool = Field(description="Whether it was trained on simulated sales.")
    scores: dict[str, float] = Field(description="Scores on the holdout.")
    served: list[ServedRole]
    verdict: dict[str, Any] | None
    history: list[dict[str, Any]]
    rollouts: list[dict[str, Any]] = Field(description="Changes of what challenger is served.")
    versions: list[dict[str, Any]]


class Events(BaseModel):
    """Events found, the newest first."""

    events: list[dict[str, Any]]
    total: int
    next_before: int | None = Field(
        description="Give it as `before` for the next ones; null if there are none."
    )


def parameters(*names: str) -> list[dict[str, Any]]:
    """Return query parameters by name, for the OpenAPI description."""
    return [_PARAMETERS[name] for name in names]


def body(model: type[BaseModel]) -> dict[str, Any]:
    """Return a JSON body, for the OpenAPI description."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs", {})
    schema["properties"]["requests"]["items"] = inner["ForecastRequest"]
    schema["properties"]["requests"]["maxItems"] = 10_000
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _query(
    name: str, text: str, schema: dict[str, Any], *, required: bool = False
) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": required, "description": text, "schema": schema,
    }  # fmt: skip


_PARAMETERS = {
    "date": _query(
        "date", "Day to forecast, YYYY-MM-DD.",
        {"type": "string", "format": "date", "example": "2017-06-14"}, required=True,
    ),
    "item_nbr": _query(
        "item_nbr", "Number of the product.", {"type": "integer", "example": 99197}, required=True
    ),
    "store_nbr": _query(
        "store_nbr", "Number of the store; the default store if left out.",
        {"type": "integer", "example": 47},
    ),
    "onpromotion": _query(
        "onpromotion", "Assume a promotion or none; left out: as planned.", {"type": "boolean"}
    ),
    "q": _query("q", "What to look for.", {"type": "string", "maxLength": 500}),
    "range": _query(
        "range", "Time range.",
        {"type": "string", "enum": ["15m", "1h", "24h", "7d", "30d", "all"], "default": "all"},
    ),
    "from": _query("from", "Earliest time, ISO, in UTC; instead of `range`.", {"type": "string"}),
    "to": _query("to", "Latest time, ISO, in UTC.", {"type": "string"}),
    "size": _query(
        "size", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 1000}
    ),
    "before": _query("before", "`next_before` of the former answer.", {"type": "integer"}),
}  # fmt: skip
