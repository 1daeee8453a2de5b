"""Routes for people: pages made on the server, with forms that need no script."""

import datetime as dt
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from grocery_demand.serving import monitoring_page, plots, wording
from grocery_demand.serving.api import describe_champion
from grocery_demand.serving.event_api import read_search
from grocery_demand.serving.events import search
from grocery_demand.serving.question import FieldProblem, Question
from grocery_demand.serving.served_model import ServedModel
from grocery_demand.serving.state import AppState, client_of, state_of
from grocery_demand.storage.event_tables import iso_time
from grocery_demand.storage.publication import read_card

logger = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "pages"
_PAGES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(), auto_reload=False,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_PAGES.filters["coded"] = wording.code_in_words
_WEEKS_DRAWN = 8
_EVENTS_SHOWN = 50
_ASKED = ("date", "item_nbr", "store_nbr", "onpromotion")


@router.get("/")
async def show_forecast(request: Request) -> Response:
    """Show the buyer's form and, once it is filled in, the forecast."""
    state, client = state_of(request), client_of(request)
    served = state.served
    assortment = served.assortment
    given = {name: request.query_params.get(name, "").strip() for name in _ASKED}
    page: dict[str, Any] = {
        "goods": assortment,
        "given": given | {"onpromotion": given["onpromotion"]},
    }
    if not (given["date"] or given["item_nbr"]):
        given["date"] = str(assortment.first_ahead)
        return _render(request, "forecast.html", page)
    meant = given | {"item_nbr": assortment.named(given["item_nbr"])}
    question = assortment.ask(meant, past=True)
    if not isinstance(question, Question):
        state.desk.refuse(question, "/", client)
        page["problems"] = {problem.field: problem for problem in question}
        return _render(request, "forecast.html", page, 422)
    page["question"] = question
    model = served.champion
    if question.step <= 0:
        page["sold"] = _describe_past(model, question)
    else:
        forecast = await state.desk.answer(served, question, client)
        model = forecast.model
        page["forecast"] = forecast
        page["effects"] = wording.effects_in_words(forecast)
    page["model"] = model
    page["plot"] = await run_in_threadpool(draw_curve, model, served.champion, question)
    return _render(request, "forecast.html", page)


@router.get("/model")
async def show_model(request: Request) -> Response:
    """Show the champion: card, verdict, history, other versions."""
    state = state_of(request)
    described = describe_champion(state)
    folder = Path(state.settings.publication_dir)
    card = await run_in_threadpool(read_card, folder, described["model_version"])
    return _render(request, "model.html", {"champion": described, "card": render_card(card or "")})


@router.get("/events")
async def show_events(request: Request) -> Response:
    """Show the log of predictions: histogram, search, rows."""
    engine = state_of(request).log.engine
    given = {name: request.query_params.get(name, "") for name in ("q", "range", "from", "to")}
    given["range"] = given["range"] or "all"
    page: dict[str, Any] = {"given": given, "ranges": search.RANGES, "fields": search.FIELDS}
    before = request.query_params.get("before", "")
    try:
        wanted = read_search(request)
    except search.QueryError as error:
        return _render(request, "events.html", page | {"problem_in_query": str(error)}, 422)
    position = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004
    found = await run_in_threadpool(search.find_events, engine, wanted, _EVENTS_SHOWN, position)
    total = await run_in_threadpool(search.count_events, engine, wanted)
    width, counts = await run_in_threadpool(search.count_over_time, engine, wanted)
    labels = [iso_time(start)[:16].replace("T", " ") for start, _ in counts]
    query = {name: value for name, value in given.items() if value}
    page |= {
        "events": found,
        "total": total,
        "histogram": plots.draw_histogram(width, counts, labels),
        "csv": "/api/v1/events.csv?" + urlencode(query),
        "older": "/events?" + urlencode(query | {"before": found[-1]["seq"]}) if found else "",
        "has_older": len(found) == _EVENTS_SHOWN,
    }
    return _render(request, "events.html", page)


