"""What is wrong with a request, as problem details (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from grocery_demand.serving.question import FieldProblem

MEDIA_TYPE = "application/problem+json"


def describe(status: int, detail: str, fields: Sequence[FieldProblem] = ()) -> dict[str, Any]:
    """Return a problem as an object: type, title, status, detail, and the fields' errors."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if fields:
        problem["errors"] = [
            {"field": f.field, "message": f.message, "valid": f.valid} for f in fields
        ]
    return problem


def respond(
    status: int,
    detail: str,
    fields: Sequence[FieldProblem] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem as a response."""
    contents = orjson.dumps(describe(status, detail, fields))
    return Response(contents, status, headers, MEDIA_TYPE)


def in_words(fields: Sequence[FieldProblem]) -> str:
    """Return the fields' problems as sentences with what would be valid."""
    return " ".join(f"{f.message} Valid: {f.valid}." for f in fields)
