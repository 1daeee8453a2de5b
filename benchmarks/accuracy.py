"""Compare the default model's 16-day forecasts with baselines and peers on past cutoffs.

python benchmarks/accuracy.py --raw-dir data/01_raw/sample
python benchmarks/accuracy.py --raw-dir FOLDER --cutoffs 2017-06-12 2017-06-28 --name real_stores

Each cutoff is forecast as `kedro run --pipeline train` forecasts its holdout: nothing after it is
known but calendar and promotion plan. Peers run in their own environment, once set up by
`python -m venv benchmarks/peers/.venv` and `pip install -r benchmarks/peers/requirements.txt`.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from common import load_parameters, name_folder, read_panel, shorten, write_result

from grocery_demand.core import metrics
from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.gate.comparison import compare_slices, sum_errors
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.scores import row_weights
from grocery_demand.core.training import run_backtest

PEERS = Path(__file__).parent / "peers"
CALENDAR = "mlforecast with calendar"
PEER_MODELS = ["mlforecast", CALENDAR, "skforecast", "AutoETS", "DynamicOptimizedTheta"]
OURS = "this project"
_ATTRIBUTES = ["store_nbr", "item_nbr", "family", "class", "type", "cluster"]
_NATIONAL = ["national_day", "days_to_holiday", "days_since_holiday"]
_CONFIDENCE = 0.95


def forecast_ours(panel: Panel, cutoff: str) -> pd.DataFrame:
    """Return the rows of one cutoff as this project and the baselines forecast them."""
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    known = panel.until(panel.day_of(cutoff) + training.horizon)
    settings = parameters["model_settings"][training.model]
    table = run_backtest(known, training, settings).holdout
    return table.rename(
        columns={
            "point": OURS,
            "quantile_0.1": f"{OURS}_lower",
            "quantile_0.9": f"{OURS}_upper",
            "interval_low": f"{OURS}_interval_lower",
            "interval_high": f"{OURS}_interval_upper",
        }
    )


def draw_series(panel: Panel, n_series: int | None) -> Panel:
    """Return so many series of a panel, drawn at random; all without a number."""
    if n_series is None or n_series >= len(panel.series):
        return panel
    seed = load_parameters()["training"]["seed"]
    drawn = np.random.default_rng(seed).choice(len(panel.series), n_series, replace=False)
    return panel.select(np.sort(drawn))


def mark_new_items(table: pd.DataFrame, panel: Panel, cutoff: str) -> pd.DataFrame:
    """Return the rows with `is_new_item`: whether no store sold the item up to the cutoff."""
    sold = panel.series.loc[panel.first_sale <= panel.day_of(cutoff), "item_nbr"]
    return table.assign(is_new_item=~table["item_nbr"].isin(sold))


def add_peers(
    table: pd.DataFrame, panel: Panel, day: int, peers: list[str], threads: int
) -> pd.DataFrame:
    """Return the rows of a panel's series with the forecasts of peers, which are given these."""
    table = table.merge(panel.series[SERIES_KEY], on=SERIES_KEY)
    if not peers:
        return table
    with tempfile.TemporaryDirectory() as folder:
        horizon = int(table["step"].max())
        history, future = _to_long(panel, day, horizon)
        history.to_parquet(f"{folder}/history.parquet")
        future.to_parquet(f"{folder}/future.parquet")
        program = [PEERS / ".venv/bin/python", PEERS / "forecast_peers.py", folder]
        subprocess.run(
            [*program, "--models", *peers, "--threads", str(threads), "--bounds"], check=True
        )
        found = pd.read_parquet(f"{folder}/peers.parquet")
    keys = pd.DataFrame(
        {
            "unique_id": _identify(table[SERIES_KEY]),
            "ds": table["date"].astype("datetime64[ns]"),
        }
    )
    for name in peers:
        rows = keys.merge(found[found["model"] == name], how="left", on=["unique_id", "ds"])
        table[name] = rows["point"].to_numpy()
        table[f"{name}_lower"], table[f"{name}_upper"] = rows["lower"], rows["upper"]
    return table


