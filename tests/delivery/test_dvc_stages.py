"""dvc.yaml says what catalog and pipelines say; DVC itself is not needed."""

import shutil
import subprocess
from pathlib import Path

import grimp
import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from grocery_demand.pipeline_registry import register_pipelines

PROJECT = Path(__file__).parents[2]
CONF = PROJECT / "conf"
PARAMETERS = "conf/base/parameters.yml"

IN_PRODUCTION = {"publication", "published_card", "forecast_archive", "challenger", "champion"}
"""What is in production now, or remembered there: no version of data, so no output of a stage."""

STANDS_FOR = {
    "challenger": "challenger_identity",
    "champion": "verdict",
    "incumbent": None,
    "served_challenger": None,
}
"""Versions in the registry, and the file that changes with them. No file of the loop decides who
was champion before, nor which challenger a person has served."""


@pytest.fixture(scope="module")
def described() -> dict:
    return yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def loader() -> OmegaConfigLoader:
    return OmegaConfigLoader(conf_source=str(CONF), base_env="base", default_run_env="base")


@pytest.fixture(scope="module")
def catalog(loader) -> DataCatalog:
    return DataCatalog.from_config(
        {name: entry for name, entry in loader["catalog"].items() if name[0] != "_"}
    )


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    return register_pipelines()


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("grocery_demand")


STAGES = sorted(yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


def path_of(name: str, catalog: DataCatalog) -> str:
    dataset = catalog.get(name)
    return str(getattr(dataset, "_filepath", None) or dataset._folder)


def paths_of(names: set[str], catalog: DataCatalog) -> set[str]:
    return {path_of(name, catalog) for name in names if name in catalog}


def entries(stage: dict, *kinds: str) -> dict[str, dict]:
    """Return paths with their options."""
    listed = [entry for kind in kinds for entry in stage.get(kind, [])]
    plain = {entry: {} for entry in listed if isinstance(entry, str)}
    return plain | {k: v for entry in listed if isinstance(entry, dict) for k, v in entry.items()}


def dependencies(stage: dict, raw_dir: str) -> set[str]:
    return {entry.replace("${raw_dir}", raw_dir) for entry in stage["deps"]}


def is_code(path: str) -> bool:
    return path.startswith("src/") or path == "requirements.lock"


def module_path(name: str) -> str:
    path = "src/" + name.replace(".", "/")
    return path if (PROJECT / path).is_dir() else f"{path}.py"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_pipeline_of_its_name(name, described, pipelines):
    assert described["stages"][name]["cmd"] == f"kedro run --pipeline {name}"
    assert name in pipelines


def test_the_stages_together_are_the_whole_loop(pipelines):
    nodes = {node.name for name in STAGES for node in pipelines[name].nodes}
    assert nodes == {node.name for node in pipelines["__default__"].nodes}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_files_that_its_pipeline_reads(
    name, described, pipelines, catalog, loader
):
    read = {source for source in pipelines[name].inputs() if not source.startswith("params:")}
    files = {STANDS_FOR.get(source, source) for source in read} - {None}
    assert all(name in catalog for name in files)
    found = dependencies(described["stages"][name], loader["globals"]["raw_dir"])
    assert {path for path in found if not is_code(path)} == paths_of(files, catalog)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_makes_the_files_that_its_pipeline_writes(name, described, pipelines, catalog):
    written = pipelines[name].all_outputs() - IN_PRODUCTION
    found = entries(described["stages"][name], "outs", "metrics")
    assert set(found) == paths_of(written, catalog)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_parameters_that_its_pipeline_reads(name, described, pipelines):
    groups = {
        source.removeprefix("params:")
        for source in pipelines[name].inputs()
        if source.startswith("params:")
    }
    found = entries(described["stages"][name], "params")
    assert found == ({PARAMETERS: sorted(groups)} if groups else {})


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_that_its_pipeline_imports(
    name, described, pipelines, catalog, imports
):
    pipeline = pipelines[name]
    modules = {node.func.__module__ for node in pipeline.nodes}
    for dataset in pipeline.datasets():
        if dataset in catalog:
            modules |= {kind.__module__ for kind in type(catalog.get(dataset)).__mro__}
    ours = {module for module in modules if module in imports.modules}
    ours |= {module for each in ours for module in imports.find_upstream_modules(each)}
    ours |= {module.rpartition(".")[0] for module in ours if module.endswith(".nodes")}
    code = {path for path in described["stages"][name]["deps"] if path.startswith("src/")}
    uncovered = {
        path
        for path in map(module_path, ours)
        if not any(path == dep or path.startswith(f"{dep}/") for dep in code)
    }
    assert not uncovered
    assert all((PROJECT / dep).exists() for dep in code)
    unneeded = {dep for dep in code if not any(module_path(m).startswith(dep) for m in ours)}
    assert not unneeded
    assert "requirements.lock" in described["stages"][name]["deps"]


def test_no_stage_deletes_what_it_made_before_it_has_made_it_anew(described):
    options = [
        given
        for stage in described["stages"].values()
        for given in entries(stage, "outs", "metrics").values()
    ]
    assert all(given == {"persist": True} for given in options)


def test_metrics_and_plots_are_made_by_the_training(described, catalog):
    fit = described["stages"]["fit"]
    assert set(entries(fit, "metrics")) == {path_of("metrics", catalog)}
    plotted = {path for plot in described["plots"] for view in plot.values() for path in view["y"]}
    assert plotted == {path for path in entries(fit, "outs") if "/plots/" in path}


def test_git_ignores_what_the_stages_make_and_not_what_dvc_writes(described, tmp_path):
    made = {
        path for stage in described["stages"].values() for path in entries(stage, "outs", "metrics")
    }
    shutil.copy(PROJECT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    told = subprocess.run(
        ["git", "check-ignore", "--stdin"],
        cwd=tmp_path,
        input="\n".join([*made, "dvc.lock", "data/01_raw/own.dvc"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(told.stdout.splitlines()) == made
