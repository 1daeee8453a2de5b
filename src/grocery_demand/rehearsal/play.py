"""Plays the rehearsal from an empty copy to its table and figure."""

import contextlib
import dataclasses
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.daily import Project
from grocery_demand.rehearsal.copy import copy_project, leave_shared_services
from grocery_demand.rehearsal.story import Plan, Story
from grocery_demand.rehearsal.telling import write_story
from grocery_demand.rehearsal.web_app import run_web_app

_SAMPLE = Path("data/01_raw/sample")
_LOG = "rehearsal.log"


@dataclass(frozen=True)
class Played:
    """What a rehearsal left.

    Attributes:
        days: One row per day, see `story.Day`.
        notes: What happened aside from the days.
        paths: Files written.
    """

    days: pd.DataFrame
    notes: dict[str, Any]
    paths: list[Path]


def play_rehearsal(
    project: Path,
    folder: Path,
    plan: Plan,
    tell: Callable[[str], None],
    **simulation: Any,
) -> Played:
    """Play the whole loop in a copy of the project.

    Args:
        project: The project; it is read, not changed.
        folder: Where the copy is made.
        plan: How long each scene is.
        tell: Is given a line for each turn.
        **simulation: Parameters of the simulated world that differ from the sample's; without
            any, the sample is taken as it is.

    Raises:
        RehearsalError: If a turn of the story does not come; the days until then are written.
    """
    leave_shared_services()
    copy = copy_project(project, folder)
    with _run_quietly(copy):
        world = _prepare_world(project, copy, simulation)
        tell(f"Training on {world.start_date} … {world.end_date} (simulated) …")
        Project(copy).run("__default__")
        with run_web_app(copy) as app:
            tell(f"The web app answers on {app.url}; days begin to pass.")
            story = Story(Project(copy), app, world, plan, tell)
            try:
                story.play()
            finally:
                paths = write_story(copy, story.to_table(), story.notes) if story.days else []
    return Played(story.to_table(), story.notes, paths)


def _prepare_world(project: Path, copy: Path, given: dict[str, Any]) -> SimulationParameters:
    """Put the world's sales so far into the copy; return its parameters."""
    target = copy / _SAMPLE
    if given:
        Project(copy).run("simulate", simulation=given)
    else:
        shutil.copytree(project / _SAMPLE, target)
    parameters: SimulationParameters = Project(copy).load("params:simulation")
    return dataclasses.replace(parameters, **given)


@contextlib.contextmanager
def _run_quietly(copy: Path) -> Iterator[None]:
    """Write what all runs log and print to a file instead of the console."""
    root = logging.getLogger()
    former = root.handlers[:]
    with (copy / _LOG).open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        handler = logging.StreamHandler(log)
        form = "%(asctime)s %(levelname)-7s %(message)s"
        handler.setFormatter(logging.Formatter(form, "%H:%M:%S"))
        root.handlers[:] = [handler]
        try:
            yield
        finally:
            root.handlers[:] = former
