"""A pipeline run in a working copy, against a store of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from grocery_demand.reproduction.data import PANEL_PARTS
from grocery_demand.reproduction.recorded_run import RecordedRun, ReproductionError

_OWN_PLACES = {
    "publication_dir": "data/07_model_output/publication",
    "events_file": "data/07_model_output/events.db",
}
"""Settings in globals.yml that name places; in the copy they are in the copy."""

_OWN_PARTS = {
    "sales_parts": "data/02_intermediate/sales",
    "panel_parts": PANEL_PARTS,
    "forecast_parts": "data/07_model_output/forecasts.parquet",
}
_OVER_WORKERS = "conf/cluster/catalog.yml"

_OF_OTHER_RUNS = (
    "MLFLOW_TRACKING_", "MLFLOW_REGISTRY_", "MLFLOW_EXPERIMENT_", "MLFLOW_RUN_",
    "DASK_SCHEDULER_ADDRESS", "DASK_CONFIG",
)  # fmt: skip


def configure(copy: Path, parameters: dict[str, Any], raw_dir: str, run: RecordedRun) -> None:
    """Give the working copy a run's parameters and raw files, and parts if it had workers.

    They go to conf/local, which git ignores: the copy's code stays that of its commit. The run's
    environment is not used again, as it says where things lie in production.
    """
    local = copy / "conf" / "local"
    local.mkdir(parents=True, exist_ok=True)
    places: dict[str, Any] = _OWN_PLACES | {"raw_dir": raw_dir}
    if run.workers:
        places |= _OWN_PARTS | {"parts": run.parts}
        shutil.copyfile(copy / _OVER_WORKERS, local / "catalog.yml")
    for name, contents in (("parameters.yml", parameters), ("globals.yml", places)):
        (local / name).write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")


def run_pipeline(copy: Path, pipeline: str, workers: int = 0) -> int:
    """Run pipelines of the working copy's code; progress goes to standard error.

    Args:
        copy: The working copy.
        pipeline: Names, separated by commas.
        workers: Processes of this machine that it runs on, if it is configured so.

    Returns:
        The exit status.
    """
    command = [sys.executable, "-m", "kedro", "run", "--pipelines", pipeline]
    done = subprocess.run(  # noqa: S603
        command, cwd=copy, env=_environment(copy, workers), stdout=subprocess.DEVNULL, check=False
    )
    return done.returncode


def find_newest_run(copy: Path, pipeline: str) -> RecordedRun:
    """Return what the working copy's store has recorded of the pipelines.

    Raises:
        ReproductionError: If nothing was recorded.
    """
    from mlflow import MlflowClient

    client = MlflowClient(_store(copy))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(
        experiments, f"tags.pipeline = '{pipeline}'", order_by=["start_time DESC"], max_results=1
    )
    if not found:
        raise ReproductionError(f"The run in {copy} ended before anything was recorded; see above.")
    return RecordedRun.of(found[0])


def _environment(copy: Path, workers: int) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "KEDRO_ENV" and not name.startswith(_OF_OTHER_RUNS)
    }
    own = {"MLFLOW_TRACKING_URI": _store(copy), "PYTHONPATH": str(copy / "src")}
    return kept | own | ({"GROCERY_DEMAND_WORKERS": str(workers)} if workers else {})


def _store(copy: Path) -> str:
    return f"sqlite:///{copy}/mlflow.db"
