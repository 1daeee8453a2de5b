"""Events on their way: app → Fluentd → Elasticsearch → Kibana agree on tags, indices and fields.

The events are those that a real web app sends; what the other programs are told is read from the
files that compose.yml gives them.
"""

import base64
import email
import email.policy
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from fluentd import Receiver
from fluentd_config import Section, parse
from published import make_project, publish_small, serve, wait_for

DATA_VIEW = "grocery-demand-events"
FITTING = {
    bool: {"boolean"},
    int: {"byte", "short", "integer", "long", "float", "double"},
    float: {"float", "double"},
    str: {"keyword", "text", "date"},
    list: {"object"},
    dict: {"object"},
}
"""Kinds of fields that a JSON value may lie in without being changed."""


@pytest.fixture(scope="module")
def sent(tmp_path_factory, long_panel, long_model) -> tuple[set[str], list[dict]]:
    """Tags and records that a web app sent: forecasts near and far, and refusals."""
    project = make_project(tmp_path_factory.mktemp("project"), tenant="user1")
    publish_small(project, long_panel, long_model, 1)
    receiver = Receiver()
    env = {"FLUENTD_HOST": "127.0.0.1", "FLUENTD_PORT": str(receiver.port)}
    first = long_panel.series.iloc[0]
    asked = {"item_nbr": int(first["item_nbr"]), "store_nbr": int(first["store_nbr"])}
    with serve(project, env=env) as app, app.client() as client:
        for days in (3, 40):
            date = str(long_panel.cutoff + days)
            assert client.get("/prediction", params=asked | {"date": date}).status_code == 200
        assert client.get("/prediction", params=asked | {"date": "never"}).status_code == 422
        wait_for(lambda: len(receiver.records) == 3)
    receiver.die()
    return receiver.tags, receiver.records


@pytest.fixture(scope="module")
def config(deploy) -> Section:
    return parse((deploy / "fluentd" / "fluent.conf").read_text())


@pytest.fixture(scope="module")
def output(config) -> dict[str, str]:
    """Parameters of the output to Elasticsearch."""
    return config.route("user1.prediction").parameters


@pytest.fixture(scope="module")
def template(deploy) -> dict:
    return json.loads((deploy / "elasticsearch" / "template.json").read_text())


@pytest.fixture(scope="module")
def fields(template) -> dict[str, dict]:
    return template["template"]["mappings"]["properties"]


