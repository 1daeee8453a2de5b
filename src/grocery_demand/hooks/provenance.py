"""Where a run comes from: code, locked versions, command."""

import hashlib
import shlex
import subprocess
import sys
from pathlib import Path

UNKNOWN = "unknown"


def describe_code(project: Path) -> dict[str, str]:
    """Return tags for the git commit, whether the tree differs from it, and the lock file.

    Outside git, and before the first commit, the commit is `unknown`.
    """
    commit = _git(project, "rev-parse", "HEAD") or UNKNOWN
    changes = _git(project, "status", "--porcelain")
    dirty = UNKNOWN if changes is None else str(bool(changes)).lower()
    tags = {"git_commit": commit, "git_dirty": dirty, "lock_digest": digest_lock(project)}
    return tags | ({"mlflow.source.git.commit": commit} if commit != UNKNOWN else {})


def digest_lock(project: Path) -> str:
    """Return the SHA-256 of requirements.lock; `unknown` without it."""
    lock = project / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else UNKNOWN


def describe_command() -> str:
    """Return the command line of this process as it can be typed again."""
    program = Path(sys.argv[0]).name
    program = "kedro" if program == "__main__.py" else program
    return shlex.join([program, *sys.argv[1:]])


def _git(project: Path, *arguments: str) -> str | None:
    try:
        command = ["git", *arguments]
        result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
