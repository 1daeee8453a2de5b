"""Try other models, losses, rows and features on past cutoffs, each trial an MLflow run.

python benchmarks/trials.py --raw-dir data/01_raw/sample
python benchmarks/trials.py --raw-dir FOLDER --until 2017-06-11 --name real_stores
python benchmarks/trials.py --raw-dir FOLDER --until 2017-06-11 --history-days 60

Sales after `--until` (by default the last 16 days) are never looked at, so that choosing by these
trials leaves the holdout untouched. A trial changes one thing of the default.
"""

import argparse
import dataclasses
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
from common import PROJECT, load_parameters, name_folder, read_panel, shorten, write_result

from grocery_demand.core.backtest import TrainingParameters, choose_training_days, scored_rows
from grocery_demand.core.features import FEATURE_SETS, MOVING_AVERAGE, Encoding, Snapshot
from grocery_demand.core.features.matrix import RELATIVE
from grocery_demand.core.models.fit_plan import FitPlan, dataset_params
from grocery_demand.core.models.gradient_boosted import LightGBM
from grocery_demand.core.panel import Panel

PEERS = Path(__file__).parent / "peers"
_FIXED = {"verbose": -1, "seed": 7, "deterministic": True, "force_col_wise": True}
_ROUND_DAYS = 42


@dataclass(frozen=True)
class Trial:
    """What a trial changes of the default.

    Attributes:
        settings: LightGBM's parameters.
        training: Values of `TrainingParameters`.
        without: Features that are left out; a star stands for any ending.
        absolute: Whether levels enter as they are, instead of relative to the moving average.
        half_life: Days after which a row weighs half.
        parts: First steps of the groups of steps that get a model of their own.
        seeds: Fits whose forecasts are averaged, beside what each averages itself of few rows.
        learner: How to fit and forecast.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    absolute: bool = False
    half_life: int | None = None
    parts: tuple[int, ...] = (1,)
    seeds: tuple[int, ...] = (7,)
    learner: Callable[..., np.ndarray] | None = None


@dataclass(frozen=True)
class Rows:
    """Rows to learn from or to forecast: matrix, target ln(1+units), weight, age in days."""

    matrix: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    age: np.ndarray

    def select(self, rows: np.ndarray) -> "Rows":
        """Return some of the rows."""
        return Rows(self.matrix[rows], self.target[rows], self.weight[rows], self.age[rows])


def fit_difference(
    rows: Rows, test: np.ndarray, names: tuple[str, ...], settings: dict[str, Any], seed: int
) -> np.ndarray:
    """The default, as `kedro run` fits it."""
    fitted = (names, rows.matrix, rows.target, rows.weight, settings, seed)
    return LightGBM.fit(*fitted).predict(test)


def fit_units(
    rows: Rows, test: np.ndarray, names: tuple[str, ...], settings: dict[str, Any], seed: int
) -> np.ndarray:
    """Fit units by a loss of LightGBM with a log link, starting from the moving average."""
    base = names.index(MOVING_AVERAGE)
    start = np.log(np.expm1(rows.matrix[:, base]) + 0.1)
    booster = _train(rows, np.expm1(rows.target), settings | {"seed": seed}, start)
    raw = booster.predict(test, raw_score=True) + np.log(np.expm1(test[:, base]) + 0.1)
    return np.log1p(np.exp(raw))


def fit_two_parts(
    rows: Rows, test: np.ndarray, names: tuple[str, ...], settings: dict[str, Any], seed: int
) -> np.ndarray:
    """The chance of a sale times the quantity if there is one, both on the log scale."""
    base = names.index(MOVING_AVERAGE)
    settings = settings | {"seed": seed}
    sold = rows.target > 0
    chance = _train(rows, sold.astype(float), settings | {"objective": "binary"})
    some = rows.select(np.flatnonzero(sold))
    quantity = _train(some, some.target - some.matrix[:, base], settings)
    return chance.predict(test) * (quantity.predict(test) + test[:, base])


def fit_elsewhere(
    rows: Rows,
    test: np.ndarray,
    names: tuple[str, ...],
    settings: dict[str, Any],
    seed: int,
    library: str,
) -> np.ndarray:
    """XGBoost or CatBoost, in the peers' environment, on the same matrix."""
    base = names.index(MOVING_AVERAGE)
    with tempfile.TemporaryDirectory() as folder:
        target = rows.target - rows.matrix[:, base]
        contents = {"matrix": rows.matrix, "target": target, "weight": rows.weight, "test": test}
        np.savez(f"{folder}/rows.npz", **contents)
        program = [PEERS / ".venv/bin/python", PEERS / "fit_trees.py", folder]
        options = {
            "--library": library,
            "--trees": settings["n_estimators"],
            "--learning-rate": settings["learning_rate"],
            "--leaves": settings["num_leaves"],
            "--seed": seed,
        }
        given = [str(part) for option in options.items() for part in option]
        subprocess.run([*program, *given], check=True)
        return np.load(f"{folder}/forecast.npy") + test[:, base]


