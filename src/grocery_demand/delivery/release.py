"""From a clean commit to a running app with the newest accepted model, in one go."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.delivery import web_app
from grocery_demand.delivery.smoke import SmokeTested, SmokeTestError, smoke_test
from grocery_demand.hooks.provenance import describe_code
from grocery_demand.serving.settings import ServingSettings, default_env, load_settings
from grocery_demand.storage.publication import PublicationError, read_pointer

CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "none": (),
    "quick": (("make", "check"), ("make", "test", "TESTS=tests/unit")),
    "all": (("make", "check"), ("make", "test")),
}
"""What is run before anything is released, by name."""

_CHANGES_SHOWN = 10


class ReleaseError(GroceryDemandError):
    """A release was stopped, or undone."""


@dataclass(frozen=True)
class Plan:
    """What a release is told.

    Attributes:
        checks: One of `CHECKS`.
        train: Whether a challenger is trained; otherwise the standing champion is released.
        parameters: Of the training, as `kedro run --params` takes them.
        allow_dirty: Whether changes that are not committed may be released.
        env: Folder of conf/.
        port: Port to listen on; None for that of the settings.
    """

    checks: str = "quick"
    train: bool = True
    parameters: str = ""
    allow_dirty: bool = False
    env: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class Released:
    """What a release ended with.

    Attributes:
        commit: Of the code; `unknown` outside git.
        tested: What the smoke test saw.
        former_version: Version that was served before; None if none was.
        deployed: The app.
    """

    commit: str
    tested: SmokeTested
    former_version: int | None
    deployed: web_app.Deployed


def release(project: Path, plan: Plan, tell: Callable[[str], None]) -> Released:
    """Check, train, gate, publish, deploy, smoke-test; undo what does not work.

    Each step is what a person types. The first that fails ends the release.

    Args:
        project: The project's folder.
        plan: What to do.
        tell: Is given a line before each step.

    Raises:
        ReleaseError: If the tree is not clean, or a step failed.
    """
    commit = refuse_dirty_tree(project, plan.allow_dirty)
    for command in CHECKS[plan.checks]:
        _run(project, command, tell)
    former = _published_version(project, plan)
    if plan.train:
        _run(project, _kedro("run", *_options(plan)), tell)
    version = _published_version(project, plan)
    try:
        deployed = web_app.deploy(project, tell, env=plan.env, port=plan.port)
        tell(f"Smoke test of {deployed.running.url} …")
        tested = smoke_test(
            deployed.running.url,
            lambda line: tell(f"  {line}"),
            key=_settings(project, plan).api_key,
            model_version=version,
        )
    except (SmokeTestError, web_app.DeploymentError) as error:
        raise ReleaseError(f"{error}\n{_undo(project, plan, former, version, tell)}") from error
    return Released(commit, tested, former, deployed)


def refuse_dirty_tree(project: Path, allow: bool) -> str:
    """Return the commit that is released.

    Raises:
        ReleaseError: If there is none, or the files differ from it, unless that is allowed.
    """
    code = describe_code(project)
    if code["git_dirty"] == "unknown" and not allow:
        raise ReleaseError(
            "A release is made of a commit, but git tells of none here: clone the project instead "
            "of unpacking an archive. To try it all the same: kedro release --allow-dirty"
        )
    if code["git_dirty"] == "true" and not allow:
        command = ["git", "status", "--short"]
        changes = subprocess.run(  # noqa: S603
            command, cwd=project, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        more = len(changes) - _CHANGES_SHOWN
        shown = changes[:_CHANGES_SHOWN] + ([f"… and {more} more"] if more > 0 else [])
        raise ReleaseError(
            "A release is made of a commit, but these files differ from it:\n"
            + "\n".join(f"  {line}" for line in shown)
            + "\nCommit or stash them. To try it all the same: kedro release --allow-dirty"
        )
    return code["git_commit"]


def _undo(
    project: Path,
    plan: Plan,
    former: int | None,
    version: int | None,
    tell: Callable[[str], None],
) -> str:
    """Put the former champion back, if this release replaced it; return what became of it."""
    if former is None:
        return f"Nothing was served before, so version {version} stays champion."
    if former == version:
        return "The champion is the one that was served before; nothing was rolled back."
    reason = f"the smoke test of version {version} failed"
    _run(project, _kedro("rollback", *_env(plan), "--reason", reason), tell)
    return f"Rolled back: version {former} is champion again, and the running app follows it."


def _options(plan: Plan) -> list[str]:
    return [*_env(plan), *(["--params", plan.parameters] if plan.parameters else [])]


def _env(plan: Plan) -> list[str]:
    return ["--env", plan.env] if plan.env else []


def _published_version(project: Path, plan: Plan) -> int | None:
    """Return the version that is handed to the web app; None if none is."""
    try:
        return read_pointer(Path(_settings(project, plan).publication_dir)).model_version
    except PublicationError:
        return None


def _settings(project: Path, plan: Plan) -> ServingSettings:
    return load_settings(project, plan.env or default_env(), os.environ, {})


def _kedro(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "kedro", *words)


def _run(project: Path, command: Sequence[str], tell: Callable[[str], None]) -> None:
    """Run what a person types.

    Raises:
        ReleaseError: If it fails.
    """
    typed = shlex.join(["kedro", *command[3:]] if command[0] == sys.executable else command)
    tell(f"$ {typed}")
    outcome = subprocess.run(command, cwd=project, check=False)  # noqa: S603
    if outcome.returncode:
        raise ReleaseError(
            f"The release ends here: `{typed}` failed with status {outcome.returncode}, as said "
            "above. What ran before runs still."
        )
