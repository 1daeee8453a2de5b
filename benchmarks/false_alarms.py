"""How often monitoring raises an alarm while nothing is wrong, and how late when something is.

Quiet weeks: sales go on for two years after the sample as they always did. Each day arrives with
its promotion plan, the champion forecasts, and the checks are made, as `kedro daily` does. A model
is trained every eight weeks, so that each season is watched by fresh and by older models.

Then demand shifts (`demand_shift`) on some dates, four weeks after a training: how many days pass
until the advice is to retrain.

What is done is kept in `build/false_alarms`, by commit and seed: a run that broke off goes on.

    python benchmarks/false_alarms.py
    python benchmarks/false_alarms.py --weeks 8 --shifts 1
"""

import argparse
import dataclasses
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from common import PROJECT, describe_commit, load_parameters, write_result
from quiet_world import ADVICE, WEEK, Period, live_through, split

from grocery_demand.core.monitoring.advice import CHECK_FEED, KEEP, RETRAIN
from grocery_demand.core.monitoring.check import ALARM
from grocery_demand.core.simulation.parameters import SimulationParameters

_MODEL_WEEKS = 8
_SHIFTS = ("2017-09-06", "2017-12-11", "2018-03-09", "2018-07-14")
_DAYS_BEFORE, _DAYS_AFTER = 28, 42


def main() -> None:
    options = _parse()
    parts = PROJECT / "build" / "false_alarms" / f"{describe_commit()}-{options.seed}"
    parts.mkdir(parents=True, exist_ok=True)
    world = SimulationParameters(**load_parameters()["simulation"] | {"seed": options.seed})
    quiet = [
        _take_part(parts, f"quiet-{last}-{n_days}", Period(world, last, n_days))
        for last, n_days in split(world.last_day, options.weeks, _MODEL_WEEKS)
    ]
    shifted = [(day, _shift(parts, world, day)) for day in _SHIFTS[: options.shifts]]
    found = pd.concat(quiet, ignore_index=True)
    first = pd.Timestamp(world.last_day) + pd.Timedelta(days=1)
    found["week"] = (pd.to_datetime(found["date"]) - first).dt.days // WEEK
    notes = [
        f"Command: `python benchmarks/false_alarms.py --weeks {options.weeks} --shifts "
        f"{options.shifts} --seed {options.seed}`. Simulated sales of {world.stores} stores and "
        f"{world.items} items go on as before after {world.end_date}; a model is trained every "
        f"{_MODEL_WEEKS} weeks. Every alarm of the quiet weeks is false.",
        "Skew and explanations are looked at once a week, the others daily. The checks of usage, "
        "of a challenger and of what updates report (new days, rows set aside, rows of the plan "
        "set aside, files refused) are not in it.",
    ]
    tables = {"Quiet weeks": _summarise(found), "Checks of the quiet weeks": _count(found)}
    alarms = found[found["state"] == ALARM]
    if len(alarms):
        tables["False alarms by week"] = _list_alarms(alarms)
    if shifted:
        tables["Days until a shift of demand is found"] = _tell_delays(shifted)
    write_result("false_alarms", "False and late alarms of monitoring", notes, tables)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--shifts", type=int, default=len(_SHIFTS), choices=range(5))
    parser.add_argument("--seed", type=int, default=20150601)
    return parser.parse_args()


def _take_part(parts: Path, name: str, period: Period) -> pd.DataFrame:
    """Return what a period gave, from the file of an earlier run if there is one."""
    path, begun = parts / f"{name}.parquet", time.perf_counter()
    if not path.exists():
        beside = path.with_suffix(".part")
        live_through(period).to_parquet(beside, index=False)
        beside.replace(path)
    print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    return pd.read_parquet(path)


def _shift(parts: Path, world: SimulationParameters, start: str) -> pd.DataFrame:
    trained = date.fromisoformat(start) - timedelta(days=_DAYS_BEFORE + 1)
    n_days = _DAYS_BEFORE + _DAYS_AFTER
    last = trained + timedelta(days=n_days)
    shifting = dataclasses.replace(
        world, end_date=last.isoformat(), scenario="demand_shift", scenario_start=start
    )
    period = Period(shifting, trained, n_days, until_retrain=True)
    return _take_part(parts, f"shift-{start}", period)


def _summarise(found: pd.DataFrame) -> pd.DataFrame:
    advice = found[found["area"] == ADVICE]
    share = advice["value"] / advice["threshold"]
    return pd.DataFrame(
        {
            "quiet weeks": [found["week"].nunique()],
            "weeks with false advice": [advice.loc[advice["state"] != KEEP, "week"].nunique()],
            "weeks with a false alarm of any check": [
                found.loc[found["state"] == ALARM, "week"].nunique()
            ],
            "days with advice to retrain": [int((advice["state"] == RETRAIN).sum())],
            "days with advice to check the feed": [int((advice["state"] == CHECK_FEED).sum())],
            "mean of live error / bar": [float(share.mean())],
            "highest": [float(share.max())],
        }
    )


def _count(found: pd.DataFrame) -> pd.DataFrame:
    checks = found[found["area"] != ADVICE]
    by_check = checks.groupby(["area", "check"])
    counts = checks.groupby(["area", "check", "state"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["ok", "watch", ALARM, "unknown"], fill_value=0)
    counts = counts.rename(columns=lambda state: f"times {state}")
    alarmed = by_check.apply(lambda rows: rows.loc[rows["state"] == ALARM, "week"].nunique())
    return counts.assign(**{"weeks with an alarm": alarmed}).reset_index()


def _list_alarms(alarms: pd.DataFrame) -> pd.DataFrame:
    by_week = alarms.groupby(["week", "area", "check"], as_index=False)
    return by_week.agg(since=("date", "min"), days=("date", "size"), first=("detail", "first"))


def _tell_delays(shifted: list[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row per shift: days of sales until the first alarm, and until the advice."""
    records = []
    for start, found in shifted:
        after = found[found["date"] >= start]
        alarms, advice = after[after["state"] == ALARM], after[after["state"] == RETRAIN]
        before = found[(found["date"] < start) & (found["area"] == ADVICE)]
        records.append(
            {
                "shift begins": start,
                "first alarm after days": _days_until(start, alarms),
                "by": ", ".join(alarms.loc[alarms["date"] == alarms["date"].min(), "check"]),
                "advice to retrain after days": _days_until(start, advice),
                "days of false advice before": int((before["state"] != KEEP).sum()),
            }
        )
    return pd.DataFrame(records)


def _days_until(start: str, rows: pd.DataFrame) -> str:
    """Return how many days of shifted sales it took."""
    if rows.empty:
        return f"not in {_DAYS_AFTER}"
    return str((date.fromisoformat(rows["date"].min()) - date.fromisoformat(start)).days + 1)


if __name__ == "__main__":
    main()
