"""The reference names everything that there is, each with what it means.

What there is, is asked of the code and the configuration here, not of what writes the reference.
"""

import ast
import json
import re
from functools import cache

import click
import pytest
import yaml
from generated_text import MARKER, fill_in
from reference import WRITERS
from reference.commands import make_variables
from reference.docstrings import attributes
from reference.parameters import comments_of
from sqlalchemy import inspect

from make_targets import ROOT
from pages import find_anchors, read_tables

PAGES = sorted((ROOT / "docs/reference").glob("*.md"))
METRIC_KINDS = {"Counter", "Gauge", "Histogram", "CounterMetricFamily", "GaugeMetricFamily"}


@cache
def page(name: str) -> str:
    """Return a page of the reference as the site shows it."""
    return fill_in((ROOT / f"docs/reference/{name}.md").read_text(encoding="utf-8"))


def rows_of(name: str) -> dict[str, list[str]]:
    return read_tables(page(name))


def without_meaning(names, rows: dict[str, list[str]], column: int = 0) -> set[str]:
    """Return the names that have no row, or nothing in the column of what they mean."""
    return {name for name in names if name not in rows or not rows[name][column].strip()}


def flatten(name: str, value: object) -> list[str]:
    if isinstance(value, dict) and value:
        return [each for key, inner in value.items() for each in flatten(f"{name}.{key}", inner)]
    return [name]


def read_yaml(name: str) -> dict:
    return yaml.safe_load((ROOT / "conf/base" / name).read_text(encoding="utf-8"))


@cache
def trees() -> list[ast.Module]:
    files = sorted((ROOT / "src").rglob("*.py"))
    return [ast.parse(path.read_text(encoding="utf-8")) for path in files]


def calls() -> list[ast.Call]:
    return [n for tree in trees() for n in ast.walk(tree) if isinstance(n, ast.Call)]


def test_every_parameter_has_a_meaning():
    names = [n for group, values in read_yaml("parameters.yml").items() for n in
             flatten(group, values)]  # fmt: skip
    assert "model_settings.lightgbm.num_leaves" in names
    assert without_meaning(names, rows_of("parameters"), column=1) == set()


def test_every_place_that_differs_between_environments_has_a_meaning():
    assert without_meaning(read_yaml("globals.yml"), rows_of("parameters"), column=1) == set()


def test_every_dataset_has_a_description():
    names = [name for name in read_yaml("catalog.yml") if name[0] != "_"]
    assert "panel" in names
    assert without_meaning(names, rows_of("catalog")) == set()


def test_every_dataset_of_a_pattern_says_what_makes_it():
    from grocery_demand.pipeline_registry import register_pipelines

    used = set().union(*(pipeline.datasets() for pipeline in register_pipelines().values()))
    named = {n for n in used if n.endswith("_figure") or n.startswith("monitored_")}
    assert without_meaning(named, rows_of("catalog"), column=1) == set()


def test_every_pipeline_and_every_node_has_a_meaning():
    from grocery_demand.pipeline_registry import register_pipelines

    pipelines = register_pipelines()
    nodes = {node.name for pipeline in pipelines.values() for node in pipeline.nodes}
    assert without_meaning([*pipelines, *nodes], rows_of("pipelines")) == set()


def test_every_command_and_every_option_is_there():
    """That options have a meaning is asked where `--help` is tested."""
    from grocery_demand.cli import cli

    anchors = find_anchors(page("commands"))
    assert {f"kedro-{name}" for name in cli.commands} <= anchors
    every = [option for each in cli.commands.values() for option in each.params]
    options = {option.opts[0] for option in every if isinstance(option, click.Option)}
    assert {name for name in options if name not in page("commands")} == set()


