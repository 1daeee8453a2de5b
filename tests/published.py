"""A small world that is published, and the web app on it as a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import yaml

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.long_range import LongRange, train_long_range
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import Panel
from grocery_demand.core.rollout import Rollout, ServedChallenger
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import fit_final_model, run_backtest
from grocery_demand.storage.atomic import whole_folder
from grocery_demand.storage.panel_folder import read_panel, write_panel
from grocery_demand.storage.pointer import Pointer
from grocery_demand.storage.publication import publish
from worlds import SMALL_MODELS, make_panel

FOLDER = "data/07_model_output/publication"


def train_small(panel: Panel, model: str = "lightgbm", seed: int = 7) -> TrainedModel:
    """Train a model within a second or two, long range included."""
    training = TrainingParameters(
        model=model, max_training_rows=3000, max_long_range_rows=20_000, seed=seed
    )
    backtest = run_backtest(panel, training, SMALL_MODELS[model])
    encoding = backtest.holdout_forecaster.encoding
    far = LongRange(None, 0)
    if panel.n_days > 150:
        far, _ = train_long_range(panel, training, SMALL_MODELS[model], encoding)
    return fit_final_model(panel, training, SMALL_MODELS[model], backtest, {"nwrmsle": 0.5}, far)


def beside(model: TrainedModel, number: int, mode: str, share: float = 1.0) -> ServedChallenger:
    """Return a challenger to be served beside the champion."""
    rollout = Rollout(number, f"run{number}", mode, share, "2026-11-24T12:00:00+00:00")
    return ServedChallenger(ModelVersion(number, model, f"run{number}"), rollout)


def publish_small(
    project: Path,
    panel: Panel,
    model: TrainedModel,
    number: int,
    verdict: Mapping | None = None,
    challenger: ServedChallenger | None = None,
) -> Pointer:
    """Publish a model in a project's folder, as `kedro run` does."""
    place = project / "data/03_primary/panel"
    if not _holds(place, panel):
        with whole_folder(place) as beside:
            write_panel(beside, panel)
    return publish(
        project / FOLDER,
        ModelVersion(number, model, f"run{number}"),
        place,
        model_name="grocery-demand",
        published_at="2026-11-23T12:00:00+00:00",
        verdict=dict(verdict) if verdict else None,
        history=[
            {"at": "2026-11-23T12:00:00+00:00", "by": "ann", "kind": "promotion",
             "replaced": None, "champion": number, "reason": "Promoted: it passes every bar."}
        ],
        versions=[
            {"version": number, "aliases": ["champion"], "run_id": f"run{number}",
             "created_at": "2026-11-23T11:59:00+00:00", "model": "lightgbm", "feature_set": "full",
             "data_digest": panel.digest, "cutoff": str(panel.cutoff), "scores": {"nwrmsle": 0.5}}
        ],
        challenger=challenger,
    )  # fmt: skip


def _holds(place: Path, panel: Panel) -> bool:
    """Return whether a panel is there already: one that is written anew is another one."""
    if not place.is_dir():
        return False
    there = read_panel(place)
    return (there.digest, there.cutoff) == (panel.digest, panel.cutoff)


def make_project(folder: Path, **settings: object) -> Path:
    """Make a folder with the web app's settings only."""
    conf = folder / "conf" / "base"
    conf.mkdir(parents=True)
    (conf / "serving.yml").write_text(yaml.safe_dump(settings))
    return folder


@dataclass
class Served:
    """A web app that runs.

    Attributes:
        url: Its address.
        process: Its process.
        project: Its project's folder.
    """

    url: str
    process: subprocess.Popen[str]
    project: Path

    def client(self, **options: object) -> httpx.Client:
        """Return a client of it."""
        return httpx.Client(base_url=self.url, timeout=30, **options)

    def wait_until_ready(self) -> None:
        """Wait until it has a champion."""
        with self.client() as client:
            wait_for(lambda: client.get("/health/ready").status_code == 200)


@contextmanager
def serve(
    project: Path, *arguments: str, env: Mapping[str, str] | None = None, ready: bool = True
) -> Iterator[Served]:
    """Run the web app on a free port until the block ends."""
    process = start_server(project, *arguments, env=env)
    try:
        first = process.stdout.readline()
        assert "Grocery demand on http" in first, first + process.stderr.read()
        served = Served(first.split()[3], process, project)
        if ready:
            served.wait_until_ready()
        yield served
    finally:
        process.terminate()
        process.communicate(timeout=60)


def start_server(
    project: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start the web app on a free port."""
    return subprocess.Popen(
        [sys.executable, "-m", "grocery_demand.serving", "--port", "0", *arguments],
        cwd=project,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(happened, seconds: float = 60) -> None:
    """Wait until something is true; fail if it never is."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def small_panel(seed: int = 4) -> Panel:
    """Return a panel long enough for long-range forecasts."""
    return make_panel(seed=seed, n_stores=3, n_items=8, n_days=240)


def started_rows(panel: Panel) -> np.ndarray:
    """Return the series that have sold."""
    return np.flatnonzero(panel.series["first_sale"].to_numpy() < panel.n_days)


def as_json(path: Path) -> dict:
    """Return a file's JSON."""
    return json.loads(path.read_text())
