"""A repository of the files as they stand, with small sales in it, and clones to work in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from make_targets import ROOT
from project_copies import SMALL_WORLD

_SAMPLE = "data/01_raw/sample"
_AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "ann"), ("EMAIL", "ann@example.com"))
}


def make_repository(folder: Path, *, small: bool = True) -> Path:
    """Commit this project's files, whether committed here or not.

    What is in the folder from an earlier call is taken as it is.

    Args:
        folder: Where the repository is made.
        small: Whether a small world's sales are put in the place of the sample's.
    """
    if (folder / ".git").exists():
        return folder
    listed = git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not (small and name.startswith(_SAMPLE)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if small:
        typed = ["-m", "kedro", "run", "--pipeline", "simulate", "--params", SMALL_WORLD]
        run([sys.executable, *typed], folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "Begin")
    return folder


def clone(repository: Path, folder: Path) -> Path:
    """Clone a repository; its environment is this one, so that nothing has to be installed."""
    git(repository, "clone", "--quiet", str(repository), str(folder))
    return link_environments(folder)


def link_environments(folder: Path) -> Path:
    """Let a clone use the environments of the project that is tested, as if set up there."""
    for name, source in ((".venv", Path(sys.prefix)), (".tools", ROOT / ".tools")):
        (folder / name).mkdir()
        for entry in source.iterdir() if source.is_dir() else ():
            if entry.name != "ready":
                (folder / name / entry.name).symlink_to(entry)
        (folder / name / "ready").touch()
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit all files."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *arguments: str) -> str:
    """Return what git writes."""
    return run(["git", *arguments], folder).stdout


def environment(folder: Path, **others: str) -> dict[str, str]:
    """Return the variables of a command in a clone: its own code, nothing set from outside."""
    ours = ("MLFLOW_", "GROCERY_DEMAND_", "FLUENTD_", "GIT_", "MAKE", "MFLAGS")
    names = ("EVENTS_URL", "TENANT", "KEDRO_ENV", "PUBLICATION_DIR", "MONITORING_FILE", "URL",
             "PORT", "PARAMS", "TESTS", "DEPLOY", "FROM", "TAG")  # fmt: skip
    known = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and name not in names
    }
    return known | _AUTHOR | {"PYTHONPATH": str(folder / "src")} | others


def run(
    command: list[str], folder: Path, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a clone; show what it says if it fails and should not."""
    outcome = subprocess.run(
        command, cwd=folder, env=environment(folder, **variables), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert outcome.returncode == 0 or not check, outcome.stdout + outcome.stderr
    return outcome
