"""What the log says while a pipeline runs."""

import logging
import re

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node

from grocery_demand.hooks import ProgressHook
from runs import run_with_hook

LOGGER = "grocery_demand.hooks.progress"


def begin() -> int:
    return 1


def add(number: int, other: int) -> int:
    return number + other


def fail(number: int) -> int:
    raise ValueError(f"no way on from {number}")


MADE = node(begin, None, "one", name="begin")
SUM = node(add, ["one", "params:other"], "sum", name="add")
FAILURE = node(fail, "sum", "end", name="fail")


@pytest.fixture
def run(caplog):
    """Run nodes; return what the hook logged, with every time of n seconds as `#`."""

    def run(hook, *nodes) -> list[str]:
        caplog.clear()
        catalog = DataCatalog({"params:other": MemoryDataset(2)})
        with caplog.at_level(logging.INFO, LOGGER):
            try:
                run_with_hook(hook, Pipeline(nodes), catalog)
            except ValueError:
                caplog.records.append(logging.makeLogRecord({"name": LOGGER, "msg": "raised"}))
        told = [record.getMessage() for record in caplog.records if record.name == LOGGER]
        return [re.sub(r"\d+\.\d s", "#", line) for line in told]

    return run


def test_each_node_is_counted_timed_and_followed_by_the_next(run):
    assert run(ProgressHook(), MADE, SUM) == [
        "2 nodes, first: begin",
        "1/2 begin: #, next: add",
        "2/2 add: #",
    ]


def test_a_node_that_fails_is_named(run):
    assert run(ProgressHook(), MADE, SUM, FAILURE) == [
        "3 nodes, first: begin",
        "1/3 begin: #, next: add",
        "2/3 add: #, next: fail",
        "3/3 fail: #, failed",
        "raised",
    ]


def test_a_second_run_counts_anew(run):
    hook = ProgressHook()
    run(hook, MADE, SUM)
    assert run(hook, MADE) == ["1 nodes, first: begin", "1/1 begin: #"]


def test_counts_of_two_digits_stand_in_line(run):
    names = [f"node_{i:02}" for i in range(11)]
    told = run(ProgressHook(), *(node(begin, None, name, name=name) for name in names))
    assert told[1] == " 1/11 node_00: #, next: node_01"
    assert told[-1] == "11/11 node_10: #"


def test_a_run_without_nodes_says_nothing(run):
    assert run(ProgressHook()) == []


def test_a_node_of_a_phase_goes_by_the_name_of_its_function(run):
    phase = Pipeline([MADE], namespace="phase", prefix_datasets_with_namespace=False)
    assert run(ProgressHook(), *phase.nodes) == ["1 nodes, first: begin", "1/1 begin: #"]
