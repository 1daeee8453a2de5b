"""Holds the run over a cluster's workers against the run on one machine, on the same raw files.

python benchmarks/cluster_equality.py --raw-dir data/01_raw/sample
python benchmarks/cluster_equality.py --raw-dir data/01_raw/ten_million

In a copy of the project: `kedro run`, then `kedro run --env cluster` on as many local workers as
GROCERY_DEMAND_WORKERS says. Panel and features are compared bit by bit; scores and forecasts twice:
as configured, where the rows drawn for each tree and for the bins depend on the workers, and with
all rows for both and leaves limited by weight (all-rows), where only the order of sums differs.
What lies beyond the tolerances is printed, and the exit status is 1 then; the page is written all
the same.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from common import PROJECT, load_parameters, write_result
from speed import copy_project

from grocery_demand.core.features import FEATURE_SETS, Encoding, ItemSums, Snapshot
from grocery_demand.core.panel import Panel
from grocery_demand.storage.panel_folder import read_panel
from grocery_demand.storage.parted_panel import PartedPlace

_ALL_ROWS = {
    "training.max_training_rows": 200_000,  # of more, LightGBM finds the bins on some
    "model_settings.lightgbm.bagging_fraction": 1.0,
    "model_settings.lightgbm.max_rows_per_tree": 200_000,
    "model_settings.lightgbm.min_child_samples": 1,  # a number that it estimates from the weight
    "model_settings.lightgbm.min_sum_hessian_in_leaf": 100,
    "model_settings.lightgbm.rows_to_stand_alone": 1,  # workers fit one booster
}
_SETTINGS = {"all-rows": _ALL_ROWS, "as-configured": {}}
_APART = "forecasts of ln(1+units) apart, root mean square"
_MOST_APART = {"all-rows": 0.001, "as-configured": 0.1}
_MOST_PERCENT = 0.5
_ARRAYS = ("units", "promotions", "open_days")
_DAYS_BACK = (0, 16, 200)
_STEPS = np.array([1, 7, 16])


@dataclass
class Left:
    """What a run has left in the project."""

    metrics: dict[str, float]
    forecasts: pd.DataFrame


def run(project: Path, arguments: list[str]) -> Left:
    print(" ".join(["kedro", *arguments]), flush=True)
    subprocess.run([PROJECT / ".venv/bin/kedro", *arguments], cwd=project, check=True)
    metrics = json.loads((project / "data/08_reporting/metrics.json").read_text("utf-8"))
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    return Left(metrics, forecasts)


def compare_panels(one: Panel, joined: Panel, parts: list[Panel]) -> pd.DataFrame:
    """Return of each array and of the features how many values differ in a bit."""
    rows = [(name, *count(getattr(one, name), getattr(joined, name))) for name in _ARRAYS]
    encoding = Encoding.fit(one.series)
    names = FEATURE_SETS["full"]
    for back in _DAYS_BACK:
        day = one.n_days - 1 - back
        items = ItemSums.add_up([Snapshot(part, day).surroundings.items for part in parts])
        matrices = [
            Snapshot(part, day, all_stores=items).features(encoding, _STEPS, names)
            for part in parts
        ]
        whole = Snapshot(one, day).features(encoding, _STEPS, names)
        rows.append((f"features at {one.date_of(day)}", *count(whole, np.concatenate(matrices))))
    return pd.DataFrame(rows, columns=["what", "values", "that differ"])


def count(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    if one.shape != other.shape:
        raise SystemExit(f"One machine has {one.shape}, the cluster {other.shape}.")
    same = (one == other) | ((one != one) & (other != other))  # noqa: PLR0124
    return one.size, int(np.sum(~same))


def compare_models(setting: str, one: Left, other: Left) -> dict[str, object]:
    key = ["store_nbr", "item_nbr", "date"]
    if not one.forecasts[key].equals(other.forecasts[key]):
        raise SystemExit("The forecasts are of other series or days.")
    first, second = (np.log1p(left.forecasts["point"].to_numpy(float)) for left in (one, other))
    row: dict[str, object] = {"model": setting}
    for name, label in (("nwrmsle", "holdout"), ("backtest_nwrmsle", "backtest")):
        row[f"{label}, one machine"] = one.metrics[name]
        row[f"{label}, cluster"] = other.metrics[name]
        row[f"{label}, difference in %"] = 100 * (other.metrics[name] / one.metrics[name] - 1)
    row[_APART] = np.sqrt(np.mean((second - first) ** 2))
    totals = [left.forecasts["point"].astype(float).sum() for left in (one, other)]
    row["units in all, difference in %"] = 100 * (totals[1] / totals[0] - 1)
    return row


def find_beyond(panels: pd.DataFrame, rows: list[dict[str, object]]) -> list[str]:
    """Return what differs by more than is tolerated, a sentence each."""
    beyond = [
        f"{row['that differ']} values differ in {row['what']}; none may."
        for row in panels.to_dict(orient="records")
        if row["that differ"]
    ]
    for row in rows:
        limits = {f"{label}, difference in %": _MOST_PERCENT for label in ("holdout", "backtest")}
        for name, limit in (limits | {_APART: _MOST_APART[row["model"]]}).items():
            if not abs(row[name]) <= limit:
                beyond.append(f"{row['model']}: {name}: {row[name]:.4g}, beyond {limit:g}.")
    return beyond


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--name", help="of the file in results/; by default the raw folder's")
    parser.add_argument("--settings", nargs="+", choices=list(_SETTINGS), default=list(_SETTINGS))
    arguments = parser.parse_args()
    rows, of_settings = [], []
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        for setting in arguments.settings:
            settings = {"raw_dir": arguments.raw_dir.absolute(), **_SETTINGS[setting]}
            given = ["--params", ",".join(f"{name}={value}" for name, value in settings.items())]
            one = run(project, ["run", *given])
            whole = project / "data/03_primary/one_machine"
            (project / "data/03_primary/panel").rename(whole)
            other = run(project, ["run", "--env", "cluster", *given])
            rows.append(compare_models(setting, one, other))
            of_settings.append(compare_all(project, whole))
            for path in whole.iterdir():
                path.unlink()
            whole.rmdir()
    panels = pd.concat(of_settings, keys=arguments.settings, names=["model"])
    panels = panels.reset_index("model")
    training = load_parameters()["training"]
    notes = [
        f"Sales of `{arguments.raw_dir.name}`; {training['backtest_folds']} folds; NWRMSLE of both "
        "ways. Simulated data unless the folder holds real files. All rows: "
        + ", ".join(f"`{name}={value}`" for name, value in _ALL_ROWS.items())
        + ".",
        f"Tolerated: {_MOST_PERCENT} % of a score; forecasts of ln(1+units) "
        + ", ".join(f"{limit} apart ({setting})" for setting, limit in _MOST_APART.items())
        + "; no value of panel and features that differs.",
    ]
    tables = {
        "Panel and features, bit by bit": panels,
        "Scores and forecasts": pd.DataFrame(rows).set_index("model").T.reset_index(names=""),
    }
    title = "The same loop over workers and on one machine"
    name = arguments.name or arguments.raw_dir.absolute().name
    write_result(f"cluster_equality_{name}", title, notes, tables)
    if beyond := find_beyond(panels, rows):
        raise SystemExit("Beyond what is tolerated:\n" + "\n".join(beyond))


def compare_all(project: Path, whole: Path) -> pd.DataFrame:
    place = PartedPlace(str(project / "data/03_primary/panel_parts"))
    manifest = place.read_manifest()
    parts = [place.read_part(manifest["panel"], i, project) for i in range(manifest["parts"])]
    return compare_panels(read_panel(whole), read_panel(project / "data/03_primary/panel"), parts)


if __name__ == "__main__":
    main()
