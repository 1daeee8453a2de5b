"""Copies of the project for tests, and parameters with which a run in one takes seconds."""

import shutil
from pathlib import Path

from grocery_demand.rehearsal.copy import copy_project
from make_targets import ROOT

SMALL_WORLD = "simulation.stores=3,simulation.items=40,simulation.start_date=2016-08-01"
"""Some 17,000 rows of sales up to the sample's end_date."""

SMALL_WORLD_BAR = "gate.max_nwrmsle=0.9"
"""A bar that models of the small world keep."""

EASY_GATE = f"{SMALL_WORLD_BAR},gate.max_slice_loss=1,gate.champion_tolerance=1"
"""A gate that lets each of them through."""

QUICK_TRAINING = "training.max_training_rows=20000,model_settings.lightgbm.n_estimators=12"
WEAK = f"{QUICK_TRAINING},{SMALL_WORLD_BAR}"
"""A model of the small world that passes the gate, though others are better."""


def copy_without_data(folder: Path, *others: str, records: Path | None = None) -> Path:
    """Copy the project's code and configuration; what is set on this machine alone is left out.

    Args:
        folder: Where the copy is made; new or empty.
        *others: Further files and folders to be copied.
        records: A database that becomes the copy's MLflow, so that none has to be set up.
    """
    copy_project(ROOT, folder)
    (folder / ".rehearsal").unlink()
    shutil.rmtree(folder / "conf/local")
    (folder / "conf/local").mkdir()
    (folder / "conf/local/.gitkeep").touch()
    for name in others:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    if records:
        shutil.copy(records, folder / "mlflow.db")
    return folder
