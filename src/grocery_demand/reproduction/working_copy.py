"""The code of a run, checked out beside the project: a git worktree."""

import shutil
import subprocess
from pathlib import Path

from grocery_demand.reproduction.recorded_run import ReproductionError


def check_out(project: Path, commit: str, folder: Path) -> Path:
    """Check a commit out into a folder; return where the project lies in it.

    A worktree that stands there from before is replaced.

    Raises:
        ReproductionError: If there is no git or no such commit, or the folder holds other files.
    """
    if shutil.which("git") is None:
        raise ReproductionError("git is not installed; it brings the code of the run back.")
    if _git(project, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        raise ReproductionError(
            f"The run's commit {commit} is not in the git repository of {project}. If it lies in "
            "another clone or on a server: git fetch"
        )
    _clear(project, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    added = _call(project, "worktree", "add", "--detach", str(folder), commit)
    if added.returncode:
        told = added.stderr.strip()
        raise ReproductionError(f"git could not check {commit} out into {folder}: {told}")
    return folder / (_git(project, "rev-parse", "--show-prefix") or "")


def _clear(project: Path, folder: Path) -> None:
    _git(project, "worktree", "prune")
    listed = _git(project, "worktree", "list", "--porcelain") or ""
    if f"worktree {folder.resolve()}" in listed.splitlines():
        _git(project, "worktree", "remove", "--force", str(folder))
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists() and any(folder.iterdir()):
        raise ReproductionError(
            f"{folder} holds other files than a run that was made again, and is left as it is; "
            "name another folder with --folder."
        )


def _git(project: Path, *arguments: str) -> str | None:
    """Return what git says; None if it fails."""
    told = _call(project, *arguments)
    return None if told.returncode else told.stdout.strip()


def _call(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
