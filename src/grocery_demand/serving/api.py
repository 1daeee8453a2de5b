"""Routes for programs."""

from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from grocery_demand.serving import contract, problems
from grocery_demand.serving.assortment import Question
from grocery_demand.serving.events import search
from grocery_demand.serving.state import AppState, client_of, state_of

router = APIRouter()

_WRONG: dict[int | str, dict[str, Any]] = {
    422: {"model": contract.Problem, "description": "A field is missing or not valid."},
    503: {"model": contract.Problem, "description": "No champion, or no event log."},
}
_QUESTION = contract.parameters("date", "item_nbr", "store_nbr", "onpromotion")
_SEARCH = contract.parameters("q", "range", "from", "to")
_MOST_EVENTS = 1000
_MOST_PRODUCTS = 10_000
_ROWS_PER_PART = 1000
_MOST_CSV_ROWS = 100_000


@router.get(
    "/prediction",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "13.4"}}}, **_WRONG},
    openapi_extra={"parameters": _QUESTION},
    summary="One forecast: the number of units alone",
)
async def predict(request: Request) -> Response:
    """Answer as the workshop's client expects: units as plain text."""
    state, client = state_of(request), client_of(request)
    model = state.model
    question = model.assortment.ask(request.query_params)
    if not isinstance(question, Question):
        state.desk.refuse(question, "/prediction", client)
        return problems.respond(422, problems.in_words(question), question)
    forecast = await state.desk.answer(model, question, client)
    return Response(str(forecast.units), media_type="text/plain")


@router.post(
    "/api/v1/forecasts",
    response_model=None,
    responses={
        200: {"model": contract.ForecastsAnswer},
        400: {"model": contract.Problem, "description": "The body is not JSON."},
        413: {"model": contract.Problem, "description": "The body is too large."},
        **_WRONG,
    },
    openapi_extra={"requestBody": contract.body(contract.ForecastsRequest)},
    summary="Many forecasts: units, quantiles, what moved them",
)
async def forecast_many(request: Request) -> Response:
    """Answer in the order of the requests; one that is wrong does not stop the others."""
    state, client = state_of(request), client_of(request)
    model = state.model
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        return problems.respond(400, f"The body is not JSON: {error}.")
    wrong = _refuse_body(asked, state.settings.max_batch)
    if wrong is not None:
        return wrong
    parsed = [model.assortment.ask(fields) for fields in asked["requests"]]
    questions = [question for question in parsed if isinstance(question, Question)]
    forecasts = iter(await state.desk.answer_all(model, questions, client))
    answers: list[dict[str, Any]] = []
    for question in parsed:
        if isinstance(question, Question):
            answers.append({"forecast": next(forecasts).as_dict()})
        else:
            state.desk.refuse(question, "/api/v1/forecasts", client)
            answers.append({"errors": problems.describe(422, "", question)["errors"]})
    told = {
        "answers": answers, "answered": len(questions), "refused": len(parsed) - len(questions),
    }  # fmt: skip
    return _json(told)


@router.get(
    "/api/v1/products",
    response_model=None,
    responses={200: {"model": contract.Products}, **_WRONG},
    openapi_extra={"parameters": contract.parameters("q", "size")},
    summary="Products, by number, name or family",
)
async def list_products(request: Request) -> Response:
    """Return products that match, the best first."""
    assortment = state_of(request).model.assortment
    size = _size(request, 50, _MOST_PRODUCTS)
    if size is None:
        return _wrong_size(_MOST_PRODUCTS)
    found = assortment.search(request.query_params.get("q", "")[:100], size)
    listed = [product.as_dict() for product in found]
    return _json({"products": listed, "total": len(assortment.products)})


@router.get(
    "/api/v1/stores",
    response_model=None,
    responses={200: {"model": contract.Stores}, 503: _WRONG[503]},
    summary="Stores",
)
async def list_stores(request: Request) -> Response:
    """Return all stores."""
    assortment = state_of(request).model.assortment
    stores = assortment.stores[["store_nbr", "city", "state", "type", "cluster"]]
    listed = stores.to_dict(orient="records")
    return _json({"stores": listed, "default_store": assortment.default_store})


@router.get(
    "/api/v1/model",
    response_model=None,
    responses={200: {"model": contract.ModelDescription}, 503: _WRONG[503]},
    summary="The champion",
)
async def describe_model(request: Request) -> Response:
    """Return the champion with its verdict, history and the other versions."""
    return _json(describe_champion(state_of(request)))


@router.get(
    "/api/v1/events",
    response_model=None,
    responses={200: {"model": contract.Events}, **_WRONG},
    openapi_extra={"parameters": [*_SEARCH, *contract.parameters("size", "before")]},
    summary="Events, searched",
)
async def list_events(request: Request) -> Response:
    """Return events that match, the newest first."""
    engine = state_of(request).log.engine
    size = _size(request, 100, _MOST_EVENTS)
    before = request.query_params.get("before", "")
    if size is None:
        return _wrong_size(_MOST_EVENTS)
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):  # noqa: PLR2004
        return problems.respond(422, "`before` is not a whole number, as `next_before` gives it.")
    wanted = read_search(request)
    found = await run_in_threadpool(
        search.find_events, engine, wanted, size, int(before) if before else None
    )
    total = await run_in_threadpool(search.count_events, engine, wanted)
    following = found[-1]["seq"] if len(found) == size else None
    return _json({"events": found, "total": total, "next_before": following})


