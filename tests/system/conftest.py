"""A copy of the project with a small simulated world, on which commands are run as typed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
COPIED = ("conf", "src", "pyproject.toml", "requirements.lock")

SMALL_WORLD = "simulation.stores=3,simulation.items=40,simulation.start_date=2016-08-01"
"""Some 17,000 rows of sales up to the sample's end_date, so that a run takes seconds."""

Kedro = Callable[..., subprocess.CompletedProcess[str]]
StartKedro = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project without data, runs and champions."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def start_kedro(project) -> StartKedro:
    """Type a kedro command in the project and leave it running."""
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
def kedro(start_kedro) -> Kedro:
    """Type a kedro command in the project; the outcome has stdout, stderr and returncode."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        process = start_kedro(*arguments)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return run


@pytest.fixture(scope="module")
def small_world() -> str:
    """Parameters of the small world."""
    return SMALL_WORLD


@pytest.fixture(scope="module")
def world(kedro) -> subprocess.CompletedProcess[str]:
    """The small world, simulated into the folder that `kedro run` reads."""
    outcome = kedro("run", "--pipeline", "simulate", "--params", SMALL_WORLD)
    assert outcome.returncode == 0, outcome.stderr
    return outcome
