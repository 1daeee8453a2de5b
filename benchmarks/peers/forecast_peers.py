"""Forecast by other libraries, set up as a competent user would; runs in their own environment.

Reads `history.parquet` (one row per series and day up to the cutoff, without gaps: unique_id, ds,
y, onpromotion, holidays, and the attributes store_nbr, item_nbr, family, class, type, cluster) and
`future.parquet` (the days ahead: unique_id, ds, onpromotion, holidays), and writes `peers.parquet`:
one row per model, series and day ahead with point, lower and upper bound of the 80 % interval, and
`peers.json` with the seconds that each model took.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")

LEVEL = 80
WINDOWS = 4
"""Windows whose errors give mlforecast's intervals: as many as this project's backtest has."""

WEEK = 7
YEAR = 364
LAGS = [1, 7, 14, 28]
CALENDAR = "mlforecast with calendar"
HOLIDAYS = ["local_holiday", "national_day", "days_to_holiday", "days_since_holiday"]
ATTRIBUTES = ["store_nbr", "item_nbr", "family", "class", "type", "cluster"]
TREES = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 20,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.6,
    "verbosity": -1,
}


def forecast_mlforecast(
    history: pd.DataFrame,
    future: pd.DataFrame,
    threads: int,
    *,
    name: str = "mlforecast",
    windows: int = 0,
) -> pd.DataFrame:
    """LightGBM, recursive, on ln(1+y) scaled by series, with the promotion plan ahead.

    By the other name it is given the holidays and the same weekday a year ago, too.

    Lags and windows reach over half of the history at most, as no row without a value in each is
    learnt from. With windows, its conformal intervals of so many of them.
    """
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import (
        ExponentiallyWeightedMean,
        RollingMean,
        SeasonalRollingMean,
    )
    from mlforecast.target_transforms import GlobalSklearnTransformer, LocalStandardScaler
    from mlforecast.utils import PredictionIntervals
    from sklearn.preprocessing import FunctionTransformer

    lags = LAGS
    if name == CALENDAR:
        lags = [*LAGS, YEAR]
    else:
        history, future = (t.drop(columns=HOLIDAYS, errors="ignore") for t in (history, future))
    horizon = future["ds"].nunique()
    usable = history["ds"].nunique() // 2
    days = [window for window in (7, 28, 91) if window < usable]
    weeks = [window for window in (4, 8) if WEEK * window < usable]
    model = MLForecast(
        models={name: lgb.LGBMRegressor(n_jobs=threads, **TREES)},
        freq="D",
        lags=[lag for lag in lags if lag < usable],
        lag_transforms={
            1: [*map(RollingMean, days), ExponentiallyWeightedMean(0.3)],
            WEEK: [SeasonalRollingMean(WEEK, window) for window in weeks],
        },
        date_features=["dayofweek", "day", "month", "dayofyear"],
        target_transforms=[
            GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1)),
            LocalStandardScaler(),
        ],
        num_threads=threads,
    )
    conformal = PredictionIntervals(n_windows=windows, h=horizon) if windows else None
    level = [LEVEL] if windows else None
    model.fit(history, static_features=ATTRIBUTES, prediction_intervals=conformal)
    return rename(model.predict(horizon, X_df=future, level=level), name)


def add_conformal_bounds(
    found: pd.DataFrame, history: pd.DataFrame, future: pd.DataFrame, threads: int, name: str
) -> pd.DataFrame:
    """Put mlforecast's conformal bounds beside its forecasts, where the series are long enough.

    There are four windows, or, if no series is long enough for them, two.
    """
    days = history["unique_id"].map(history["unique_id"].value_counts())
    for windows in (WINDOWS, 2):
        long = history[days > (windows + 1) * future["ds"].nunique() + max(LAGS)]
        if not long.empty:
            break
    else:
        return found
    ahead = future[future["unique_id"].isin(long["unique_id"])]
    bounds = forecast_mlforecast(long, ahead, threads, name=name, windows=windows)
    keys = ["unique_id", "ds"]
    return found.drop(columns=["lower", "upper"]).merge(
        bounds[[*keys, "lower", "upper"]], how="left", on=keys
    )


def forecast_skforecast(history: pd.DataFrame, future: pd.DataFrame, threads: int) -> pd.DataFrame:
    """LightGBM over all series, recursive, on ln(1+y), with calendar and promotion as inputs."""
    from skforecast.preprocessing import RollingFeatures
    from skforecast.recursive import ForecasterRecursiveMultiSeries

    history, future = (t.assign(unique_id=t["unique_id"].astype(str)) for t in (history, future))
    wide = np.log1p(history.pivot(index="ds", columns="unique_id", values="y")).asfreq("D")
    both = pd.concat([history, future])[["unique_id", "ds", "onpromotion"]]
    inputs = {
        series: with_calendar(rows.set_index("ds")[["onpromotion"]].asfreq("D"))
        for series, rows in both.groupby("unique_id")
    }
    model = ForecasterRecursiveMultiSeries(
        estimator=lgb.LGBMRegressor(n_jobs=threads, **TREES),
        lags=[*LAGS, 2, 3, 21],
        window_features=RollingFeatures(stats=["mean", "mean"], window_sizes=[7, 28]),
        encoding="ordinal",
        transformer_series=None,
    )
    last = wide.index[-1]
    series = {name: wide[name].dropna() for name in wide}
    series = {name: values for name, values in series.items() if len(values) > 2 * max(LAGS)}
    past = {name: inputs[name].loc[:last] for name in series}
    ahead = {name: inputs[name].loc[last + pd.Timedelta(days=1) :] for name in series}
    model.fit(series=series, exog=past)
    found = model.predict(steps=future["ds"].nunique(), exog=ahead)
    found = found.rename(columns={"level": "unique_id"}).rename_axis("ds").reset_index()
    found["unique_id"] = found["unique_id"].astype(np.int64)
    found["point"] = np.expm1(found["pred"])
    return found.assign(model="skforecast", lower=np.nan, upper=np.nan)


def forecast_statsforecast(
    history: pd.DataFrame, future: pd.DataFrame, threads: int, name: str
) -> pd.DataFrame:
    """A model per series on ln(1+y), with a season of a week."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS, DynamicOptimizedTheta, SeasonalNaive

    kinds = {"AutoETS": AutoETS, "DynamicOptimizedTheta": DynamicOptimizedTheta}
    model = StatsForecast(
        models=[kinds[name](season_length=WEEK)],
        freq="D",
        n_jobs=threads,
        fallback_model=SeasonalNaive(season_length=WEEK),
    )
    series = history[["unique_id", "ds", "y"]].assign(y=np.log1p(history["y"]))
    found = model.forecast(df=series, h=future["ds"].nunique(), level=[LEVEL])
    numbers = found.columns.difference(["unique_id", "ds"])
    found[numbers] = np.expm1(found[numbers].clip(lower=0))
    return rename(found, name)