def _to_long(panel: Panel, day: int, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return history and future as the peers read them.

    A series begins with its first sale. Days on which its store sold nothing are filled with the
    same weekday a week before, as a peer that knows no closed stores would otherwise learn zeros.
    """
    first = panel.series["first_sale"].to_numpy()
    rows = np.flatnonzero(first <= day)
    units = panel.units[rows, : day + 1].copy()
    closed = ~panel.open_days[panel.store_position[rows], : day + 1]
    for d in range(7, day + 1):
        units[closed[:, d], d] = units[closed[:, d], d - 7]
    series = panel.series.iloc[rows].reset_index(drop=True)
    days = panel.start_date + np.arange(day + 1 + horizon)
    calendar = panel.calendar.day_features()
    national = pd.DataFrame({name: calendar[name][: day + 1 + horizon] for name in _NATIONAL})
    local = panel.calendar.local[panel.store_position[rows], : day + 1 + horizon]
    wide = np.arange(day + 1)
    started = (wide >= first[rows, None]).ravel()
    past = series[_ATTRIBUTES].loc[np.repeat(np.arange(len(rows)), day + 1)[started]]
    history = past.assign(
        unique_id=_identify(past),
        ds=np.tile(days[: day + 1], len(rows))[started].astype("datetime64[ns]"),
        y=units.ravel()[started],
        onpromotion=panel.promotions[rows, : day + 1].ravel()[started],
        local_holiday=local[:, : day + 1].ravel()[started],
        **national.iloc[np.tile(wide, len(rows))[started]].to_dict("list"),
    )
    ahead = series[SERIES_KEY].loc[np.repeat(np.arange(len(rows)), horizon)]
    plan = np.zeros((len(rows), horizon), np.uint8)
    planned = panel.promotions[rows, day + 1 : day + 1 + horizon]
    plan[:, : planned.shape[1]] = planned
    future = pd.DataFrame(
        {
            "unique_id": _identify(ahead),
            "ds": np.tile(days[day + 1 :], len(rows)).astype("datetime64[ns]"),
            "onpromotion": plan.ravel(),
            "local_holiday": local[:, day + 1 :].ravel(),
            **national.iloc[np.tile(np.arange(horizon) + day + 1, len(rows))].to_dict("list"),
        }
    )
    return history.reset_index(drop=True), future


def _identify(keys: pd.DataFrame) -> np.ndarray:
    """Return one number per series."""
    return keys["store_nbr"].to_numpy(np.int64) * 10_000_000 + keys["item_nbr"].to_numpy(np.int64)


def score(table: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """Score each model on the rows that every one of them forecasts."""
    rows = _forecast_by_each(table, models)
    actual, weight = rows["unit_sales"].to_numpy(), row_weights(rows)
    ours = metrics.nwrmsle(actual, rows[OURS].to_numpy(), weight)
    bounded = _with_all_bounds(rows, models)
    records = []
    for name in models:
        error = metrics.nwrmsle(actual, np.maximum(rows[name].to_numpy(), 0), weight)
        record = {"model": name, "NWRMSLE": error, "this project / it": ours / error}
        records.append(record | _count_defeats(rows, name) | _score_interval(bounded, name))
    return pd.DataFrame(records).sort_values("NWRMSLE", ignore_index=True)


def _forecast_by_each(table: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    return table[table[models].notna().all(axis=1)]


def _with_all_bounds(rows: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """Return the rows for which every model that gives intervals gives one."""
    columns = [f"{name}_lower" for name in models if f"{name}_lower" in rows]
    given = [column for column in columns if rows[column].notna().any()]
    return rows[rows[given].notna().all(axis=1)]


def _count_defeats(rows: pd.DataFrame, name: str) -> dict[str, str]:
    """Count the families and store types in which a model beats ours, and names the sure ones.

    Sure is what 95 % intervals over series say, made for all slices together as the gate makes
    them; with few rows in a slice, somebody is always ahead by chance.
    """
    slices = compare_slices(sum_errors(rows, OURS, name), _CONFIDENCE)
    lost = [key for key, found in slices.items() if found.challenger > found.reference]
    sure = [value for (_, value), found in slices.items() if found.significantly_worse]
    return {
        "slices where it is better": f"{len(lost)} of {len(slices)}",
        "beyond chance": ", ".join(sure) or "none",
    }


def list_defeats(table: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """Return the families and store types in which any model beats ours, and the best one there."""
    rows = _forecast_by_each(table, models)
    others = [name for name in models if name != OURS]
    found = {name: compare_slices(sum_errors(rows, OURS, name), _CONFIDENCE) for name in others}
    records = []
    for key in found[others[0]]:
        best = min(others, key=lambda name: found[name][key].reference)
        ours, its = found[best][key].challenger, found[best][key].reference
        if ours > its:
            sizes = {"slice": " ".join(key), "rows": int((rows[key[0]] == key[1]).sum())}
            records.append(sizes | {"this project": ours, "best": best, "its NWRMSLE": its})
    return pd.DataFrame(records)


def cover_slices(table: pd.DataFrame) -> pd.DataFrame:
    """Return how evenly our 80 % intervals cover, by several groupings."""
    low, high = table[f"{OURS}_interval_lower"], table[f"{OURS}_interval_upper"]
    marked = table.assign(
        inside=table["unit_sales"].between(low, high), zero=table["unit_sales"] == 0
    )
    marked["new series"] = marked["is_new"].map({True: "yes", False: "no"})
    records = []
    for name in ("step", "type", "family", "new series"):
        groups = marked.groupby(name, observed=True)[["inside", "zero"]].mean()
        groups = groups.sort_values("inside")
        outside = groups[~groups["inside"].between(0.7, 0.9)]
        told = [
            f"{value} {row.inside:.3f} ({row.zero:.0%} zeros)"
            for value, row in zip(outside.index, outside.itertuples(), strict=True)
        ]
        record = {"by": name, "groups": len(groups), "lowest": groups["inside"].iloc[0]}
        record |= {"highest": groups["inside"].iloc[-1]}
        records.append(record | {"outside 70–90 %": "; ".join(told) or "none"})
    return pd.DataFrame(records)


def _score_interval(rows: pd.DataFrame, name: str) -> dict[str, float]:
    lower, upper = (rows.get(f"{name}_{bound}") for bound in ("lower", "upper"))
    if lower is None or lower.isna().all():
        return {"coverage of 80 %": float("nan"), "pinball loss": float("nan")}
    actual = rows["unit_sales"].to_numpy()
    losses = [
        metrics.pinball_loss(actual, bound.to_numpy(), level)
        for bound, level in ((lower, 0.1), (upper, 0.9))
    ]
    bounds = (rows.get(f"{name}_interval_{b}", rows[f"{name}_{b}"]) for b in ("lower", "upper"))
    covered = metrics.coverage(actual, *(bound.to_numpy() for bound in bounds))
    return {"coverage of 80 %": covered, "pinball loss": float(np.mean(losses))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True)
    parser.add_argument("--cutoffs", nargs="*", help="ISO dates; the last 16 days by default")
    parser.add_argument("--history-days", type=int, help="days known up to each cutoff; all")
    parser.add_argument(
        "--peers",
        nargs="*",
        default=PEER_MODELS,
        choices=PEER_MODELS,
        help="none: baselines only",
    )
    parser.add_argument(
        "--peer-series", type=int, help="series, drawn at random, that peers are given; all"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", help="of the result; the folder's by default")
    options = parser.parse_args()
    panel = read_panel(options.raw_dir)
    horizon = load_parameters()["training"]["horizon"]
    last = str(panel.date_of(panel.n_days - 1 - horizon))
    cutoffs = options.cutoffs or [last]
    if not all(str(panel.start_date) < cutoff <= last for cutoff in cutoffs):
        parser.error(f"cutoffs: dates after {panel.start_date}, up to {last}, as 2017-05-15")
    whole, tables = [], []
    for cutoff in cutoffs:
        known = shorten(panel, panel.day_of(cutoff), options.history_days)
        whole.append(mark_new_items(forecast_ours(known, cutoff), known, cutoff))
        drawn, day = draw_series(known, options.peer_series), known.day_of(cutoff)
        tables.append(add_peers(whole[-1], drawn, day, options.peers, options.threads))
    models = [OURS, "moving_average", "seasonal_naive", *options.peers]
    pooled = pd.concat(tables, ignore_index=True)
    total = score(pooled, models)
    by_cutoff = pd.DataFrame(
        [
            {
                "cutoff": cutoff,
                **score(table, models).set_index("model")["NWRMSLE"][models],
                "coverage of ours": score(table, [OURS])["coverage of 80 %"].iloc[0],
            }
            for cutoff, table in zip(cutoffs, tables, strict=True)
        ]
    )
    name = options.name or options.raw_dir.name
    days = f" --history-days {options.history_days}" if options.history_days else ""
    some = f" --peer-series {options.peer_series}" if options.peer_series else ""
    named = f" --name {options.name}" if options.name else ""
    everything = pd.concat(whole, ignore_index=True)
    new = everything[everything["is_new"]]
    n_scored = len(_forecast_by_each(pooled, models))
    notes = [
        f"Command: `python benchmarks/accuracy.py --raw-dir {name_folder(options.raw_dir)} "
        "--cutoffs "
        f"{' '.join(cutoffs)}{days}{some}{named}`. {len(panel.series):,} series, "
        f"16 days ahead of each cutoff: {n_scored:,} of {len(pooled):,} rows are scored, those "
        f"that every model forecasts. `{CALENDAR}` is mlforecast with the holidays that this "
        "project knows and, where the sales are long enough, a lag of 364 days. skforecast needs "
        "more than eight weeks of sales; no peer "
        f"forecasts a series without a sale before the cutoff ({pooled['is_new'].sum():,} rows).",
        "Beyond chance: slices where it is better by 95 % intervals over series (Bonferroni).",
        "NWRMSLE, pinball loss: lower is better. `this project / it`: below 1, ours is better. "
        "Interval columns: on the rows for which every model with intervals gives one. Pinball "
        "loss: of the quantiles 0.1 and 0.9, which are the bounds of the peers' intervals.",
    ]
    tables_out = {"All cutoffs": total, "By cutoff": by_cutoff}
    defeats = list_defeats(pooled, models)
    if len(defeats):
        tables_out["Slices where another model is better"] = defeats
    covered = cover_slices(everything)
    tables_out["Coverage of this project's 80 % intervals, all rows"] = covered
    if len(everything) > len(pooled):
        beside = score(everything, models[:3]).drop(columns="pinball loss")
        tables_out[f"All series, {len(everything):,} rows, beside the baselines"] = beside
    for what, is_new_item in (("items", True), ("store-item pairs of known items", False)):
        rows = new["is_new_item"] == is_new_item
        if rows.any():
            found = score(new[rows], models[:3])[["model", "NWRMSLE", "this project / it"]]
            tables_out[f"New {what}, {rows.sum():,} rows"] = found
    write_result(f"accuracy_{name}", f"Accuracy on {name}", notes, tables_out)


if __name__ == "__main__":
    main()