@router.get(
    "/api/v1/events.csv",
    response_model=None,
    responses={200: {"content": {"text/csv": {}}}, **_WRONG},
    openapi_extra={"parameters": _SEARCH},
    summary="Events, searched, as CSV",
)
async def export_events(request: Request) -> Response:
    """Return up to 100,000 events as CSV, the newest first."""
    rows = _csv_of(state_of(request), read_search(request))
    headers = {"Content-Disposition": 'attachment; filename="events.csv"'}
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/api/v1/monitoring", response_model=None, summary="State of the monitoring")
async def describe_monitoring(request: Request) -> Response:
    """Say whether there are results of monitoring."""
    del request
    return _json({"available": False, "detail": "There are no results of monitoring yet."})


@router.get("/health/live", response_model=None, summary="Whether the process runs")
async def live() -> Response:
    """Say that it runs."""
    return _json({"status": "live"})


@router.get(
    "/health/ready",
    response_model=None,
    responses={503: {"model": contract.Problem}},
    summary="Whether it can forecast",
)
async def ready(request: Request) -> Response:
    """Say whether there is a champion and an event log to keep its forecasts in."""
    state = state_of(request)
    if state.problem:
        return problems.respond(503, state.problem)
    pointer = state.model.pointer
    return _json(
        {"status": "ready", "model_version": pointer.model_version, "cutoff": pointer.cutoff}
    )


@router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
async def metrics(request: Request) -> Response:
    """Return metrics in Prometheus' text format."""
    contents = generate_latest(state_of(request).metrics)
    return Response(contents, headers={"Content-Type": CONTENT_TYPE_LATEST})


def describe_champion(state: AppState) -> dict[str, Any]:
    """Return the champion as programs and the model page read it."""
    model = state.model
    pointer, assortment = model.pointer, model.assortment
    return {
        "model_name": pointer.model_name,
        "model_version": pointer.model_version,
        "run_id": pointer.run_id,
        "model": model.model.metadata.get("model", ""),
        "cutoff": pointer.cutoff,
        "horizon": model.horizon,
        "first_date": str(assortment.first_ahead),
        "last_date": str(assortment.last_date),
        "simulated": model.simulated,
        "scores": model.model.metadata.get("metrics", {}),
        "verdict": model.publication.verdict,
        "history": pointer.history,
        "versions": pointer.versions,
    }


def read_search(request: Request) -> search.Search:
    """Return the search that the query parameters describe.

    Raises:
        QueryError: If it cannot be understood.
    """
    given = request.query_params
    first, last = search.time_range(
        given.get("range", "all"), given.get("from", ""), given.get("to", "")
    )
    wanted = search.Search(given.get("q", ""), first, last)
    wanted.condition()
    return wanted


def _csv_of(state: AppState, wanted: search.Search) -> Iterator[str]:
    import csv
    import io

    columns: list[str] | None = None
    before, n_rows = None, 0
    while n_rows < _MOST_CSV_ROWS:
        rows = search.find_events(state.log.engine, wanted, _ROWS_PER_PART, before)
        text = io.StringIO()
        writer = csv.writer(text)
        if columns is None:
            columns = ["time", *(name for name in search.FIELDS), "contributions", "features"]
            writer.writerow(columns)
        for row in rows:
            flat = row | {k: orjson.dumps(row[k]).decode() for k in ("contributions", "features")}
            writer.writerow([_harmless(flat[name]) for name in columns])
        yield text.getvalue()
        if len(rows) < _ROWS_PER_PART:
            return
        before, n_rows = rows[-1]["seq"], n_rows + len(rows)


def _harmless(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _refuse_body(asked: Any, most: int) -> Response | None:
    if not isinstance(asked, dict) or not isinstance(asked.get("requests"), list):
        detail = 'The body has to be {"requests": [{"date": …, "item_nbr": …}, …]}.'
        return problems.respond(422, detail)
    requests = asked["requests"]
    if len(requests) > most:
        detail = f"{len(requests):,} forecasts are asked for; up to {most:,} go in one body."
        return problems.respond(422, detail)
    wrong = next((i for i, fields in enumerate(requests) if not isinstance(fields, dict)), None)
    if wrong is not None:
        return problems.respond(422, f"Entry {wrong} of `requests` is not an object.")
    return None


def _size(request: Request, otherwise: int, most: int) -> int | None:
    given = request.query_params.get("size", str(otherwise))
    size = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0  # noqa: PLR2004
    return size if 1 <= size <= most else None


def _wrong_size(most: int) -> Response:
    return problems.respond(422, f"`size` has to be a whole number from 1 to {most:,}.")


def _json(contents: Any) -> Response:
    return Response(
        orjson.dumps(contents, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
