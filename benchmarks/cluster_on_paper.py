"""What larger data would need, reckoned from what was measured: workers, memory, network, cost.

Nothing here was tried at these sizes. What grows with the data is taken from the weak scaling of
`cluster.py`, as the slope from the smallest run to the largest; what does not, since parameters
bound it, from the full size of `speed.py`; what the driver does alone from `cluster_rates.py`.
"""

import json
import math
import re

import numpy as np
import pandas as pd
from common import GIB, RESULTS, load_parameters

TREES = 60
"""Of each model that `cluster.py` fits."""

_ROWS, _SERIES, _DAYS, _PLANNED = 125_497_040, 174_685, 1_688, 3_370_464
"""Of the competition's files; the last is the rows of its plan, `test`."""

_TIMES = (1, 10, 100)
_WORKER_MEMORY, _USED = 8.0, 0.6
"""GiB of a worker, and the share of it at which Dask begins to spill."""

_BOUNDED = ("backtest_model", "train_beyond_horizon", "fit_challenger")
"""Stages that learn from rows whose number is bounded by parameters."""

_CORES = 2
"""Of the machine on which `speed.py` measured."""

_DRIVER = 2
"""Workers for whose price one gets the driver."""

_BLOCK, _BLOCKS_PER_WORKER, _BLOCKS_IN_ALL = 1 / 16, 2, 32
"""GiB that a block of the raw file takes, and how many there are; see `cluster/raw_sales.py`."""

_SALES_ROW = 25
"""Bytes of a checked row of the sales in memory."""

_GBIT = 1e9 / 8 / 1e6
"""Megabytes in a second by a network of one gigabit."""

_CELL = 5
"""Bytes of the panel for each series and day."""

RATES = RESULTS / "cluster_rates.json"
"""What `cluster_rates.py` measured."""


def describe_paper(kept: dict, price: float) -> tuple[list[str], dict[str, pd.DataFrame]]:
    """Return notes and tables.

    Args:
        kept: The runs of `cluster.py` by name.
        price: Of an hour of a worker with 8 GiB and one core.
    """
    weak = [kept[name] for name in ("1", "2", "4")]
    rates = json.loads(RATES.read_text(encoding="utf-8"))
    if "part_row" not in rates:
        raise SystemExit(f"{RATES.name} is of an earlier version: run cluster_rates.py first.")
    slopes = _find_slopes(weak, kept["one worker"], kept["2"])
    base = min(max(stage["driver_peak"] for stage in run["stages"].values()) for run in weak)
    seconds = _read_speed()
    table = pd.DataFrame([_reckon(n, slopes, rates, seconds, base, price) for n in _TIMES])
    measured = pd.DataFrame([{"what": name, "measured": value} for name, value in slopes.items()])
    return [_describe(price, max(run["rows"] for run in weak), rates)], {
        "What grows with the data": measured,
        "What the driver does alone, and what a part takes": _list_rates(rates),
        "On paper: 1, 10 and 100 times Favorita": table,
    }


def _find_slopes(weak: list[dict], one: dict, two: dict) -> dict[str, float]:
    """Return what the workers need for each million rows or series-days more.

    Args:
        weak: The runs of the weak scaling.
        one: A run on one worker.
        two: The same on two, which also send each other LightGBM's sums.
    """
    rows = [run["rows"] / 1e6 for run in weak]
    held = [run["cells"] / run["workers"] / 1e6 for run in weak]
    peaks = [max(s["peak"] for s in run["stages"].values()) for run in weak]
    growing = [[s for name, s in run["stages"].items() if name not in _BOUNDED] for run in weak]
    compute = [sum(stage["compute"] for stage in stages) for stages in growing]
    sent = [sum(stage["megabytes"] for stage in stages) for stages in growing]
    memory, base = np.polyfit(held, peaks, 1)
    return {
        "a worker's memory before its parts, GiB": base,
        "its memory for each series and day, bytes": memory * GIB / 1e6,
        "tasks of stages that grow, s for a million rows": np.polyfit(rows, compute, 1)[0],
        "sent by stages that grow, MB for a million rows": np.polyfit(rows, sent, 1)[0],
        f"sent between two workers for {TREES} trees, MB": _find_sent(two) - _find_sent(one),
    }


def _list_rates(rates: dict) -> pd.DataFrame:
    """Return what was measured, for people."""
    told = {
        "hashing and reading the raw file, s for a million rows": "reading",
        "its text, handed to the workers, MB for a million rows": "text",
        "copying the parts to another folder, s for a million rows": "copying",
        "the sales table on disk, MB for a million rows": "megabytes",
        "joining the panel, s for a million series and days": "joining",
        "memory for the plan, bytes a row": "plan",
        "a worker's memory for a part's sales, bytes a row": "part_row",
    }
    return pd.DataFrame([{"what": what, "measured": rates[name]} for what, name in told.items()])


def _find_sent(run: dict) -> float:
    """Return the megabytes of the stages that fit models."""
    return sum(run["stages"][name]["megabytes"] for name in _BOUNDED)


def _read_speed() -> dict[str, float]:
    """Return seconds by stage of one machine at full size."""
    text = (RESULTS / "speed_simulated.md").read_text(encoding="utf-8")
    loop = text.partition("## Stages of the whole loop")[2].partition("## ")[0]
    return {name: float(s) for name, s in re.findall(r"\| (\w+) \| ([\d.]+) \|", loop)}


