"""What the benchmarks share: raw files to a panel, and tables with the machine they ran on."""

import dataclasses
import os
import platform
import resource
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.datasets import RawTableDataset
from grocery_demand.pipelines.preprocessing import nodes

PROJECT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("lightgbm", "numpy", "pandas", "polars", "scikit-learn")
GIB = 2**30
_OPTIONAL = ("test", "oil", "transactions")


def load_parameters() -> dict:
    return yaml.safe_load((PROJECT / "conf/base/parameters.yml").read_text(encoding="utf-8"))


def name_folder(raw_dir: Path) -> str:
    """Return how a command on a page names raw files: within the project, or in some FOLDER."""
    path = raw_dir.resolve()
    inside = path.is_relative_to(PROJECT)
    return str(path.relative_to(PROJECT)) if inside else f"FOLDER/{path.name}"


def read_panel(raw_dir: Path) -> Panel:
    """Read, check and densify raw files, by the nodes of the preprocessing pipeline."""
    return densify(read_checked(raw_dir))


def densify(checked: tuple[Any, ...]) -> Panel:
    """Make the panel of what `read_checked` returns."""
    sales, *others = checked
    return nodes.make_panel(sales.lazy(), *others)


def shorten(panel: Panel, day: int, history_days: int | None) -> Panel:
    """Return the panel without what lies more than some days before a cutoff."""
    start = max(day + 1 - history_days, 0) if history_days else 0
    sold = panel.units[:, start:] > 0
    never = ~sold.any(axis=1)
    first = np.where(never, sold.shape[1], sold.argmax(axis=1))
    calendar = dataclasses.replace(
        panel.calendar,
        start_date=panel.date_of(start),
        national=panel.calendar.national[start:],
        local=panel.calendar.local[:, start:],
    )
    shorter = dataclasses.replace(
        panel,
        start_date=panel.date_of(start),
        units=panel.units[:, start:],
        promotions=panel.promotions[:, start:],
        open_days=panel.open_days[:, start:],
        series=panel.series.assign(first_sale=first),
        calendar=calendar,
    )
    return shorter.select(np.flatnonzero(~never))


def read_raw(raw_dir: Path) -> tuple[dict[str, Any], Any, QualityParameters]:
    """Open raw files and check the small ones; return all, the checked ones, and the bounds."""
    quality = QualityParameters(**load_parameters()["quality"])
    names = ("items", "stores", "holidays_events", "oil", "transactions", "train", "test")
    raw = {
        name: RawTableDataset(filepath=str(raw_dir), table=name, optional=name in _OPTIONAL).load()
        for name in names
    }
    return raw, nodes.check_reference_tables(*(raw[name] for name in names[:5]), quality), quality


def read_checked(raw_dir: Path) -> tuple[Any, ...]:
    """Read and check raw files; return the sales, and what else `nodes.make_panel` takes."""
    raw, reference, quality = read_raw(raw_dir)
    sales = nodes.check_sales(raw["train"], reference, quality)
    plan = nodes.check_promotion_plan(raw["test"], reference, quality)
    kept, planned, items, stores, _, _, holidays = nodes.keep_good_rows(reference, sales, plan)
    report, _ = nodes.report_quality(reference, sales, plan)
    return kept, planned, items, stores, holidays, report


def peak_memory() -> float:
    """Return the peak resident memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def write_result(name: str, title: str, notes: list[str], tables: dict[str, pd.DataFrame]) -> None:
    """Print tables as Markdown and keep them in results/, with machine, versions and commit."""
    parts = [f"# {title}", *notes]
    for heading, table in tables.items():
        parts += [f"## {heading}", _to_markdown(table)]
    parts.append(_describe_machine())
    text = "\n\n".join(parts) + "\n"
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    print(text)
    print(f"Written to {path.relative_to(PROJECT)}")


def describe_commit() -> str:
    """Return the commit that is checked out, marked if other files than results have changed."""
    commit = _ask_git("describe", "--always")
    changed = _ask_git(
        "status", "--porcelain", "--untracked-files=no", "--", ":!benchmarks/results"
    )
    return f"{commit}-dirty" if commit and changed else commit or "unknown"


def _ask_git(*arguments: str) -> str:
    asked = subprocess.run(
        ["git", *arguments],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def _to_markdown(table: pd.DataFrame) -> str:
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [[_print(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _print(value: object) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:,.4g}"  # noqa: PLR0124
    return str(value)


def _describe_machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} at commit {describe_commit()}: "
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python "
        f"{platform.python_version()}, {versions}."
    )
