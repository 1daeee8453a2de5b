"""Routes to the log of events, for programs."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from grocery_demand.serving import contract, problems
from grocery_demand.serving.answers import WRONG, read_size, respond_json, wrong_size
from grocery_demand.serving.events import search
from grocery_demand.serving.state import AppState, state_of

router = APIRouter()

_SEARCH = contract.parameters("q", "range", "from", "to")
_MOST_EVENTS = 1000
_ROWS_PER_PART = 1000
_MOST_CSV_ROWS = 100_000


@router.get(
    "/api/v1/events",
    response_model=None,
    responses={200: {"model": contract.Events}, **WRONG},
    openapi_extra={"parameters": [*_SEARCH, *contract.parameters("size", "before")]},
    summary="Events, searched",
)
async def list_events(request: Request) -> Response:
    """Return events that match, the newest first."""
    engine = state_of(request).log.engine
    size = read_size(request, 100, _MOST_EVENTS)
    before = request.query_params.get("before", "")
    if size is None:
        return wrong_size(_MOST_EVENTS)
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):  # noqa: PLR2004
        return problems.respond(422, "`before` is not a whole number, as `next_before` gives it.")
    wanted = read_search(request)
    found = await run_in_threadpool(
        search.find_events, engine, wanted, size, int(before) if before else None
    )
    total = await run_in_threadpool(search.count_events, engine, wanted)
    following = found[-1]["seq"] if len(found) == size else None
    return respond_json({"events": found, "total": total, "next_before": following})


@router.get(
    "/api/v1/events.csv",
    response_model=None,
    responses={200: {"content": {"text/csv": {}}}, **WRONG},
    openapi_extra={"parameters": _SEARCH},
    summary="Events, searched, as CSV",
)
async def export_events(request: Request) -> Response:
    """Return up to 100,000 events as CSV, the newest first."""
    rows = _csv_of(state_of(request), read_search(request))
    headers = {"Content-Disposition": 'attachment; filename="events.csv"'}
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)


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
