"""The folder where new sales arrive: one file per day, whole or not there."""

from pathlib import Path

import polars as pl

from grocery_demand.core.simulation.daily_files import DayOfSales
from grocery_demand.storage.atomic import whole_file


def write_day(folder: Path, day: DayOfSales) -> list[Path]:
    """Write a day's sales and plan as `train-YYYY-MM-DD.csv` and `test-YYYY-MM-DD.csv`.

    The plan is written first: whoever looks in between finds a plan that goes further, which
    does no harm. A table without rows gets no file. Files of the same names are replaced.

    Returns:
        The files written.
    """
    tables = {"test": day.test, "train": day.train}
    return [
        _write(folder / f"{table}-{day.date.isoformat()}.csv", rows)
        for table, rows in tables.items()
        if not rows.is_empty()
    ]


def _write(path: Path, rows: pl.DataFrame) -> Path:
    with whole_file(path) as beside:
        rows.write_csv(beside)
    return path