def test_every_make_target_and_variable_is_explained():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)([^#\n]*)", makefile, re.MULTILINE)
    called_by_others = {name for _, needed in rules for name in needed.split()}
    unexplained = without_meaning([f"make {target}" for target, _ in rules], rows_of("make"))
    assert {name.removeprefix("make ") for name in unexplained} <= called_by_others
    assert {"PARAMS", "COMPOSE", "TESTS"} <= make_variables()
    assert without_meaning(make_variables(), rows_of("make")) == set()


def test_every_endpoint_and_every_field_of_the_api_is_explained():
    from reference.web import meaning_of, shapes

    from grocery_demand.serving import api, event_api

    for router in (api.router, event_api.router):
        for route in router.routes:
            method = next(iter(route.methods))
            anchor = re.sub(r"[^\w -]", "", f"{method} {route.path}".lower()).replace(" ", "-")
            assert anchor in find_anchors(page("web-api")), route.path
            assert route.summary, route.path
    fields = {
        f"{name}.{field}": meaning_of(field, told)
        for name, shape in shapes().items()
        for field, told in shape.get("properties", {}).items()
    }
    assert "Forecast.units" in fields
    assert {name for name, meaning in fields.items() if not meaning} == set()


def test_every_page_of_the_web_app_is_named_in_its_guide():
    from grocery_demand.serving import views

    guide = read_tables((ROOT / "docs/web-app.md").read_text(encoding="utf-8"))
    assert without_meaning([route.path for route in views.router.routes], guide) == set()


def test_every_metric_has_a_meaning():
    """Names are the first argument of what makes metrics, wherever that stands in the code."""
    made = [c.args[0] for c in calls() if getattr(c.func, "id", "") in METRIC_KINDS and c.args]
    names = {name.value for name in made if isinstance(name, ast.Constant)}
    names -= {name for name in names if not isinstance(name, str)}
    assert "events_to_forward" in names
    assert without_meaning(names | {"model_version", "model_share"}, rows_of("metrics"), 1) == set()


def test_every_setting_of_the_web_app_has_a_meaning():
    names = {*read_yaml("serving.yml"), "api_key", "insecure", "fluentd_host"}
    assert without_meaning(names, rows_of("settings"), column=2) == set()


def test_every_environment_variable_that_the_code_reads_has_a_meaning():
    from grocery_demand.serving.settings import _VARIABLES

    names = set(_VARIABLES)
    for node in (node for tree in trees() for node in ast.walk(tree)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(re.findall(r"^[A-Z]{2,}(?:_[A-Z]+)+$", node.value)) & read_variables()
    assert {"KEDRO_ENV", "GROCERY_DEMAND_COMMIT", "EVENTS_URL"} <= names
    shown = page("settings")
    assert {name for name in names if f"`{name}`" not in shown} == set()
    assert without_meaning(names - set(_VARIABLES), rows_of("settings"), column=1) == set()


@cache
def read_variables() -> set[str]:
    """Return the names that are given to `os.environ`, or to a function that reads it."""
    readers = {"get", "setdefault", "getenv", "_built_from"}
    found = set()
    for call in calls():
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in readers and call.args and isinstance(call.args[0], ast.Constant):
            found.add(call.args[0].value)
    return found


def test_every_field_of_every_event_has_a_meaning(tmp_path):
    from grocery_demand.storage.event_tables import open_database

    engine = open_database(f"sqlite:///{tmp_path}/events.db")
    stored = inspect(engine)
    columns = {c["name"] for table in stored.get_table_names() for c in stored.get_columns(table)}
    engine.dispose()
    assert {"prediction", "shadow_of", "problem"} <= columns
    assert without_meaning(columns, rows_of("events"), column=1) == set()


def test_every_field_that_fluentd_gets_has_a_meaning():
    from grocery_demand.serving.events.description import _to_outbox
    from grocery_demand.storage.event_tables import PREDICTIONS

    row = {str(column.key): 0 for column in PREDICTIONS.columns}
    row |= {"date": "2017-06-03", "contributions": "[]", "features": "{}"}
    record = json.loads(_to_outbox(row)["record"])
    assert record["dayoff"] is True
    assert without_meaning(record, rows_of("events")) == set()


def test_every_field_of_verdict_and_advice_has_a_meaning():
    from dataclasses import fields

    from grocery_demand.core.gate import Check
    from grocery_demand.core.monitoring.advice import Advice
    from grocery_demand.core.monitoring.check import Check as MonitoringCheck

    for kind in (Check, Advice, MonitoringCheck):
        assert without_meaning([f.name for f in fields(kind)], rows_of("files")) == set()


def test_whatever_can_be_generated_stands_in_one_page():
    used = [name for path in PAGES for name in MARKER.findall(path.read_text(encoding="utf-8"))]
    assert sorted(used) == sorted(WRITERS)


def test_a_marker_of_nothing_is_refused():
    with pytest.raises(KeyError, match=r"by the name lunch; known: parameters, "):
        fill_in("<!-- generated: lunch -->")


def test_comments_are_read_over_several_lines_and_levels():
    text = "a:  # first\n  b: 1  # one,\n        # and more\n  c: 2\n# of the file\nd: 3  # last\n"
    assert comments_of(text) == {"a": "first", "a.b": "one, and more", "d": "last"}


def test_attributes_are_read_over_several_lines():
    class Thing:
        """A thing.

        Attributes:
            name: What it is
                called.
            size: In metres.

        Raises:
            ValueError: Never.
        """

    assert attributes(Thing) == {"name": "What it is called.", "size": "In metres."}