def rename(found: pd.DataFrame, name: str) -> pd.DataFrame:
    bounds = {f"{name}-lo-{LEVEL}": "lower", f"{name}-hi-{LEVEL}": "upper", name: "point"}
    found = found.rename(columns=bounds).assign(model=name)
    for bound in ("lower", "upper"):
        if bound not in found:
            found[bound] = np.nan
    return found


def with_calendar(rows: pd.DataFrame) -> pd.DataFrame:
    days = rows.index
    return rows.assign(weekday=days.dayofweek, day=days.day, month=days.month).fillna(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bounds", action="store_true", help="mlforecast's conformal ones, too")
    options = parser.parse_args()
    history = pd.read_parquet(options.folder / "history.parquet")
    future = pd.read_parquet(options.folder / "future.parquet")
    for column in ("family", "type"):
        history[column] = history[column].astype("category").cat.codes
    tables, seconds = [], {}
    for name in options.models:
        start = time.perf_counter()
        if name in ("mlforecast", CALENDAR):
            found = forecast_mlforecast(history, future, options.threads, name=name)
        elif name == "skforecast":
            found = forecast_skforecast(history, future, options.threads)
        else:
            found = forecast_statsforecast(history, future, options.threads, name)
        seconds[name] = round(time.perf_counter() - start, 2)
        if name in ("mlforecast", CALENDAR) and options.bounds:
            found = add_conformal_bounds(found, history, future, options.threads, name)
        columns = ["unique_id", "ds", "point", "lower", "upper"]
        tables.append(found[columns].assign(model=name))
        print(f"  {name}: {seconds[name]:.1f} s", flush=True)
    pd.concat(tables).to_parquet(options.folder / "peers.parquet")
    (options.folder / "peers.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