@router.get("/monitoring")
async def show_monitoring(request: Request) -> Response:
    """Show what monitoring found: the advice first, then checks, plots and tables."""
    state = state_of(request)
    served = state.follower.served
    pointer = served.pointer if served else None
    page = await run_in_threadpool(monitoring_page.read, state.summaries, pointer)
    return _render(request, "monitoring.html", page)


@router.get("/docs")
async def show_docs(request: Request) -> Response:
    """Show the API's description."""
    return _render(request, "docs.html", {"api": request.app.openapi()})


def render_card(markdown: str) -> str:
    """Return Markdown as HTML without raw HTML and without inline styles, which are not let in."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(markdown)
    for token in tokens:
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrs["class"] = "number-cell"
    return str(reader.renderer.render(tokens, reader.options, {}))


def render_problem(
    request: Request, status: int, title: str, detail: str, fields: list[FieldProblem] | None = None
) -> Response:
    """Return a page that says what is wrong."""
    page = {"title": title, "detail": detail, "fields": fields or []}
    return _render(request, "problem.html", page, status)


def wants_page(request: Request) -> bool:
    """Return whether a person's browser asks, not a program."""
    is_api = request.url.path.startswith(("/api/", "/prediction", "/health/", "/metrics"))
    return not is_api and "text/html" in request.headers.get("accept", "")


def _render(request: Request, name: str, page: dict[str, Any], status: int = 200) -> Response:
    state: AppState = state_of(request)
    shared = {
        "path": request.url.path,
        "served": state.follower.served,
        "trouble": state.problem,
        "units": wording.units_in_words,
        "interval": wording.interval_in_words,
        "day": wording.day_in_words,
        "effect": wording.effect_in_words,
    }
    text = _PAGES.get_template(name).render(shared | page)
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def _describe_past(model: ServedModel, question: Question) -> dict[str, Any]:
    """Return what was sold on a day whose sales are known."""
    day = model.panel.n_days - 1 + question.step
    store = int(model.panel.store_position[question.row])
    return {
        "units": model.units_sold(question.row, day),
        "was_open": bool(model.panel.open_days[store, day]),
        "started": bool(model.panel.series["first_sale"].iloc[question.row] <= day),
        "onpromotion": bool(model.panel.promotions[question.row, day]),
    }


def draw_curve(model: ServedModel, champion: ServedModel, question: Question) -> str:
    """Draw what was sold and is forecast, by the model that answered; a canary may fail at it."""
    try:
        return _draw(model, question)
    except Exception:
        if model is champion:
            raise
        logger.exception("The canary's curve cannot be drawn; the champion's is shown")
        return _draw(champion, question)


def _draw(model: ServedModel, question: Question) -> str:
    """Draw the weeks before the cutoff (or around a past day), and the days ahead."""
    last = model.panel.n_days - 1
    asked = last + question.step
    first = max(min(last + 1 - 7 * _WEEKS_DRAWN, asked - 14), 0)
    n_ahead = max(model.horizon, question.step)
    steps = np.arange(1, n_ahead + 1)
    what_if = np.full(n_ahead, -1, np.int8)
    if question.step >= 1:
        what_if[question.step - 1] = question.what_if
    units = model.answer(np.full(n_ahead, question.row), steps, what_if).units
    point, *_, low, high = units.T.tolist()
    product = question.product.name or f"product {question.product.item_nbr}"
    return plots.draw_series(
        plots.SeriesPlot(
            first_date=_date(model, first),
            sold=model.panel.units[question.row, first : last + 1].tolist(),
            promoted=(model.panel.promotions[question.row, first : last + 1] > 0).tolist(),
            forecast=point,
            low=low,
            high=high,
            chosen=_date(model, asked),
            title=f"Units of {product} in store {question.store_nbr}: sold and forecast by day",
        )
    )


def _date(model: ServedModel, day: int) -> dt.date:
    start: dt.date = model.panel.start_date.astype(dt.date)
    return start + dt.timedelta(day)
