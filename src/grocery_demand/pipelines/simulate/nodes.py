"""The node of the simulation."""

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import RawTables, simulate_tables


def simulate_raw_tables(parameters: SimulationParameters) -> RawTables:
    """Simulate the raw tables of the world that the parameters name, as one stream of parts."""
    return simulate_tables(parameters)
