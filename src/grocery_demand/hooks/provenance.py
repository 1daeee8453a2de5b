"""Where a run comes from: code, versions, command, what was asked for."""

import hashlib
import os
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

UNKNOWN = "unknown"

_LIBRARIES = (
    "lightgbm", "numpy", "pandas", "polars", "pyarrow", "scikit-learn", "scipy", "skops",
)  # fmt: skip
"""Those that results depend on."""

_MAX_CHANGES = 1000
_NOT_DVC_LOCK = (":/", ":(exclude)dvc.lock")
"""Everything in the repository but what DVC writes about the runs themselves."""

_PARTS = (
    "tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces",
    "load_versions", "only_missing_outputs",
)  # fmt: skip
"""What makes `kedro run` run a part of a pipeline, or on other inputs."""


def describe_code(project: Path) -> dict[str, str]:
    """Return tags for the git commit, whether the tree differs from it, and the lock file.

    An image holds no git, but says in two variables what it was built from. Elsewhere outside git,
    and before the first commit, the commit is `unknown`. DVC's lock does not count as a change:
    `dvc repro` writes it between the runs.
    """
    commit = _git(project, "rev-parse", "HEAD") or _built_from("GROCERY_DEMAND_COMMIT")
    changes = _git(project, "status", "--porcelain", "--", *_NOT_DVC_LOCK)
    dirty = _built_from("GROCERY_DEMAND_DIRTY") if changes is None else str(bool(changes)).lower()
    tags = {"git_commit": commit, "git_dirty": dirty, "lock_digest": digest_lock(project)}
    if changes:
        tags["git_changes"] = ", ".join(changes.splitlines())[:_MAX_CHANGES]
    return tags | ({"mlflow.source.git.commit": commit} if commit != UNKNOWN else {})


def describe_libraries() -> str:
    """Return the installed versions that results depend on, as `name==version`."""
    installed = [f"{name}=={version(name)}" for name in _LIBRARIES]
    return " ".join([f"python=={python_version()}", *installed])


def describe_request(run_params: dict[str, Any]) -> dict[str, str]:
    """Return tags for the pipelines that were asked for, and whether the whole of them."""
    names = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
    whole = not any(run_params.get(part) for part in _PARTS)
    return {"pipeline": ",".join(names), "whole_pipeline": str(whole).lower()}


def digest_lock(project: Path) -> str:
    """Return the SHA-256 of requirements.lock; `unknown` without it."""
    lock = project / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else UNKNOWN


def describe_command() -> str:
    """Return the command line of this process as it can be typed again."""
    program = Path(sys.argv[0]).name
    program = "kedro" if program == "__main__.py" else program
    return shlex.join([program, *sys.argv[1:]])


def _built_from(variable: str) -> str:
    return os.environ.get(variable) or UNKNOWN


def _git(project: Path, *arguments: str) -> str | None:
    try:
        command = ["git", *arguments]
        result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
