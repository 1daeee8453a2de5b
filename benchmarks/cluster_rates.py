"""Measures what the driver does alone: reading raw files, and copying and joining parts.

python benchmarks/cluster_rates.py --raw-dir data/01_raw/ten_million

On folders of this machine: what S3's network adds is reckoned from the bytes.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cluster_on_paper import RATES
from common import densify, describe_commit, read_checked

from grocery_demand.cluster.panel import cut_panel
from grocery_demand.cluster.sales import write_sales
from grocery_demand.datasets import RawTableDataset
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


def read_text(raw_dir: Path) -> int:
    """Hash train and read it as the driver does, counting lines; return the bytes of its text."""
    raw = RawTableDataset(filepath=str(raw_dir), table="train").load()
    n_bytes = n_lines = 0
    for block in raw.read_blocks():
        n_bytes += len(block)
        n_lines += block.count(b"\n")
    return n_bytes


def measure(raw_dir: Path, folder: Path) -> dict[str, object]:
    """Read raw files in a folder; copy and join the parts of their sales and their panel."""
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
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dir", type=Path, required=True, help="raw files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(options.raw_dir, Path(folder))
    RATES.write_text(json.dumps(rates, indent=1) + "\n", encoding="utf-8")
    print(RATES.read_text())


if __name__ == "__main__":
    main()