TRIALS: dict[str, Trial] = {
    "default": Trial(),
    "absolute levels": Trial(absolute=True),
    "without groups": Trial(
        without=("item_mean*", "item_weekday*", "class_store*", "family_store*")
    ),
    "without the year before": Trial(without=("year_ago*",)),
    "without same-weekday means": Trial(without=("weekday_mean*", "*_weekday_mean*")),
    "without days of the month": Trial(without=("*_month_day",)),
    "without attributes": Trial(
        without=("store_nbr", "item_nbr", "class", "cluster", "family", "city", "state", "type")
    ),
    "26 cutoffs": Trial(training={"max_training_cutoffs": 26}),
    "52 cutoffs": Trial(training={"max_training_cutoffs": 52}),
    "104 cutoffs": Trial(training={"max_training_cutoffs": 104}),
    "8 cutoffs of many series": Trial(training={"min_training_cutoffs": 8}),
    "26 cutoffs of many series": Trial(training={"min_training_cutoffs": 26}),
    "weekly cutoffs also of a short past": Trial(training={"min_training_cutoffs": 1}),
    "half-life of a year": Trial(half_life=365),
    "half-life of half a year": Trial(half_life=182),
    "100,000 rows": Trial(training={"max_training_rows": 100_000}),
    "200,000 rows": Trial(training={"max_training_rows": 200_000}),
    "800,000 rows": Trial(training={"max_training_rows": 800_000}),
    "a model per week": Trial(parts=(1, 8)),
    "a model per step": Trial(parts=tuple(range(1, 17))),
    "a model per four days": Trial(parts=(1, 5, 9, 13)),
    "100 trees at 0.1": Trial(settings={"n_estimators": 100, "learning_rate": 0.1}),
    "400 trees at 0.03": Trial(settings={"n_estimators": 400, "learning_rate": 0.03}),
    "15 leaves": Trial(settings={"num_leaves": 15}),
    "63 leaves": Trial(settings={"num_leaves": 63}),
    "127 bins": Trial(settings={"max_bin": 127}),
    "255 bins": Trial(settings={"max_bin": 255}),
    "50,000 rows a tree": Trial(settings={"max_rows_per_tree": 50_000}),
    "200,000 rows a tree": Trial(settings={"max_rows_per_tree": 200_000}),
    "rows drawn anew for each tree": Trial(settings={"trees_per_draw": 1}),
    "70 % of the rows a tree": Trial(settings={"max_rows_per_tree": None}),
    "40 % of the rows a tree": Trial(settings={"max_rows_per_tree": None, "bagging_fraction": 0.4}),
    "a quarter of the rows a tree": Trial(
        settings={"max_rows_per_tree": None, "bagging_fraction": 0.25}
    ),
    "trees from the mean difference on": Trial(settings={"boost_from_average": True}),
    "corrections in full of few rows, too": Trial(settings={"rows_to_trust": None}),
    "40 rows a leaf": Trial(settings={"min_child_samples": 40}),
    "200 rows a leaf": Trial(settings={"min_child_samples": 200}),
    "features drawn by node": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.5}
    ),
    "a third of the features by node": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.3}
    ),
    "a fifth of the features by node": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.2}
    ),
    "a third by node, a blend of three seeds": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.3}, seeds=(7, 107, 207)
    ),
    "a third by node, 255 bins": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.3, "max_bin": 255}
    ),
    "features by node, a model per week": Trial(
        settings={"feature_fraction": 1.0, "feature_fraction_bynode": 0.5}, parts=(1, 8)
    ),
    "one model of few rows, too": Trial(settings={"rows_to_stand_alone": None}),
    "a blend of three seeds": Trial(seeds=(7, 107, 207)),
    "absolute error": Trial(settings={"objective": "l1"}),
    "Huber loss": Trial(settings={"objective": "huber", "alpha": 0.5}),
    "Tweedie loss on units": Trial(
        settings={"objective": "tweedie", "tweedie_variance_power": 1.2}, learner=fit_units
    ),
    "Poisson loss on units": Trial(settings={"objective": "poisson"}, learner=fit_units),
    "sale or not, times quantity": Trial(learner=fit_two_parts),
    "XGBoost": Trial(learner=partial(fit_elsewhere, library="xgboost")),
    "CatBoost": Trial(learner=partial(fit_elsewhere, library="catboost")),
}