def _reckon(
    times: int,
    slopes: dict[str, float],
    rates: dict,
    seconds: dict[str, float],
    driver_base: float,
    price: float,
) -> dict[str, object]:
    base, per_cell, per_row, sent, of_trees = slopes.values()
    rows, cells = times * _ROWS / 1e6, times * _SERIES * _DAYS
    room = _WORKER_MEMORY * _USED - base
    workers = max(math.ceil(cells * max(per_cell, _CELL) / GIB / room), 2)
    n_parts = max(workers, rates["parts"], math.ceil(rows * 1e6 * rates["part_row"] / GIB / room))
    grown = rows * max(per_row, 0) / workers
    bounded = sum(seconds[name] for name in _BOUNDED) * _CORES / workers
    handing = rows * (rates["reading"] + rates["text"] / _GBIT)
    trees = load_parameters()["model_settings"]["lightgbm"]["n_estimators"] / TREES
    megabytes = rows * max(sent, 0) + of_trees * trees * (workers - 1)
    network = megabytes / workers / _GBIT
    joining = cells / 1e6 * rates["joining"]
    fetched = rows * rates["megabytes"] + cells * _CELL / 1e6
    copying = rows * rates["copying"] + fetched / _GBIT
    driver = joining + copying
    hours = (grown + bounded + handing + network + driver) / 3600
    blocks = min(_BLOCKS_PER_WORKER * workers, _BLOCKS_IN_ALL) * _BLOCK
    largest_part = rows * 1e6 * _SALES_ROW / n_parts / GIB
    plan = times * _PLANNED * rates["plan"] / GIB
    parts = {
        "reading and handing out raw files": handing,
        "joining, copying": driver,
        "workers' tasks": grown + bounded,
        "network of 1 Gbit/s": network,
    }
    return {
        "times": times,
        "rows, millions": f"{rows:,.0f}",
        "workers of 8 GiB": workers,
        "parts": n_parts,
        "their memory, GiB": workers * _WORKER_MEMORY,
        "driver's memory, GiB": driver_base + max(blocks, largest_part, plan),
        "network, GB": megabytes / 1e3,
        "hours": hours,
        "of them reading raw files": f"{handing / 3600 / hours:.0%}",
        "joining": f"{joining / 3600 / hours:.0%}",
        "copying from S3": f"{copying / 3600 / hours:.0%}",
        "cost": hours * (workers + _DRIVER) * price,
        "first bottleneck": max(parts, key=parts.__getitem__),
    }


def _describe(price: float, most_rows: int, rates: dict) -> str:
    bounded = ", ".join(_BOUNDED)
    return (
        f"On paper: {_SERIES:,} series × {_DAYS:,} days and {_ROWS / 1e6:.1f} million rows, once, "
        f"ten and a hundred times. A worker has one core and {_WORKER_MEMORY:g} GiB, {_USED:.0%} "
        "of it for its parts (then Dask spills), and at least 5 bytes for each series and day. Its "
        "seconds: the slope above for stages that grow; "
        f"{bounded} are bounded by parameters and take what they took one machine of {_CORES} "
        "cores at full size ([speed](speed_simulated.md)), shared out. "
        "Raw rows are checked by the workers, among the stages that grow; the driver alone hashes "
        "and reads the file, counts its lines, and hands its text out by one network of 1 Gbit/s. "
        "It holds what it held in the smallest run, and the largest of the blocks under way "
        f"(32 MiB each, and as much on its way; {_BLOCKS_PER_WORKER} a worker, {_BLOCKS_IN_ALL} at "
        f"most), of one part of the sales while it copies it ({_SALES_ROW} bytes a row) and of the "
        f"whole plan ({_PLANNED / 1e6:.1f} million rows, once), which it checks itself. Bytes: "
        "the slope above, and for each worker but one what two sent more than one while models "
        "were fitted, times the trees of a model by default; all of them shared by the workers' "
        "networks. What the driver does alone was "
        f"measured by `cluster_rates.py` on {rates['rows'] / 1e6:.1f} million rows and "
        f"{rates['cells'] / 1e6:.1f} million series and days in {rates['parts']} parts, at commit "
        f"{rates['commit']}, in folders of one machine whose files were still in its memory: a "
        "disk that writes more slowly takes longer. There are as many parts as workers, "
        f"{rates['parts']} at least, and more if a worker could not bring the rows of one "
        f"together: what that takes was measured on {rates['rows_in_parts'] / 1e6:.1f} million "
        "rows. Copying and joining are reckoned for parts on S3, from which the driver fetches "
        f"table and panel ({_CELL} bytes for each series and day) by a network of 1 Gbit/s; in "
        "folders that the driver shares nothing is copied. The table of forecasts, with some 2% "
        "of the rows, is left out. At most 32 blocks are checked at once, as the network brings no "
        "more. The "
        "cost is for "
        f"{price:g} an hour of a worker, and of the driver as of {_DRIVER} workers, "
        "all held for the whole run; `--price` takes another. Left out are rows "
        "that come to the driver for scores, which parameters bound, the scheduler's own work, and "
        "the requests to S3: for each part its worker opens the file of every block of raw rows. "
        f"The slopes come from at most {most_rows / 1e6:.1f} million rows, {_ROWS / most_rows:.0f} "
        "times less than the smallest of these sizes: take the figures for their order."
    )
