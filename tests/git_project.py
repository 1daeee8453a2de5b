"""A copy of the project as a git repository, with a small world, on which commands are typed."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from project_copies import SMALL_WORLD, copy_without_data

PROJECT = Path(__file__).parents[1]
TRACKED = ("Makefile", ".gitignore", "dvc.yaml", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
"""What git and DVC read, beside code and configuration."""

SMALL_MODEL = {
    "training.max_training_rows": 20000,
    "training.max_long_range_rows": 5000,
    "training.backtest_folds": 2,
    "training.backtest_fits": 1,
    "model_settings.lightgbm.n_estimators": 12,
    "gate.max_nwrmsle": 0.95,
}
"""Parameters with which the small world is learnt within seconds, and passes the gate."""

Outcome = subprocess.CompletedProcess[str]


class GitProject:
    """A git repository of the project, or a clone of one.

    Args:
        folder: Where it lies.
        environment: Variables that its commands are given beside the usual ones.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = dict(environment or {})

    def type(self, *command: str) -> Outcome:
        """Type a command; the outcome has stdout, stderr and returncode."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, *command: str) -> str:
        """Type a command that has to succeed; return what it says."""
        done = self.type(*command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def git(self, *arguments: str) -> str:
        return self.must("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.must("dvc", *arguments)

    def commit(self, message: str) -> str:
        """Commit everything; return the number of the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def set_yaml(self, name: str, values: Mapping[str, Any]) -> None:
        """Change values in a file of conf/base, each named by its path, `group.name`."""
        path = self.folder / "conf" / "base" / name
        contents = yaml.safe_load(path.read_text(encoding="utf-8"))
        for where, value in values.items():
            *groups, last = where.split(".")
            part = contents
            for group in groups:
                part = part[group]
            part[last] = value
        path.write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")

    def clone(self, folder: Path) -> "GitProject":
        self.git("clone", "--quiet", str(self.folder), str(folder))
        other = GitProject(folder, self.environment)
        other.link_environments()
        return other

    def link_environments(self) -> None:
        """Use the environments of the project that is tested."""
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / ".tools").symlink_to(PROJECT / ".tools")

    def _variables(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "MLFLOW_TRACKING", "AWS_", "DVC_", "MAKE"))
        }
        person = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
        }
        places = [str(Path(sys.executable).parent), str(PROJECT / ".tools" / "bin")]
        path = os.pathsep.join([*places, os.environ["PATH"]])
        source = {"PYTHONPATH": str(self.folder / "src")}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        return kept | person | alone | source | {"PATH": path} | self.environment


def make_git_project(folder: Path, raw_dir: str = "data/01_raw/sample") -> GitProject:
    """Copy the project, simulate the small world into its raw folder; nothing is committed."""
    project = GitProject(copy_without_data(folder, *TRACKED))
    project.link_environments()
    project.set_yaml("globals.yml", {"raw_dir": raw_dir, "simulated_dir": raw_dir})
    project.set_yaml("parameters.yml", SMALL_MODEL)
    project.git("init", "--quiet")
    project.must("kedro", "run", "--pipeline", "simulate", "--params", SMALL_WORLD)
    return project
