"""The app: routes, what they share, and how it starts and stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from grocery_demand import __version__
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.serving import api, event_api, problems, views
from grocery_demand.serving.desk import Desk
from grocery_demand.serving.desk_metrics import DeskMetrics
from grocery_demand.serving.events.description import describe_failure
from grocery_demand.serving.events.forwarder import Forwarder
from grocery_demand.serving.events.log import EventLog
from grocery_demand.serving.events.search import QueryError
from grocery_demand.serving.follower import Follower
from grocery_demand.serving.guards import Guards
from grocery_demand.serving.loader import Loader
from grocery_demand.serving.monitoring import SummaryFile
from grocery_demand.serving.served_forecast import client_name
from grocery_demand.serving.settings import ServingSettings
from grocery_demand.serving.side_desk import SideDesk
from grocery_demand.serving.state import AppState, NotReadyError
from grocery_demand.serving.state_metrics import StateCollector
from grocery_demand.storage.event_tables import EventLogError, reason_of

logger = logging.getLogger(__name__)

_ABOUT = """Units that each product will sell in each store on a date, with intervals.
Every forecast served is kept as an event. Errors are problem details (RFC 9457)."""
_TRY_AGAIN = {"Retry-After": "5"}
_UNEXPECTED = "The error is in the app's log."
_ASSETS = Path(__file__).parent / "assets"


def create_app(settings: ServingSettings, project: Path) -> ASGIApp:
    """Return the app; it opens the log of events now and the champion when it starts.

    Args:
        settings: What it is told.
        project: The project's folder.

    Raises:
        EventLogError: If the database of events cannot be opened.
    """
    log = EventLog(settings.events_url, settings.max_event_age_days, settings.max_events)
    forwarder = _make_forwarder(settings, log)
    publications = Path(settings.publication_dir)
    registry = CollectorRegistry()
    state = AppState(
        settings=settings,
        follower=Follower(publications, Loader(publications, settings)),
        log=log,
        desk=_make_desk(settings, log, forwarder is not None, registry),
        forwarder=forwarder,
        metrics=registry,
        summaries=SummaryFile(Path(settings.monitoring_file)),
        project=project,
    )
    app = FastAPI(
        title="Grocery demand",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=_live,
    )
    app.openapi = partial(_describe_api, app)  # type: ignore[method-assign]
    app.state.grocery_demand = state
    app.include_router(api.router)
    app.include_router(event_api.router)
    app.include_router(views.router)
    app.mount("/assets", StaticFiles(directory=_ASSETS), "assets")
    _handle_errors(app)
    registry.register(StateCollector(state))
    routers = (api.router, event_api.router, views.router)
    paths = [route.path for router in routers for route in router.routes]  # type: ignore[attr-defined]

    def note_failure(scope: Scope, status: int) -> None:
        client = client_name(Headers(scope=scope))
        log.note_failure(describe_failure(scope["path"], client, status))

    return Guards(
        _FastLane(app), settings=settings, registry=registry, paths=paths, note_failure=note_failure
    )


class _FastLane:
    """Answers single predictions without FastAPI's layers, which take longer than the forecast.

    FastAPI's own route describes them, and answers whatever is not a plain GET.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == "http"
        if not (is_http and scope["path"] == "/prediction" and scope["method"] == "GET"):
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        try:
            response = await api.predict(Request(scope))
        except (NotReadyError, EventLogError) as error:
            response = problems.respond(503, str(error), headers=_TRY_AGAIN)
        except Exception:
            logger.exception("GET /prediction failed")
            response = problems.respond(500, _UNEXPECTED)
        await response(scope, receive, send)


@contextlib.asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    """Follow the champion and forward events while the app runs."""
    state: AppState = app.state.grocery_demand
    if state.forwarder is not None:
        state.forwarder.start()
    await state.follower.look()
    following = asyncio.create_task(state.follower.follow())
    yield
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    await asyncio.to_thread(_close, state)


def _describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description, made once; what is wrong is told as problem details."""
    if app.openapi_schema is None:
        described = FastAPI.openapi(app)
        wrong = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for methods in described["paths"].values():
            for operation in methods.values():
                for status, response in operation["responses"].items():
                    if int(status) >= HTTPStatus.BAD_REQUEST:
                        response["content"] = wrong
        app.openapi_schema = described
    return app.openapi_schema or {}


def _close(state: AppState) -> None:
    if state.forwarder is not None:
        state.forwarder.close()
    state.log.close()


def _make_desk(
    settings: ServingSettings, log: EventLog, forwards: bool, registry: CollectorRegistry
) -> Desk:
    metrics = DeskMetrics(registry)
    timeout = settings.challenger_timeout_seconds
    beside = SideDesk(log, settings.tag, forwards, timeout, metrics)
    return Desk(log, settings.tag, settings.refusal_tag, forwards, beside, metrics)


def _make_forwarder(settings: ServingSettings, log: EventLog) -> Forwarder | None:
    if not settings.fluentd_host:
        return None
    forwarder = Forwarder(
        log.engine, settings.fluentd_host, settings.fluentd_port, settings.max_events_to_forward
    )
    log.after_write = forwarder.wake
    return forwarder


def _handle_errors(app: FastAPI) -> None:
    """Answer errors by a page to people, by problem details to programs."""

    def answer(
        request: Request,
        status: int,
        title: str,
        detail: str,
        headers: dict[str, str] | None = None,
    ) -> Response:
        if views.wants_page(request):
            return views.render_problem(request, status, title, detail)
        return problems.respond(status, detail, headers=headers)

    @app.exception_handler(NotReadyError)
    @app.exception_handler(EventLogError)
    async def not_ready(request: Request, error: Exception) -> Response:
        return answer(request, 503, "Not ready", str(error), _TRY_AGAIN)

    @app.exception_handler(SQLAlchemyError)
    async def unreadable_log(request: Request, error: Exception) -> Response:
        logger.error("The log of events cannot be read: %s", error)
        told = (
            f"The log of events cannot be read: {reason_of(error)}. If its database is damaged, "
            "stop the app, move the database away, and start the app again: it makes a new one."
        )
        return answer(request, 503, "Not ready", told, _TRY_AGAIN)

    @app.exception_handler(QueryError)
    async def wrong_query(request: Request, error: Exception) -> Response:
        return answer(request, 422, "Not understood", str(error))

    @app.exception_handler(GroceryDemandError)
    async def other(request: Request, error: Exception) -> Response:
        return answer(request, 422, "Not possible", str(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        told = {404: "There is no such page.", 405: "This address does not take that method."}
        detail = told.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        return answer(request, error.status_code, str(error.detail), detail, headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(request, 500, "Something went wrong", _UNEXPECTED)