def run_trial(
    panel: Panel, days: list[int], trial: Trial, history_days: int | None = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return each cutoff's weighted sum of squares and weight, and the seconds of fitting one."""
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"] | trial.training)
    settings = {"objective": "regression"} | parameters["model_settings"]["lightgbm"]
    settings |= trial.settings
    names = _choose_features(trial)
    squares, weights, seconds = [], [], 0.0
    for cutoff in days:
        known = shorten(panel, cutoff, history_days) if history_days else panel
        day = known.day_of(str(panel.date_of(cutoff)))
        rows = _collect(known, day, training, names)
        test = _collect_test(known, day, training.horizon, names)
        if trial.half_life:
            rows = dataclasses.replace(
                rows, weight=rows.weight * 0.5 ** (rows.age / trial.half_life)
            )
        start = time.perf_counter()
        found = _forecast(rows, test.matrix, names, settings, trial)
        seconds += time.perf_counter() - start
        squares.append((test.weight * (np.maximum(found, 0) - test.target) ** 2).sum())
        weights.append(test.weight.sum())
    return np.array(squares), np.array(weights), seconds / len(days)


def _forecast(
    rows: Rows, test: np.ndarray, names: tuple[str, ...], settings: dict[str, Any], trial: Trial
) -> np.ndarray:
    learner = trial.learner or fit_difference
    step = names.index("step")
    found = np.zeros(len(test))
    for own in _split_steps(rows.matrix[:, step], test[:, step], trial.parts):
        mine, theirs = own
        part = rows.select(np.flatnonzero(mine)) if len(trial.parts) > 1 else rows
        seeds = _list_seeds(trial, settings, len(part.target))
        made = [learner(part, test[theirs], names, settings, seed) for seed in seeds]
        found[theirs] = np.mean(made, axis=0)
    return found


def _list_seeds(trial: Trial, settings: dict[str, Any], n_rows: int) -> list[int]:
    """Return a seed per model: other learners fit as many as the default does of so many rows."""
    if trial.learner is None:
        return list(trial.seeds)
    n_boosters = FitPlan.of(settings, n_rows).n_boosters
    return [seed + i for seed in trial.seeds for i in range(n_boosters)]


def _split_steps(
    learnt: np.ndarray, wanted: np.ndarray, parts: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    ends = (*parts[1:], np.inf)
    for first, end in zip(parts, ends, strict=True):
        yield (learnt >= first) & (learnt < end), (wanted >= first) & (wanted < end)


def _choose_features(trial: Trial) -> tuple[str, ...]:
    names = [
        name
        for name in FEATURE_SETS["full"]
        if not any(fnmatchcase(name, pattern) for pattern in trial.without)
    ]
    return tuple(n.removesuffix(RELATIVE) for n in names) if trial.absolute else tuple(names)


def _collect(panel: Panel, day: int, training: TrainingParameters, names: tuple[str, ...]) -> Rows:
    encoding = Encoding.fit(panel.series)
    parts = [
        dataclasses.astuple(_rows_of(panel, c.day, c.steps, c.rows, names, encoding, day - c.day))
        for c in choose_training_days(panel, day, training)
    ]
    return Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _collect_test(panel: Panel, day: int, horizon: int, names: tuple[str, ...]) -> Rows:
    steps = np.arange(1, horizon + 1)
    rows = np.flatnonzero(panel.series["first_sale"].to_numpy() <= day + horizon)
    return _rows_of(panel, day, steps, rows, names, Encoding.fit(panel.series), 0)


def _rows_of(
    panel: Panel,
    day: int,
    steps: np.ndarray,
    rows: np.ndarray,
    names: tuple[str, ...],
    encoding: Encoding,
    age: int,
) -> Rows:
    counted = scored_rows(panel, day, steps, rows).ravel()
    matrix = Snapshot(panel, day).features(encoding, steps, names, rows)[counted]
    units = panel.units[rows[:, None], day + steps].ravel()[counted]
    weight = np.repeat(panel.weights[rows], len(steps))[counted]
    return Rows(matrix, np.log1p(units), weight, np.full(len(units), age))


def _train(
    rows: Rows, target: np.ndarray, settings: dict[str, Any], start: np.ndarray | None = None
) -> lgb.Booster:
    plan = FitPlan.of(settings, len(target))
    data = lgb.Dataset(
        rows.matrix,
        target,
        weight=rows.weight,
        init_score=start,
        params=dataset_params(plan.params),
    )
    return lgb.train(_FIXED | plan.params, data, num_boost_round=plan.n_trees)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--until", help="last day that is looked at, ISO")
    parser.add_argument("--cutoffs", type=int, default=12, help="six weeks apart")
    parser.add_argument("--history-days", type=int, help="days known up to each cutoff; all")
    parser.add_argument("--trials", nargs="*", default=list(TRIALS), choices=list(TRIALS))
    parser.add_argument("--name", help="of the result; the folder's by default")
    options = parser.parse_args()
    name = options.name or options.raw_dir.name
    panel = read_panel(options.raw_dir)
    horizon = load_parameters()["training"]["horizon"]
    last = panel.day_of(options.until) if options.until else panel.n_days - 1 - horizon
    days = [last - horizon - _ROUND_DAYS * i for i in range(options.cutoffs)]
    mlflow.set_tracking_uri(f"sqlite:///{PROJECT / 'mlflow.db'}")
    mlflow.set_experiment("trials")
    records, by_cutoff = [], {}
    for title in options.trials:
        with mlflow.start_run(run_name=f"{name}: {title}"):
            squares, weights, seconds = run_trial(panel, days, TRIALS[title], options.history_days)
            pooled = float(np.sqrt(squares.sum() / weights.sum()))
            mlflow.log_params({"trial": title, "data": name, "data_digest": panel.digest[:12]})
            mlflow.log_metrics({"nwrmsle": pooled, "seconds_per_fit": seconds})
        by_cutoff[title] = np.sqrt(squares / weights)
        ratios = by_cutoff[title] / next(iter(by_cutoff.values()))
        records.append(
            {
                "trial": title,
                "NWRMSLE": pooled,
                "to the default, mean over cutoffs": float(np.exp(np.log(ratios).mean())),
                "cutoffs where better": f"{(ratios < 1).sum()} of {len(ratios)}",
                "seconds per fit": seconds,
            }
        )
        print(f"{title}: {pooled:.4f}, {seconds:.1f} s", flush=True)
    table = pd.DataFrame(records).sort_values("to the default, mean over cutoffs")
    dates = ", ".join(str(panel.date_of(day)) for day in days)
    named = f" --name {options.name}" if options.name else ""
    chosen = options.trials != list(TRIALS)
    some = " --trials " + " ".join(f'"{title}"' for title in options.trials) if chosen else ""
    notes = [
        f"Command: `python benchmarks/trials.py --raw-dir {name_folder(options.raw_dir)}"
        + (f" --until {options.until}" if options.until else "")
        + (f" --history-days {options.history_days}" if options.history_days else "")
        + f" --cutoffs {options.cutoffs}{named}{some}`. NWRMSLE over 16 days after each of "
        f"{dates}; nothing after {panel.date_of(last)} was looked at. "
        "Each trial changes one thing of the default; it is a run of the MLflow experiment "
        "`trials`. The mean over cutoffs is that of the ratios: a bad month does not decide. "
        "Seconds are those of fitting and forecasting.",
    ]
    cutoffs = pd.DataFrame(by_cutoff, index=[str(panel.date_of(day)) for day in days])
    tables = {"Trials": table, "By cutoff": cutoffs.T.rename_axis("trial").reset_index()}
    write_result(f"trials_{name}", f"Trials on {name}", notes, tables)


if __name__ == "__main__":
    main()
