"""The pipelines in deploy/gocd by the rules of GoCD's YAML plugin, format 10."""

import re

import pytest
import yaml

from clones import git
from gocd import FILES, matches, read_pipelines, stages_of
from grocery_demand.serving.settings import _VARIABLES
from make_targets import ROOT, make_targets

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
GROUP = re.compile(r"[A-Za-z0-9_]+")
KEYS = {
    "file": {"format_version", "pipelines", "environments", "common"},
    "pipeline": {"group", "display_order", "label_template", "lock_behavior", "tracking_tool",
                 "timer", "environment_variables", "secure_variables", "parameters", "materials",
                 "stages", "template"},
    "timer": {"spec", "only_on_changes"},
    "configrepo": {"type", "includes", "ignore", "destination"},
    "dependency": {"type", "pipeline", "stage", "ignore_for_scheduling"},
    "stage": {"fetch_materials", "keep_artifacts", "clean_workspace", "approval",
              "environment_variables", "secure_variables", "jobs"},
    "job": {"timeout", "run_instances", "environment_variables", "secure_variables", "tabs",
            "resources", "elastic_profile_id", "artifacts", "tasks"},
    "exec": {"run_if", "on_cancel", "working_directory", "command", "arguments"},
    "fetch": {"run_if", "on_cancel", "artifact_origin", "pipeline", "stage", "job", "is_file",
              "source", "destination"},
    "build": {"source", "destination"},
}  # fmt: skip
"""What each part may hold; from the plugin's format reference."""

IN_THE_MAKEFILE = {"MLFLOW_TRACKING_URL", "PARAMS", "TESTS", "URL", "DEPLOY"}
OF_THE_WORKSHOP = {"MLFLOW_TRACKING_URL", "TENANT", "FLUENTD_HOST", "FLUENTD_PORT"}

PIPELINES = read_pipelines()


def jobs() -> list[tuple[str, str, str, dict]]:
    return [
        (pipeline, stage, job, definition)
        for pipeline, contents in PIPELINES.items()
        for stage, stage_contents in stages_of(contents).items()
        for job, definition in stage_contents["jobs"].items()
    ]


def tasks(kind: str) -> list[tuple[str, str, dict]]:
    return [
        (pipeline, stage, task[kind])
        for pipeline, stage, _, definition in jobs()
        for task in definition["tasks"]
        if kind in task
    ]


def assert_holds_only(part: dict, kind: str) -> None:
    assert set(part) <= KEYS[kind], f"{kind}: {set(part) - KEYS[kind]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_states_its_format(path):
    contents = yaml.safe_load(path.read_text())
    assert_holds_only(contents, "file")
    assert contents["format_version"] == 10


def test_the_two_pipelines_of_the_workshop_are_there():
    assert set(PIPELINES) == {"ml-pipeline", "app-pipeline"}


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_a_pipeline_is_made_of_what_the_plugin_knows(pipeline):
    assert_holds_only(pipeline, "pipeline")
    assert_holds_only(pipeline.get("timer", {}), "timer")
    assert GROUP.fullmatch(pipeline["group"])
    assert pipeline["lock_behavior"] in {"none", "lockOnFailure", "unlockWhenFinished"}
    for name, material in pipeline["materials"].items():
        assert GROUP.fullmatch(name)
        kind = "configrepo" if material.get("type") == "configrepo" else "dependency"
        assert_holds_only(material, kind)
        assert not {"includes", "ignore"} <= set(material)
    named = set(re.findall(r"\$\{(\w+)(?:\[:\d+\])?\}", pipeline["label_template"]))
    assert named <= {"COUNT", *pipeline["materials"]}
    for entry in pipeline["stages"]:
        assert len(entry) == 1


def test_stages_jobs_and_tasks_are_made_of_what_the_plugin_knows():
    for pipeline, contents in PIPELINES.items():
        for name, stage in stages_of(contents).items():
            assert NAME.fullmatch(name), pipeline
            assert_holds_only(stage, "stage")
            assert stage.get("approval", "success") in {"success", "manual"}
            assert stage["jobs"]
    for _, _, name, job in jobs():
        assert NAME.fullmatch(name)
        assert_holds_only(job, "job")
        assert job["tasks"]
        for task in job["tasks"]:
            (kind,) = task
            assert_holds_only(task[kind], kind)
        for artifact in job.get("artifacts", []):
            assert set(artifact) == {"build"}
            assert_holds_only(artifact["build"], "build")


def test_values_of_variables_are_texts_or_numbers():
    for pipeline in PIPELINES.values():
        values = pipeline["environment_variables"].values()
        assert all(isinstance(value, str | int) and value is not True for value in values)


def test_every_task_is_a_make_target_that_exists():
    for pipeline, stage, task in tasks("exec"):
        assert task["command"] == "make", (pipeline, stage)
        target, *variables = task["arguments"]
        assert target in make_targets()
        makefile = (ROOT / "Makefile").read_text()
        assert all(f"$({variable.partition('=')[0]})" in makefile for variable in variables)


def test_what_is_fetched_was_kept_before():
    for pipeline, stage, task in tasks("fetch"):
        source = task.get("pipeline", pipeline)
        if source == pipeline:
            order = list(stages_of(PIPELINES[pipeline]))
            assert order.index(task["stage"]) < order.index(stage)
        else:
            upstream = [m for m in PIPELINES[pipeline]["materials"].values() if "pipeline" in m]
            assert source in {material["pipeline"] for material in upstream}
        job = stages_of(PIPELINES[source])[task["stage"]]["jobs"][task["job"]]
        kept = {
            "/".join(filter(None, [a["build"].get("destination"), _last(a["build"]["source"])]))
            for a in job["artifacts"]
        }
        assert task["source"] in kept


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def test_tabs_show_files_that_are_kept():
    for _, _, _, job in jobs():
        kept = {
            f"{a['build'].get('destination', '')}/{_last(a['build']['source'])}"
            for a in job.get("artifacts", [])
        }
        assert set(job.get("tabs", {}).values()) <= kept


def test_the_app_is_deployed_after_a_commit_and_after_a_new_champion():
    materials = PIPELINES["app-pipeline"]["materials"].values()
    assert {"type": "configrepo"} in materials
    (champion,) = [material for material in materials if "pipeline" in material]
    assert champion["stage"] in stages_of(PIPELINES[champion["pipeline"]])
    assert not champion.get("ignore_for_scheduling")


def test_training_begins_with_what_changes_a_model_only():
    includes = PIPELINES["ml-pipeline"]["materials"]["code"]["includes"]
    tracked = git(ROOT, "ls-files").splitlines()
    assert all(any(matches(path, [pattern]) for path in tracked) for pattern in includes)
    assert matches("src/grocery_demand/core/training.py", includes)
    assert matches("conf/base/parameters.yml", includes)
    assert not matches("docs/delivery.md", includes)


def test_a_rollback_waits_for_a_person_and_comes_last():
    stages = stages_of(PIPELINES["app-pipeline"])
    assert [name for name, stage in stages.items() if stage.get("approval") == "manual"] == [
        "rollback"
    ]
    assert list(stages)[-1] == "rollback"


def test_variables_are_those_of_the_workshop_and_of_the_makefile():
    given = {name for p in PIPELINES.values() for name in p["environment_variables"]}
    assert given >= OF_THE_WORKSHOP
    assert given - IN_THE_MAKEFILE <= set(_VARIABLES)
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"$({name})" in makefile for name in given & IN_THE_MAKEFILE)