@pytest.fixture(scope="module")
def saved_objects(deploy) -> list[dict]:
    lines = (deploy / "kibana" / "saved_objects.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def of_type(saved_objects: list[dict], kind: str) -> list[dict]:
    return [found for found in saved_objects if found["type"] == kind]


def columns_of(lens: dict) -> dict[str, dict]:
    (layer,) = lens["attributes"]["state"]["datasourceStates"]["formBased"]["layers"].values()
    return layer["columns"]


# Fluentd ------------------------------------------------------------------------------------------


def test_fluentd_listens_where_the_app_sends(config, compose):
    (source,) = config.all("source")
    assert source.parameters["@type"] == "forward"
    settings = compose["services"]["app"]["environment"]
    assert source.parameters["port"] == settings["FLUENTD_PORT"]
    assert settings["FLUENTD_HOST"] in compose["services"]


def test_the_apps_tags_go_to_elasticsearch_and_no_others(config, sent):
    tags, _ = sent
    assert tags == {"user1.prediction", "user1.refusal"}
    assert {config.route(tag).parameters["@type"] for tag in tags} == {"elasticsearch"}
    for tag in ("prediction", "user1.other", "fluent.warn", "a.b.prediction"):
        assert config.route(tag).parameters["@type"] == "stdout", tag


def test_what_fluentd_has_taken_outlives_its_end(config, compose):
    (buffer,) = config.route("user1.prediction").all("buffer")
    assert buffer.parameters["@type"] == "file"
    assert buffer.parameters["retry_forever"] == "true"
    mounted = [volume.split(":")[1] for volume in compose["services"]["fluentd"]["volumes"]]
    assert any(buffer.parameters["path"].startswith(f"{place}/") for place in mounted)


def test_fluentd_finds_elasticsearch_by_what_compose_tells_it(output, compose):
    told = compose["services"]["fluentd"]["environment"]
    named = [
        re.fullmatch(r"\"#\{ENV\['(\w+)'\]\}\"", output[name]) for name in ("host", "password")
    ]
    assert {found[1] for found in named} == set(told)
    assert told["ELASTICSEARCH_HOST"] in compose["services"]


def test_an_event_sent_twice_is_one_document(output, sent):
    _, records = sent
    ids = [record[output["id_key"]] for record in records]
    assert len(set(ids)) == len(ids)
    assert output["write_operation"] == "index"


def test_broken_configuration_is_not_read():
    for text in ("<match a>\n", "<match a>\n</source>\n", "port 1\n", "<a>\nx 1\nx 2\n</a>\n"):
        with pytest.raises(ValueError, match=r"line|closed"):
            parse(text)


# Elasticsearch ------------------------------------------------------------------------------------


def test_the_template_the_writer_and_the_data_view_mean_fluentds_indices(
    output, template, deploy, saved_objects
):
    index = f"{output['logstash_prefix']}-2026.11.25"
    writer = json.loads((deploy / "elasticsearch" / "events_writer.json").read_text())
    settings = yaml.safe_load((deploy / "elasticsearch" / "elasticsearch.yml").read_text())
    (view,) = of_type(saved_objects, "index-pattern")
    for patterns in (
        template["index_patterns"],
        writer["indices"][0]["names"],
        settings["action.auto_create_index"].split(",")[:1],
        [view["attributes"]["title"]],
    ):
        (pattern,) = patterns
        assert re.fullmatch(pattern.replace("*", ".*"), index), pattern


def test_every_field_of_an_event_is_mapped_in_a_kind_that_holds_it(fields, sent):
    _, records = sent
    for record in records:
        for name, value in record.items():
            assert name in fields, name
            assert fields[name]["type"] in FITTING[type(value)], (name, value)


def test_every_mapped_field_occurs_in_an_event(fields, sent, output):
    _, records = sent
    occurring = {name for record in records for name in record}
    assert set(fields) == occurring | {"@timestamp", output["tag_key"]}


def test_events_live_as_long_as_in_the_apps_own_log(template, deploy):
    from grocery_demand.serving.settings import ServingSettings

    retention = json.loads((deploy / "elasticsearch" / "retention.json").read_text())
    age = retention["policy"]["phases"]["delete"]["min_age"]
    assert age == f"{ServingSettings().max_event_age_days}d"
    assert template["template"]["settings"]["index.lifecycle.name"] == "grocery-demand"


# Kibana -------------------------------------------------------------------------------------------


def test_the_dashboard_shows_every_chart_and_each_knows_its_data(saved_objects):
    (view,) = of_type(saved_objects, "index-pattern")
    (dashboard,) = of_type(saved_objects, "dashboard")
    charts = {chart["id"]: chart for chart in of_type(saved_objects, "lens")}
    assert view["id"] == DATA_VIEW
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    named = {reference["name"]: reference["id"] for reference in dashboard["references"]}
    shown = [named[f"{panel['panelIndex']}:{panel['panelRefName']}"] for panel in panels]
    assert sorted(shown) == sorted(charts)
    for chart in charts.values():
        (reference,) = chart["references"]
        (layer,) = chart["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
        assert reference["id"] == DATA_VIEW
        assert reference["name"] == f"indexpattern-datasource-layer-{layer}"


def test_panels_do_not_lie_on_each_other(saved_objects):
    (dashboard,) = of_type(saved_objects, "dashboard")
    cells: list[tuple[int, int]] = []
    for panel in json.loads(dashboard["attributes"]["panelsJSON"]):
        grid = panel["gridData"]
        assert grid["x"] + grid["w"] <= 48
        across, down = (
            range(grid["x"], grid["x"] + grid["w"]),
            range(grid["y"], grid["y"] + grid["h"]),
        )
        cells += [(x, y) for x in across for y in down]
    assert len(cells) == len(set(cells))


def test_charts_use_fields_that_events_have_and_elasticsearch_can_count(saved_objects, fields):
    countable = {name for name, kind in fields.items() if kind["type"] not in ("text", "object")}
    for chart in of_type(saved_objects, "lens"):
        columns = columns_of(chart)
        sources = {column.get("sourceField", "___records___") for column in columns.values()}
        assert sources <= countable | {"___records___"}, chart["id"]
        for column in columns.values():
            if column["operationType"] in ("median", "percentile"):
                assert fields[column["sourceField"]]["type"] in ("float", "double")
            assert set(column.get("references", [])) <= set(columns)


def test_queries_use_fields_that_events_have(saved_objects, fields):
    text = " ".join(
        [chart["attributes"]["state"]["query"]["query"] for chart in of_type(saved_objects, "lens")]
        + [
            column["filter"]["query"]
            for chart in of_type(saved_objects, "lens")
            for column in columns_of(chart).values()
            if "filter" in column
        ]
    )
    named = set(re.findall(r"([\w.@]+) :", text))
    assert named == {"tag", "long_range"}
    assert named <= set(fields)


def test_charts_draw_columns_that_they_have(saved_objects):
    for chart in of_type(saved_objects, "lens"):
        drawn = chart["attributes"]["state"]["visualization"]
        layers = drawn.get("layers", [drawn])
        names = {
            name
            for layer in layers
            for name in [
                *layer.get("accessors", []),
                *(column["columnId"] for column in layer.get("columns", [])),
                *(layer[k] for k in ("xAccessor", "splitAccessor", "metricAccessor") if k in layer),
            ]
        }
        assert names
        assert names <= set(columns_of(chart)), chart["id"]


# The one-shot services ----------------------------------------------------------------------------


class Answering(ThreadingHTTPServer):
    """Stands where Elasticsearch and Kibana stand and keeps what it is asked.

    Attributes:
        asked: Method, path, headers and body of each request.
        status: What it answers.
        success: What it says of an import.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, dict, bytes]] = []
        self.status, self.success = 200, True

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()
        told = {"success": self.server.success, "errors": [{"id": "latency"}]}
        self.wfile.write(json.dumps(told).encode())

    do_PUT = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[Answering]:
    with Answering() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def set_up(deploy, compose, service: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a one-shot service's command with the variables that compose gives it."""
    told = compose["services"][service]
    values = {
        name: url if name.endswith("_URL") else f"the-{name.lower()}"
        for name in told["environment"]
    }
    return subprocess.run(
        [sys.executable, deploy / "set_up.py", *told["command"]],
        check=False, capture_output=True, text=True, env=os.environ | values,
    )  # fmt: skip


def test_elasticsearch_gets_users_retention_and_template(
    answering, deploy, compose, template, output
):
    outcome = set_up(deploy, compose, "events-index", answering.url)
    assert outcome.returncode == 0, outcome.stderr
    bodies = {(method, path): json.loads(body) for method, path, _, body in answering.asked}
    assert bodies["PUT", "/_index_template/grocery-demand"] == template
    assert "policy" in bodies["PUT", "/_ilm/policy/grocery-demand"]
    user = bodies["PUT", f"/_security/user/{output['user']}"]
    assert user == {"password": "the-events_writer_password", "roles": ["events_writer"]}
    assert ("PUT", "/_security/role/events_writer") in bodies
    kibana = yaml.safe_load((deploy / "kibana" / "kibana.yml").read_text())
    password = bodies["POST", f"/_security/user/{kibana['elasticsearch.username']}/_password"]
    assert password == {"password": "the-kibana_password"}
    allowed = base64.b64encode(b"elastic:the-elastic_password").decode()
    assert {headers["Authorization"] for *_, headers, _ in answering.asked} == {f"Basic {allowed}"}


def test_kibana_gets_the_saved_objects_as_a_file(answering, deploy, compose):
    outcome = set_up(deploy, compose, "dashboard", answering.url)
    assert outcome.returncode == 0, outcome.stderr
    ((method, path, headers, body),) = answering.asked
    assert (method, path) == ("POST", "/api/saved_objects/_import?overwrite=true")
    assert headers["Kbn-Xsrf"]
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    (part,) = email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts()
    assert part.get_filename() == "saved_objects.ndjson"
    assert part.get_payload(decode=True) == (deploy / "kibana/saved_objects.ndjson").read_bytes()


def test_what_a_service_refuses_is_said_and_fails(answering, deploy, compose):
    answering.status = 401
    outcome = set_up(deploy, compose, "events-index", answering.url)
    assert outcome.returncode == 1
    assert "kibana_system/_password" in outcome.stderr
    assert "401" in outcome.stderr
    assert "the-" not in outcome.stderr
    answering.status, answering.success = 200, False
    outcome = set_up(deploy, compose, "dashboard", answering.url)
    assert outcome.returncode == 1
    assert "latency" in outcome.stderr


def test_a_service_that_is_away_is_named(deploy, compose):
    outcome = set_up(deploy, compose, "dashboard", "http://127.0.0.1:1")
    assert outcome.returncode == 1
    assert "127.0.0.1:1" in outcome.stderr
