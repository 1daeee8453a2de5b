"""The fields of the files that a run leaves for people and programs."""

from pydantic import BaseModel

from reference.docstrings import attributes, first_sentence
from reference.markdown import code, join, section, table


def write_verdict() -> str:
    """Return the fields of a check in `verdict.json`."""
    from grocery_demand.core.gate import Check

    return _write_class("checks", Check)


def write_advice() -> str:
    """Return the fields of `retraining_advice.json` and of the checks behind it."""
    from grocery_demand.core.monitoring.advice import Advice
    from grocery_demand.core.monitoring.check import Check

    return join([_write_class("retraining_advice.json", Advice), _write_class("checks", Check)])


def write_summary() -> str:
    """Return the fields of monitoring's `summary.json`, at the top level."""
    from grocery_demand.serving.monitoring_summary import Summary

    rows = [(code(name), _about(field)) for name, field in Summary.model_fields.items()]
    return table(("field", "meaning"), rows)


def _about(field: object) -> str:
    """Return a field's description, or what its shape says of itself."""
    described = getattr(field, "description", None)
    if described:
        return str(described)
    inner = [k for k in _kinds_in(getattr(field, "annotation", None)) if issubclass(k, BaseModel)]
    return first_sentence(inner[0]) if inner else ""


def _kinds_in(annotation: object) -> list[type]:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return [annotation]
    found: list[type] = []
    for each in getattr(annotation, "__args__", ()):
        found += _kinds_in(each)
    return found


def _write_class(title: str, kind: type) -> str:
    rows = [(code(name), meaning) for name, meaning in attributes(kind).items()]
    return section(3, code(title), first_sentence(kind), table(("field", "meaning"), rows))
