"""A copy of the project with a small simulated world, on which commands are run as typed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_copies import SMALL_WORLD, copy_without_data
from typed_commands import LONGEST, type_command

Kedro = Callable[..., subprocess.CompletedProcess[str]]
StartKedro = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory, empty_database) -> Path:
    """A copy of the project without data, runs and champions; its MLflow is set up already."""
    return copy_without_data(tmp_path_factory.mktemp("project"), records=empty_database)


@pytest.fixture(scope="module")
def start_kedro(project) -> StartKedro:
    """Type a kedro command in the project, in a new process of Python, and leave it running."""
    program = str(Path(sys.executable).with_name("kedro"))
    known = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [program, *arguments],
            cwd=project,
            env=known,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="module")
def kedro(project) -> Kedro:
    """Type a kedro command in the project; the outcome has stdout, stderr and returncode.

    The process is a new one, whose libraries are imported already: see `typed_commands`.
    """

    def run(*arguments: str, seconds: float = LONGEST) -> subprocess.CompletedProcess[str]:
        words = ["kedro", *arguments]
        outcome = type_command(words, project, seconds, apart=True)
        return subprocess.CompletedProcess(words, outcome.status, outcome.said, outcome.errors)

    return run


@pytest.fixture(scope="module")
def world(kedro) -> subprocess.CompletedProcess[str]:
    """The small world, simulated into the folder that `kedro run` reads."""
    outcome = kedro("run", "--pipeline", "simulate", "--params", SMALL_WORLD)
    assert outcome.returncode == 0, outcome.stderr
    return outcome
