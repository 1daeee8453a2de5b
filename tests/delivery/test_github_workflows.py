"""The workflows in .github/workflows: valid by GitHub's schema, and what they call exists."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from make_targets import ROOT, make_targets, targets_called

FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCHEMAS = ("vendor.github-workflows", "custom.github-workflows-require-timeout")
CHECKER = ROOT / ".tools/bin/check-jsonschema"

needs_checker = pytest.mark.skipif(not CHECKER.exists(), reason="no .tools: make tools")


def read(path: Path) -> dict:
    """Return a workflow; YAML takes its key `on` for true."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow | {"on": workflow.pop(True)}


def steps_of(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def workflow(request) -> dict:
    return read(request.param)


@needs_checker
@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_workflow_is_valid(schema):
    outcome = subprocess.run(
        [CHECKER, "--builtin-schema", schema, *FILES], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout


@needs_checker
def test_a_workflow_with_a_mistake_is_not_valid(tmp_path):
    broken = tmp_path / "checks.yml"
    broken.write_text(FILES[0].read_text().replace("runs-on:", "run-on:"))
    outcome = subprocess.run([CHECKER, "--builtin-schema", SCHEMAS[0], broken], check=False)
    assert outcome.returncode != 0


def test_every_make_target_called_exists(workflow):
    called = [t for step in steps_of(workflow) for t in targets_called(step.get("run", ""))]
    assert called
    assert set(called) <= make_targets()


def test_actions_are_githubs_own_at_a_full_version(workflow):
    used = [step["uses"] for step in steps_of(workflow) if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", action) for action in used), used


def test_nothing_may_write_unless_a_job_says_so(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        writes = {scope for scope, kind in job.get("permissions", {}).items() if kind == "write"}
        runs_code = any("make" in step.get("run", "") for step in job["steps"])
        assert not (writes - {"packages"} and runs_code), name


def test_a_checkout_leaves_no_token_behind(workflow):
    checkouts = [s for s in steps_of(workflow) if s.get("uses", "").startswith("actions/checkout")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_shell_lines_take_what_others_write_from_variables_only(workflow):
    """An expression in a shell line is text that somebody else may have written."""
    assert not [step["run"] for step in steps_of(workflow) if "${{" in step.get("run", "")]


def test_runs_of_one_branch_do_not_pile_up(workflow):
    assert workflow["concurrency"]["group"]


def test_checks_run_for_each_push_and_pull_request():
    on = read(ROOT / ".github/workflows/checks.yml")["on"]
    assert on["push"]["branches"] == ["main"]
    assert "pull_request" in on


def test_training_runs_on_schedule_on_demand_and_tells_its_verdict_in_any_case():
    workflow = read(ROOT / ".github/workflows/training.yml")
    assert {"schedule", "workflow_dispatch", "pull_request"} <= set(workflow["on"])
    steps = workflow["jobs"]["train"]["steps"]
    told = next(step for step in steps if "GITHUB_STEP_SUMMARY" in step.get("run", ""))
    gate = next(step for step in steps if step.get("run") == "make gate")
    assert steps.index(told) > steps.index(gate)
    assert told["if"].startswith("always()")


def test_a_pull_request_never_reaches_the_shared_mlflow():
    job = read(ROOT / ".github/workflows/training.yml")["jobs"]["train"]
    assert job["env"]["MLFLOW_TRACKING_URL"].startswith(
        "${{ github.event_name != 'pull_request' && secrets."
    )
