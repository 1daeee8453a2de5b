"""The nodes of the simulation."""

from collections.abc import Iterator
from datetime import date

from grocery_demand.core.simulation.daily_files import (
    DailyFilesParameters,
    DayOfSales,
    simulate_days,
)
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import RawTables, simulate_tables


def simulate_raw_tables(parameters: SimulationParameters) -> RawTables:
    """Simulate the raw tables of the world that the parameters name, as one stream of parts."""
    return simulate_tables(parameters)


def simulate_daily_files(
    parameters: SimulationParameters, daily_files: DailyFilesParameters
) -> Iterator[DayOfSales]:
    """Simulate the days of the world that arrive one by one; each is saved before the next."""
    yield from simulate_days(parameters, date.fromisoformat(daily_files.first_day))
