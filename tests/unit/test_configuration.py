"""What conf/ says fits the pipelines."""

import inspect
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from grocery_demand.pipeline_registry import register_pipelines

CONF = Path(__file__).parents[2] / "conf"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def loader() -> OmegaConfigLoader:
    return OmegaConfigLoader(conf_source=str(CONF), base_env="base", default_run_env="local")


@pytest.fixture(scope="module")
def entries(loader) -> dict[str, dict]:
    return {name: entry for name, entry in loader["catalog"].items() if name[0] != "_"}


PATTERNS = {"{name}_figure", "monitored_{name}"}
"""Entries that stand for many datasets."""

LAYERS = [
    "01 raw", "02 intermediate", "03 primary", "05 backtest", "06 models", "07 model output",
    "08 reporting",
]  # fmt: skip
"""Numbered as Kedro numbers folders: kedro-viz puts what no edge orders into alphabetical order."""


def entry_of(name: str) -> str:
    """Return the entry that a dataset is made by: its own, or the pattern that it matches."""
    ends = [pattern.split("{name}") for pattern in PATTERNS]
    fits = [f"{a}{{name}}{b}" for a, b in ends if name.startswith(a) and name.endswith(b)]
    return fits[0] if fits else name


def layer_of(name: str, entries: dict[str, dict]) -> str | None:
    metadata = entries.get(entry_of(name), {}).get("metadata", {})
    return metadata.get("kedro-viz", {}).get("layer")


def test_every_catalog_entry_is_used_by_a_pipeline_or_loaded_by_a_notebook(entries):
    used = set().union(*(pipeline.datasets() for pipeline in register_pipelines().values()))
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        code = notebook.read_text(encoding="utf-8").replace('\\"', '"')
        used |= set(re.findall(r'catalog\.load\("(\w+)"\)', code))
    assert {entry for entry in entries if "{" in entry} == PATTERNS
    assert set(entries) == {entry_of(name) for name in used} & set(entries)


def test_every_catalog_entry_has_a_layer_in_the_lineage(entries):
    assert all(layer_of(name, entries) for name in entries)


@pytest.mark.parametrize("pipeline_name", register_pipelines())
def test_no_dataset_is_made_from_one_of_a_later_layer(pipeline_name, entries):
    """What is not stored has no layer and counts as the latest of what it is made from."""
    pipeline = register_pipelines()[pipeline_name]
    reached = {name: place_of(name, entries) for name in pipeline.inputs()}
    for node in pipeline.nodes:
        latest = max((reached[name] for name in node.inputs), default=0)
        for name in node.outputs:
            stored = layer_of(name, entries) is not None
            reached[name] = place_of(name, entries) if stored else latest
            assert reached[name] >= latest, f"{node.name} makes {name}"


def place_of(name: str, entries: dict[str, dict]) -> int:
    """Return where a dataset's layer stands in the order; parameters come first."""
    layer = layer_of(name, entries)
    return 0 if layer is None else LAYERS.index(layer)


def test_every_node_has_the_name_and_the_docstring_of_its_function():
    """kedro-viz shows a node's function with its docstring in the side panel."""
    for pipeline in register_pipelines().values():
        for node in pipeline.nodes:
            assert len(inspect.getdoc(node.func).partition("\n")[0]) > 20, node.name
            assert node.short_name == node.func.__name__


def test_phases_group_nodes_and_rename_no_dataset():
    names = {name for pipeline in register_pipelines().values() for name in pipeline.datasets()}
    assert not [name for name in names if "." in name]
    phases = {node.namespace for node in register_pipelines()["__default__"].nodes}
    assert phases == {"preprocessing", "training", "reporting", None}


def test_every_free_input_is_in_the_catalog_or_a_parameter(loader, entries):
    catalog = DataCatalog.from_config(entries)
    for name, pipeline in register_pipelines().items():
        free = {source for source in pipeline.inputs() if not source.startswith("params:")}
        assert all(source in catalog for source in free), name
        groups = {s.removeprefix("params:") for s in pipeline.inputs() if s.startswith("params:")}
        assert groups <= set(loader["parameters"]), name


def test_the_parameters_in_conf_are_the_defaults_of_the_code(loader):
    from grocery_demand.core.backtest import TrainingParameters
    from grocery_demand.core.gate import GateParameters
    from grocery_demand.core.monitoring.parameters import MonitoringParameters
    from grocery_demand.core.quality.parameters import QualityParameters
    from grocery_demand.core.rollout import RolloutParameters
    from grocery_demand.core.simulation.daily_files import DailyFilesParameters
    from grocery_demand.core.simulation.parameters import SimulationParameters
    from grocery_demand.pipelines.forecasting.nodes import ForecastingParameters

    kinds = {
        "training": TrainingParameters,
        "gate": GateParameters,
        "rollout": RolloutParameters,
        "quality": QualityParameters,
        "simulation": SimulationParameters,
        "daily_files": DailyFilesParameters,
        "monitoring": MonitoringParameters,
        "forecasting": ForecastingParameters,
    }
    parameters = loader["parameters"]
    assert set(parameters) == {*kinds, "model_settings"}
    for group, kind in kinds.items():
        values = parameters[group]
        defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
        assert {name: values[name] for name in defaults} == defaults, group
        assert kind(**values)
