"""What the API's routes share: answers as JSON, and what may be wrong."""

from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from grocery_demand.serving import contract, problems

WRONG: dict[int | str, dict[str, Any]] = {
    422: {"model": contract.Problem, "description": "A field is missing or not valid."},
    503: {"model": contract.Problem, "description": "No champion, or no event log."},
}
"""Problems that nearly every route may answer with, for the OpenAPI description."""

_MOST_DIGITS = 8


def read_size(request: Request, otherwise: int, most: int) -> int | None:
    """Return the parameter `size`; None if it is no whole number from 1 to `most`."""
    given = request.query_params.get("size", str(otherwise))
    size = int(given) if given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS else 0
    return size if 1 <= size <= most else None


def wrong_size(most: int) -> Response:
    """Return what is wrong with such a `size`."""
    return problems.respond(422, f"`size` has to be a whole number from 1 to {most:,}.")


def respond_json(contents: Any) -> Response:
    """Return contents as JSON."""
    return Response(
        orjson.dumps(contents, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
