"""GoCD's pipelines as the YAML plugin reads them, and an agent that runs their stages."""

import fnmatch
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from clones import clone, run
from make_targets import ROOT

FILES = sorted((ROOT / "deploy/gocd").glob("*.gocd.yaml"))


def read_pipelines() -> dict[str, dict]:
    """Return all pipelines by name."""
    pipelines: dict[str, dict] = {}
    for path in FILES:
        pipelines |= yaml.safe_load(path.read_text(encoding="utf-8"))["pipelines"]
    return pipelines


def stages_of(pipeline: dict) -> dict[str, dict]:
    """Return the stages by name, in their order."""
    return {name: stage for entry in pipeline["stages"] for name, stage in entry.items()}


@dataclass
class Agent:
    """Runs pipelines as a GoCD server and its agents do: materials, tasks, artifacts.

    Attributes:
        repository: Where the materials come from.
        folder: Where workspaces and artifacts are kept.
        variables: What the environment of the agent sets; it wins over the pipelines' values.
        results: Whether each stage that ran has passed, by (pipeline, stage).
        said: What each stage has written.
    """

    repository: Path
    folder: Path
    variables: dict[str, str]
    results: dict[tuple[str, str], bool] = field(default_factory=dict)
    said: dict[tuple[str, str], str] = field(default_factory=dict)

    def run_pipeline(
        self, name: str, *, first: str = "", anywhere: bool = False, **variables: str
    ) -> bool:
        """Run the stages in order until one fails or waits for a person; return whether all passed.

        Args:
            name: The pipeline.
            first: Stage to begin with, as by "rerun stage".
            anywhere: Whether each stage runs in a new clone, as on another agent.
            variables: Given by "trigger with options".
        """
        stages = stages_of(read_pipelines()[name])
        for stage in stages:
            self.results.pop((name, stage), None)
        names = list(stages)
        for stage in names[names.index(first) if first else 0 :]:
            if stages[stage].get("approval") == "manual":
                break
            if not self.run_stage(name, stage, anywhere=anywhere, **variables):
                return False
        return True

    def run_stage(self, name: str, stage: str, *, anywhere: bool = False, **variables: str) -> bool:
        """Run one stage, as a person does by hand, too; return whether it passed."""
        pipeline = read_pipelines()[name]
        values = {k: str(v) for k, v in pipeline.get("environment_variables", {}).items()}
        values |= self.variables | variables
        place = self._workspace(f"{name}-{stage}" if anywhere else name)
        passed = all(
            self._run_job(name, stage, job, definition, place, values)
            for job, definition in stages_of(pipeline)[stage]["jobs"].items()
        )
        self.results[name, stage] = passed
        return passed

    def _workspace(self, name: str) -> Path:
        """Return a clone of the material, at its newest revision."""
        place = self.folder / "agent" / name
        if not place.exists():
            return clone(self.repository, place)
        run(["git", "pull", "--quiet", "--ff-only"], place)
        return place

    def _run_job(
        self, name: str, stage: str, job: str, definition: dict, place: Path, values: dict
    ) -> bool:
        self.said[name, stage] = self.said.get((name, stage), "")
        for task in definition["tasks"]:
            (kind,) = task
            if kind == "fetch":
                self._fetch(name, task["fetch"], place)
                continue
            command = [task["exec"]["command"], *task["exec"]["arguments"]]
            outcome = run(command, place, check=False, **values)
            self.said[name, stage] += outcome.stdout + outcome.stderr
            if outcome.returncode:
                return False
        for artifact in definition.get("artifacts", []):
            self._keep(name, stage, job, artifact["build"], place)
        return True

    def _fetch(self, name: str, task: dict, place: Path) -> None:
        upstream = task.get("pipeline", name)
        kept = self.folder / "server" / upstream / task["stage"] / task["job"] / task["source"]
        target = place / task["destination"] / kept.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if task.get("is_file"):
            shutil.copy(kept, target)
        else:
            shutil.copytree(kept, target, dirs_exist_ok=True)

    def _keep(self, name: str, stage: str, job: str, artifact: dict, place: Path) -> None:
        source = place / artifact["source"]
        target = self.folder / "server" / name / stage / job
        target = target / artifact.get("destination", "") / source.name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def matches(path: str, patterns: list[str]) -> bool:
    """Return whether GoCD takes a changed file for one of the patterns; `**/` may be nothing."""
    return any(
        fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern.replace("**/", ""))
        for pattern in patterns
    )
