"""The web app as it describes itself: its API, its metrics, its settings, its events."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from reference.docstrings import attributes
from reference.fields import FIELDS
from reference.markdown import code, codes, join, section, table
from reference.project import ROOT


@cache
def _ask() -> tuple[dict[str, Any], str]:
    """Return the OpenAPI description and the metrics of an app that serves nothing yet."""
    from grocery_demand.serving.app import create_app
    from grocery_demand.serving.settings import ServingSettings

    with tempfile.TemporaryDirectory() as folder:
        settings = ServingSettings(
            events_url=f"sqlite:///{folder}/events.db",
            publication_dir=f"{folder}/publication",
            fluentd_host="127.0.0.1",
            fluentd_port=9,
        )
        app = create_app(settings, Path(folder))
        described, metrics = asyncio.run(_get(app, "/openapi.json", "/metrics"))
        return json.loads(described), metrics


async def _get(app: Any, *paths: str) -> list[str]:
    """Return what an app answers, without a server."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return [(await client.get(path)).text for path in paths]


def write_api() -> str:
    """Return a section for each endpoint and one for each shape of requests and answers."""
    endpoints = [
        _write_endpoint(method.upper(), path, operation)
        for path, methods in _ask()[0]["paths"].items()
        for method, operation in methods.items()
    ]
    written = [_write_shape(name, shape) for name, shape in shapes().items()]
    return join([section(2, "Endpoints"), *endpoints, section(2, "Shapes"), *written])


def shapes() -> dict[str, dict[str, Any]]:
    """Return the shapes of bodies and answers by name, and those within them."""
    described = _ask()[0]
    found: dict[str, dict[str, Any]] = {}
    for operation in (each for methods in described["paths"].values() for each in methods.values()):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            found |= _within(content["schema"])
    return found | described["components"]["schemas"]


def _within(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a shape that is described where it is used, and those in its lists, by title."""
    inner = [shape["items"] for shape in schema["properties"].values() if "items" in shape]
    return {each["title"]: each for each in (schema, *inner)}


def _write_endpoint(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (code(p["name"]), p["description"], "required" if p["required"] else "")
        for p in operation.get("parameters", [])
    ]
    body = _shape_of(operation.get("requestBody", {}))
    answers = [
        (code(status), _shape_of(answer), answer["description"].removesuffix("Successful Response"))
        for status, answer in operation["responses"].items()
    ]
    return section(
        3,
        f"{method} {path}",
        f"{operation['summary']}. {operation['description']}",
        f"Body: {body}." if body else "",
        table(("query", "meaning", ""), rows) if rows else "",
        table(("status", "answer", ""), answers),
    )


def _shape_of(contents: dict[str, Any]) -> str:
    """Return the shape of a body, or its media type where it has none."""
    found = []
    for media_type, content in contents.get("content", {}).items():
        schema = content.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2] or schema.get("title", "")
        found.append(_link(name) if name in shapes() else code(media_type))
    return ", ".join(found)


def _link(shape: str) -> str:
    return f"[{shape}](#{shape.lower()})"


def _write_shape(name: str, shape: dict[str, Any]) -> str:
    rows = [
        (code(field), _type_of(each), meaning_of(field, each), _example(each))
        for field, each in shape.get("properties", {}).items()
    ]
    body = table(("field", "type", "meaning", "example"), rows)
    return section(3, name, shape.get("description", ""), body)


def meaning_of(field: str, shape: dict[str, Any]) -> str:
    """Return what a field says that it is, or what fields of its name are."""
    return str(shape.get("description") or FIELDS.get(field, ""))


def _type_of(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return _link(shape["$ref"].rpartition("/")[2])
    if shape.get("title") in shapes() and "properties" in shape:
        return _link(shape["title"])
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(_type_of(each) for each in shape["anyOf"]))
    if "enum" in shape:
        return codes(shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_type_of(shape['items'])}" if shape.get("items") else "list"
    return str(shape.get("type", "any"))


def _example(shape: dict[str, Any]) -> str:
    return code(shape["examples"][0]) if shape.get("examples") else ""


def write_metrics() -> str:
    """Return a table of what Prometheus is given."""
    rows = [
        (code(name), kind, about)
        for name, kind, about in sorted(
            (family.name, family.type, family.documentation)
            for family in text_string_to_metric_families(_ask()[1])
            if not family.name.endswith("_created")
        )
    ]
    return table(("metric", "kind", "meaning"), rows)


def write_settings() -> str:
    """Return a table of the web app's settings with the variables that override them."""
    from grocery_demand.serving.settings import _VARIABLES, FILE, ServingSettings

    written = yaml.safe_load((ROOT / "conf/base" / FILE).read_text(encoding="utf-8"))
    variables = {setting: variable for variable, setting in _VARIABLES.items()}
    told = attributes(ServingSettings)
    rows = []
    for field in fields(ServingSettings):
        default = written.get(field.name, field.default)
        shown = code('""' if default == "" else default)
        variable = code(variables.get(field.name, ""))
        rows.append((code(field.name), variable, shown, told.get(field.name, "")))
    return table(("setting", "variable", "in conf/base", "meaning"), rows)


def write_events() -> str:
    """Return a section for each table of the event log."""
    return join(_write_tables())


def _write_tables() -> Iterator[str]:
    from grocery_demand.storage import event_tables

    for stored in event_tables.metadata.sorted_tables:
        rows = [
            (code(column.name), str(column.type), column.doc or "") for column in stored.columns
        ]
        body = table(("column", "type", "meaning"), rows)
        yield section(2, code(stored.name), stored.comment or "", body)
