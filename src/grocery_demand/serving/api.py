"""Routes for programs."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from grocery_demand.serving import contract, problems
from grocery_demand.serving.answers import WRONG, read_size, respond_json, wrong_size
from grocery_demand.serving.monitoring import NothingMonitoredError, UnreadableSummaryError
from grocery_demand.serving.monitoring_summary import Summary
from grocery_demand.serving.question import FieldProblem, Question
from grocery_demand.serving.state import AppState, client_of, state_of

router = APIRouter()

_QUESTION = contract.parameters("date", "item_nbr", "store_nbr", "onpromotion")
_MOST_PRODUCTS = 10_000


@router.get(
    "/prediction",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "13.4"}}}, **WRONG},
    openapi_extra={"parameters": _QUESTION},
    summary="One forecast: the number of units alone",
)
async def predict(request: Request) -> Response:
    """Answer as the workshop's client expects: units as plain text."""
    state, client = state_of(request), client_of(request)
    served = state.served
    question = served.assortment.ask(request.query_params)
    if not isinstance(question, Question):
        state.desk.refuse(question, "/prediction", client)
        return problems.respond(422, problems.in_words(question), question)
    forecast = await state.desk.answer(served, question, client)
    headers = {"X-Model-Version": str(forecast.model.label.model_version)}
    return Response(str(forecast.units), media_type="text/plain", headers=headers)


@router.post(
    "/api/v1/forecasts",
    response_model=None,
    responses={
        200: {"model": contract.ForecastsAnswer},
        400: {"model": contract.Problem, "description": "The body is not JSON."},
        413: {"model": contract.Problem, "description": "The body is too large."},
        **WRONG,
    },
    openapi_extra={"requestBody": contract.body(contract.ForecastsRequest)},
    summary="Many forecasts: units, quantiles, what moved them",
)
async def forecast_many(request: Request) -> Response:
    """Answer in the order of the requests; one that is wrong does not stop the others."""
    state, client = state_of(request), client_of(request)
    served = state.served
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        return _refuse_body(request, 400, f"The body is not JSON: {error}.")
    wrong = _find_wrong(asked, state.settings.max_batch)
    if wrong is not None:
        return _refuse_body(request, 422, wrong)
    parsed = [served.assortment.ask(fields) for fields in asked["requests"]]
    questions = [question for question in parsed if isinstance(question, Question)]
    forecasts = iter(await state.desk.answer_all(served, questions, client))
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
    return respond_json(told)


@router.get(
    "/api/v1/products",
    response_model=None,
    responses={200: {"model": contract.Products}, **WRONG},
    openapi_extra={"parameters": contract.parameters("q", "size")},
    summary="Products, by number, name or family",
)
async def list_products(request: Request) -> Response:
    """Return products that match, the best first."""
    assortment = state_of(request).served.assortment
    size = read_size(request, 50, _MOST_PRODUCTS)
    if size is None:
        return wrong_size(_MOST_PRODUCTS)
    found = assortment.search(request.query_params.get("q", "")[:100], size)
    listed = [product.as_dict() for product in found]
    return respond_json({"products": listed, "total": len(assortment.products)})


@router.get(
    "/api/v1/stores",
    response_model=None,
    responses={200: {"model": contract.Stores}, 503: WRONG[503]},
    summary="Stores",
)
async def list_stores(request: Request) -> Response:
    """Return all stores."""
    assortment = state_of(request).served.assortment
    stores = assortment.stores[["store_nbr", "city", "state", "type", "cluster"]]
    listed = stores.to_dict(orient="records")
    return respond_json({"stores": listed, "default_store": assortment.default_store})


@router.get(
    "/api/v1/model",
    response_model=None,
    responses={200: {"model": contract.ModelDescription}, 503: WRONG[503]},
    summary="The champion, and who is served beside it",
)
async def describe_model(request: Request) -> Response:
    """Return the champion with its verdict, history, challenger and the other versions."""
    return respond_json(describe_champion(state_of(request)))


@router.get(
    "/api/v1/monitoring",
    response_model=None,
    responses={
        200: {"model": Summary},
        404: {"model": contract.Problem, "description": "Nothing was monitored yet."},
        503: {"model": contract.Problem, "description": "The summary cannot be read."},
    },
    summary="What monitoring found",
)
async def describe_monitoring(request: Request) -> Response:
    """Return the summary that pipeline `monitor` wrote last."""
    try:
        summary = await run_in_threadpool(state_of(request).summaries.read)
    except NothingMonitoredError as error:
        return problems.respond(404, str(error))
    except UnreadableSummaryError as error:
        return problems.respond(503, str(error))
    return Response(summary.model_dump_json(by_alias=True), media_type="application/json")


@router.get("/health/live", response_model=None, summary="Whether the process runs")
async def live() -> Response:
    """Say that it runs."""
    return respond_json({"status": "live"})


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
    pointer = state.served.pointer
    return respond_json(
        {"status": "ready", "model_version": pointer.model_version, "cutoff": pointer.cutoff}
    )


@router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
async def metrics(request: Request) -> Response:
    """Return metrics in Prometheus' text format."""
    contents = generate_latest(state_of(request).metrics)
    return Response(contents, headers={"Content-Type": CONTENT_TYPE_LATEST})


def describe_champion(state: AppState) -> dict[str, Any]:
    """Return the champion as programs and the model page read it."""
    served = state.served
    pointer, assortment, model = served.pointer, served.assortment, served.champion
    return {
        "model_name": pointer.model_name,
        "model_version": pointer.model_version,
        "run_id": pointer.run_id,
        "model": model.model.metadata.get("model", ""),
        "cutoff": pointer.cutoff,
        "horizon": model.horizon,
        "first_date": str(assortment.first_ahead),
        "last_date": str(assortment.last_date),
        "simulated": served.simulated,
        "scores": model.model.metadata.get("metrics", {}),
        "served": served.describe_roles(),
        "verdict": served.verdict,
        "history": pointer.history,
        "rollouts": pointer.rollouts,
        "versions": pointer.versions,
    }


def _refuse_body(request: Request, status: int, detail: str) -> Response:
    """Refuse a body as a whole, and keep that, as one problem; never the body itself."""
    wrong = FieldProblem("body", detail, "")
    state_of(request).desk.refuse([wrong], "/api/v1/forecasts", client_of(request))
    return problems.respond(status, detail)


def _find_wrong(asked: Any, most: int) -> str | None:
    """Say what is wrong with the shape of a body; None if nothing is."""
    if not isinstance(asked, dict) or not isinstance(asked.get("requests"), list):
        return 'The body has to be {"requests": [{"date": …, "item_nbr": …}, …]}.'
    requests = asked["requests"]
    if len(requests) > most:
        return f"{len(requests):,} forecasts are asked for; up to {most:,} go in one body."
    wrong = next((i for i, fields in enumerate(requests) if not isinstance(fields, dict)), None)
    if wrong is not None:
        return f"Entry {wrong} of `requests` is not an object."
    return None
