"""A simulated world as it arrives day by day: each day's sales, and the plan as of that day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from grocery_demand.core.parameters import parameters, require
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import stream_plan, stream_sales
from grocery_demand.core.simulation.world import build_world


@parameters("daily_files")
class DailyFilesParameters:
    """Which days arrive as files of their own.

    Attributes:
        first_day: First day with a file, ISO, within the simulation's window; its `end_date` is
            the last one.

    Raises:
        ParameterError: When a value is not allowed.
    """

    first_day: str

    def __post_init__(self) -> None:
        """Refuse what is no date."""
        allowed = 'a quoted ISO date such as "2017-06-01"'
        require(_is_date(self.first_day), "daily_files.first_day", self.first_day, allowed)


@dataclass(frozen=True)
class DayOfSales:
    """What arrives after the end of a day.

    Attributes:
        date: The day.
        train: One row per sale of the day, with the columns of train; without rows if every
            store was closed.
        test: The promotion plan of the days after it, with the columns of test.
    """

    date: date
    train: pl.DataFrame
    test: pl.DataFrame


def simulate_days(parameters: SimulationParameters, first_day: date) -> Iterator[DayOfSales]:
    """Simulate the days from one to the end of the window.

    Together, the days' sales are the last rows of the train that `simulate_tables` makes of the
    same parameters, to the id; each day's plan is the test that it makes if that day is the last.

    Args:
        parameters: The world and its window. Days before `first_day` are simulated, too, and
            left out: the sample's two years take seconds.
        first_day: The first day wanted.

    Raises:
        ParameterError: If the first day lies outside the window.
    """
    window = (parameters.first_day, parameters.last_day)
    allowed = (
        f"a day from {window[0]} to {window[1]}, which simulation.start_date and "
        "simulation.end_date set"
    )
    inside = window[0] <= first_day <= window[1]
    require(inside, "daily_files.first_day", str(first_day), allowed)
    return _stream_days(parameters, first_day)


def _stream_days(parameters: SimulationParameters, first_day: date) -> Iterator[DayOfSales]:
    world = build_world(parameters)
    next_id = 0
    for part in stream_sales(world):
        if part.table != "train":
            continue
        next_id += len(part.rows)
        if part.day >= first_day:
            plan = [planned.rows for planned in stream_plan(world, part.day, next_id)]
            yield DayOfSales(part.day, part.rows, pl.concat(plan))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
