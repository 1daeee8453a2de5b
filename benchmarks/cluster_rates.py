"""Measures what the driver does alone with raw files, plan and parts, and what a part takes.

python benchmarks/cluster_rates.py --raw-dir FULL_SIZE --in-parts TEN_MILLION

On folders of this machine: what S3's network adds is reckoned from the bytes.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from cluster_on_paper import RATES
from common import GIB, densify, describe_commit, peak_memory, read_checked, read_raw

from grocery_demand.cluster.client import connect
from grocery_demand.cluster.panel import cut_panel
from grocery_demand.cluster.raw_sales import ClusterRawSales
from grocery_demand.cluster.sales import write_sales
from grocery_demand.datasets import RawTableDataset
from grocery_demand.pipelines.preprocessing import nodes
from grocery_demand.storage.panel_joining import join_parts
from grocery_demand.storage.parted_panel import PartedPlace
from grocery_demand.storage.parted_table import TablePlace, copy_table

_PARTS = 8
_TIMES = 3


def find_shortest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some runs."""
    seconds = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def read_train(raw_dir: Path) -> Iterator[bytes]:
    """Hash train and give its text, block by block."""
    return RawTableDataset(filepath=str(raw_dir), table="train").load().read_blocks()


def read_text(raw_dir: Path) -> int:
    """Read train as the driver does, counting lines; return the bytes of its text."""
    n_bytes = n_lines = 0
    for block in read_train(raw_dir):
        n_bytes += len(block)
        n_lines += block.count(b"\n")
    return n_bytes


def hold_plan(raw_dir: Path) -> tuple[int, float]:
    """Check test and cut it by part, as the driver does; return its rows and the bytes it takes."""
    raw, reference, quality = read_raw(raw_dir)
    before = peak_memory()
    plan = nodes.check_promotion_plan(raw["test"], reference, quality).kept.to_pandas()
    stores = np.array_split(np.unique(plan["store_nbr"]), _PARTS)
    parts = [plan[plan["store_nbr"].isin(own)] for own in stores]
    return sum(map(len, parts)), (peak_memory() - before) * GIB


def check_in_parts(raw_dir: Path, folder: Path, n_parts: int) -> float:
    """Have one worker check train and bring its parts together; return its peak in bytes."""
    os.environ["GROCERY_DEMAND_WORKERS"] = "1"
    raw, reference, quality = read_raw(raw_dir)
    place = TablePlace(str(folder / f"in-{n_parts}"), "table", "")
    nodes.check_sales(ClusterRawSales(raw["train"], place, n_parts), reference, quality)
    return max(connect().run(peak_memory).values()) * GIB


def hold_part(raw_dir: Path, folder: Path) -> dict[str, object]:
    """Return the bytes that a worker needs for each row of a part: of all rows against half."""
    halved, whole = (alone(check_in_parts, raw_dir, folder, n_parts) for n_parts in (2, 1))
    rows = sum(block.count(b"\n") for block in read_train(raw_dir)) - 1  # the header
    return {"rows_in_parts": rows, "part_row": (whole - halved) / (rows / 2)}


def alone(function: Callable[..., Any], *given: Any) -> Any:
    """Call a function in a process of its own, whose peak of memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *given).result()


def measure(raw_dir: Path, raw_dir_in_parts: Path, folder: Path) -> dict[str, object]:
    """Read raw files in a folder; copy and join the parts of their sales and their panel."""
    planned, held = alone(hold_plan, raw_dir)
    of_parts = hold_part(raw_dir_in_parts, folder)
    checked = read_checked(raw_dir)
    panel, sales = densify(checked), checked[0]
    place, home = (TablePlace(str(folder / name), "table", "") for name in ("parts", "home"))
    parts = PartedPlace(str(folder / "panel_parts"))
    write_sales(sales, place, _PARTS)
    reading = find_shortest(lambda: read_text(raw_dir))
    copying = find_shortest(lambda: copy_table(place, home))
    kept = sum(path.stat().st_size for path in place.folder.glob("*.parquet"))

    def join_anew() -> None:
        cut_panel(panel, parts, _PARTS)
        begun = time.perf_counter()
        join_parts(parts, folder / "panel")
        joins.append(time.perf_counter() - begun)

    joins: list[float] = []
    find_shortest(join_anew)
    rows, cells = sales.height / 1e6, panel.units.size / 1e6
    return {
        "raw_dir": raw_dir.name,
        "rows": sales.height,
        "cells": panel.units.size,
        "parts": _PARTS,
        "commit": describe_commit(),
        "reading": reading / rows,
        "text": read_text(raw_dir) / 1e6 / rows,
        "copying": copying / rows,
        "megabytes": kept / 1e6 / rows,
        "joining": min(joins) / cells,
        "planned": planned,
        "plan": held / planned,
        **of_parts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True, help="raw files")
    parser.add_argument(
        "--in-parts", type=Path, required=True, help="raw files of which one worker holds all rows"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(options.raw_dir, options.in_parts, Path(folder))
    RATES.write_text(json.dumps(rates, indent=1) + "\n", encoding="utf-8")
    print(RATES.read_text())


if __name__ == "__main__":
    main()
