"""Try other ways to learn quantiles and intervals, on forecasts made out of sample.

python benchmarks/intervals.py --raw-dir data/01_raw/sample
python benchmarks/intervals.py --raw-dir FOLDER --until 2017-06-11 --folds 20 --tested 8

Sales after `--until` (by default the last 16 days) are never looked at, so that choosing by these
trials leaves the holdout untouched. Each of the newest folds gets quantiles and interval that were
learnt from the errors of the folds before it.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from common import load_parameters, name_folder, read_panel, write_result

from grocery_demand.core import metrics
from grocery_demand.core.backtest import (
    WEEK,
    TrainingParameters,
    compare_with_sales,
    scored_rows,
)
from grocery_demand.core.features import Encoding, Snapshot
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import INTERVAL, LEVELS, QUANTILES, Intervals
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.panel import Panel
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.training import fit_point_model

_FOLDS_LEARNT_FROM = 4
_FOLDS_PER_FIT = 2
_ENOUGH_ROWS = 200
_SHARES = np.linspace(0.01, 0.99, 50)
_OLD = tuple(n for n in SPREAD_FEATURES if n not in ("days_since_sale", "moving_average"))
_MORE = {
    "promotion, weekday": ("onpromotion", "weekday"),
    "holidays": ("national_day", "days_to_holiday"),
    "family": ("family",),
    "means over stores": ("family_store_mean_28", "item_mean_28"),
}
_SMALL_TREES = {
    "num_leaves": 15, "learning_rate": 0.1, "min_child_samples": 100, "verbose": -1, "seed": 1,
    "deterministic": True, "force_col_wise": True,
}  # fmt: skip

Learner = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]
"""From past folds and the fold wanted to `QUANTILES` and `INTERVAL` in units [row, column]."""


def forecast_folds(
    panel: Panel, last: int, n_folds: int, training: TrainingParameters, settings: dict
) -> pd.DataFrame:
    """Return forecasts of all folds beside sales, with the features tried (in `known_…`).

    The folds lie as those of the backtest of a training that is scored on the days after `last`.
    """
    encoding, steps = Encoding.fit(panel.series), np.arange(1, training.horizon + 1)
    names = tuple(dict.fromkeys((*SPREAD_FEATURES, *(n for more in _MORE.values() for n in more))))
    spacing = WEEK * -(-training.horizon // WEEK)
    cutoffs = [last - spacing * (i + 1) for i in range(n_folds)]
    tables = []
    for first in range(0, len(cutoffs), _FOLDS_PER_FIT):
        days = cutoffs[first : first + _FOLDS_PER_FIT]
        model = fit_point_model(panel, days[-1], training, settings, encoding)
        forecaster = Forecaster(training.model, model, encoding, Intervals.unknown(), "")
        for day in days:
            rows = np.flatnonzero(panel.series["first_sale"].to_numpy() <= day + steps[-1])
            counted = scored_rows(panel, day, steps, rows).ravel()
            known = Snapshot(panel, day).features(encoding, steps, names, rows)[counted]
            table = compare_with_sales(forecaster, panel, day, steps)
            columns = {f"known_{name}": known[:, i] for i, name in enumerate(names)}
            tables.append(pd.concat([table, pd.DataFrame(columns)], axis=1).assign(fold=day))
    return pd.concat(tables, ignore_index=True)


def learn_by(names: tuple[str, ...], tails: list[float] | None = None) -> Learner:
    """Learn as this project does, from other features of the spread or other tails."""

    def learn(past: pd.DataFrame, wanted: pd.DataFrame) -> np.ndarray:
        given = {} if tails is None else {"tails": tails}
        actual = log1p_units(past["unit_sales"].to_numpy())
        fitted = Intervals.fit(actual, *_inputs(past, names), **given)
        return np.expm1(fitted.predict(*_inputs(wanted, names)))

    return learn


def take_outer_quantiles(past: pd.DataFrame, wanted: pd.DataFrame) -> np.ndarray:
    """Learn as this project does, with the quantiles 0.1 and 0.9 as the interval."""
    found = learn_by(SPREAD_FEATURES)(past, wanted)
    return np.column_stack([found[:, :3], found[:, 0], found[:, 2]])


def learn_in_two_parts(past: pd.DataFrame, wanted: pd.DataFrame) -> np.ndarray:
    """Learn the chance of a day without a sale, and quantiles of the error on the other days.

    Its interval leaves out a fifth, all of it above where it begins at zero.
    """
    actual = log1p_units(past["unit_sales"].to_numpy())
    forecast, known = _inputs(past, SPREAD_FEATURES)
    matrix, sold = np.column_stack([forecast, known]), actual > 0
    chance = _fit_small(matrix, ~sold, "binary")
    error = np.abs(actual - forecast)[sold]
    size = _fit_small(matrix[sold], error, "regression")
    least = 0.1 * error.mean()
    scaled = (actual - forecast)[sold] / np.maximum(size.predict(matrix[sold]), least)
    order = np.argsort(forecast[sold], kind="stable")
    bins = np.array_split(order, int(np.clip(len(order) // 300, 1, 24)))
    centres = [np.median(forecast[sold][rows]) for rows in bins]
    shifts = np.array([np.quantile(scaled[rows], _SHARES) for rows in bins])
    forecast, known = _inputs(wanted, SPREAD_FEATURES)
    matrix = np.column_stack([forecast, known])
    grid = np.column_stack([np.interp(forecast, centres, column) for column in shifts.T])
    unsold, scale = chance.predict(matrix), np.maximum(size.predict(matrix), least)

    def quantile(level: float) -> np.ndarray:
        share = np.clip((level - unsold) / (1 - unsold), _SHARES[0], _SHARES[-1])
        place = np.clip(np.searchsorted(_SHARES, share) - 1, 0, len(_SHARES) - 2)
        way, row = (share - _SHARES[place]) / np.diff(_SHARES)[place], np.arange(len(grid))
        shift = (1 - way) * grid[row, place] + way * grid[row, place + 1]
        return np.where(level <= unsold, 0, np.expm1(np.maximum(forecast + scale * shift, 0)))

    low, middle, high = (quantile(level) for level in LEVELS)
    return np.column_stack([low, middle, high, low, np.where(low > 0, high, quantile(0.8))])


def try_out(
    folds: pd.DataFrame, tested: int, n_learnt_from: int, learn: Learner
) -> dict[str, object]:
    """Score a way to learn on each of the newest folds, learnt from the folds before it."""
    days = sorted(folds["fold"].unique(), reverse=True)
    parts = []
    for i in range(tested):
        past = folds[folds["fold"].isin(days[i + 1 : i + 1 + n_learnt_from])]
        wanted = folds[folds["fold"] == days[i]]
        found = learn(past, wanted)
        parts.append(wanted.assign(**dict(zip((*QUANTILES, *INTERVAL), found.T, strict=True))))
    return score(pd.concat(parts))


def score(rows: pd.DataFrame) -> dict[str, object]:
    """Return pinball losses, in units and of ln(1+units), and coverage in all and by slice."""
    actual = rows["unit_sales"].to_numpy(float)
    low, high = (rows[name].to_numpy(float) for name in INTERVAL)
    inside = (actual >= low) & (actual <= high)
    pairs = [
        (rows[name].to_numpy(float), level) for name, level in zip(QUANTILES, LEVELS, strict=True)
    ]
    in_units = [metrics.pinball_loss(actual, found, level) for found, level in pairs]
    on_logs = [
        metrics.pinball_loss(np.log1p(actual), np.log1p(found), level) for found, level in pairs
    ]
    by_step = pd.Series(inside).groupby(rows["step"].to_numpy()).mean()
    families = rows.assign(inside=inside, unsold=actual == 0).groupby("family", observed=True)
    sums = families.agg(n=("inside", "size"), inside=("inside", "mean"), unsold=("unsold", "mean"))
    usual = sums[(sums["n"] >= _ENOUGH_ROWS) & (sums["unsold"] < 0.7)]["inside"]
    return {
        "pinball loss": float(np.mean(in_units)),
        "of ln(1+units)": float(np.mean(on_logs)),
        "coverage": float(inside.mean()),
        "from zero": _mean(inside[low == 0]),
        "above zero": _mean(inside[low > 0]),
        "by step": f"{by_step.min():.3f} – {by_step.max():.3f}",
        "by family": f"{usual.min():.3f} – {usual.max():.3f}",
        "less than one unit, share of rows": float(np.mean(high < 1)),
        "covered": _mean(inside[high < 1]),
    }


def list_trials() -> Iterator[tuple[str, int, Learner]]:
    """Yield name, folds learnt from, and way to learn."""
    usual, own = _FOLDS_LEARNT_FROM, learn_by(SPREAD_FEATURES)
    yield "as it is", usual, own
    yield "quantiles 0.1 and 0.9 as interval", usual, take_outer_quantiles
    yield "a fifth left out of each interval", usual, learn_by(SPREAD_FEATURES, [0.2])
    yield "in two parts, a fifth left out", usual, learn_in_two_parts
    yield "without the last two features", usual, learn_by(_OLD)
    for name in ("days_since_sale", "moving_average"):
        yield f"with {name} alone", usual, learn_by((*_OLD, name))
    for title, names in _MORE.items():
        yield f"and {title}", usual, learn_by((*SPREAD_FEATURES, *names))
    for n_folds in (2, 3, 8, 12):
        yield f"learnt from {n_folds} folds", n_folds, own


def _inputs(table: pd.DataFrame, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    known = table[[f"known_{name}" for name in names]].to_numpy(np.float32)
    return log1p_units(table["point"].to_numpy()), known


def _fit_small(matrix: np.ndarray, target: np.ndarray, objective: str) -> lgb.Booster:
    settings = _SMALL_TREES | {"objective": objective}
    return lgb.train(settings, lgb.Dataset(matrix, target.astype(float)), num_boost_round=40)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--until", help="last day that is looked at, ISO")
    parser.add_argument("--folds", type=int, default=8, help="forecast in all")
    parser.add_argument("--tested", type=int, default=4, help="newest folds that are scored")
    parser.add_argument("--name", help="of the result; the folder's by default")
    options = parser.parse_args()
    parameters, panel = load_parameters(), read_panel(options.raw_dir)
    training = TrainingParameters(**parameters["training"])
    horizon = training.horizon
    until = panel.day_of(options.until) if options.until else panel.n_days - 1 - horizon
    settings = parameters["model_settings"][training.model]
    folds = forecast_folds(panel.until(until), until, options.folds, training, settings)
    table = pd.DataFrame(
        {"trial": name} | try_out(folds, options.tested, n_folds, learn)
        for name, n_folds, learn in list_trials()
        if options.tested + n_folds <= options.folds
    )
    name = options.name or options.raw_dir.name
    notes = [
        f"Command: `python benchmarks/intervals.py --raw-dir {name_folder(options.raw_dir)} "
        f"--until {panel.date_of(until)} --folds {options.folds} --tested {options.tested}`. "
        f"{len(panel.series):,} series, {options.tested} folds of {horizon} days scored, each "
        f"learnt from the {_FOLDS_LEARNT_FROM} before it unless said otherwise.",
        "Pinball loss: mean over the quantiles 0.1, 0.5, 0.9; lower is better. By family: those "
        f"with {_ENOUGH_ROWS} rows of which fewer than 70 % are without a sale. Less than one "
        "unit: rows whose interval holds no whole number but zero, and how many of them it covers.",
    ]
    write_result(
        f"intervals_{name}", f"Quantiles and intervals on {name}", notes, {"Trials": table}
    )


if __name__ == "__main__":
    main()
