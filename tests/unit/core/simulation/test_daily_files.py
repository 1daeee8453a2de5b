"""Days that arrive one by one are those of the world that is simulated in one go."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.simulation.daily_files import (
    DailyFilesParameters,
    DayOfSales,
    simulate_days,
)
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import simulate_tables
from grocery_demand.storage.incoming_folder import write_day

FIRST = date(2016, 12, 23)


def world(**changes: Any) -> SimulationParameters:
    values = {"seed": 3, "stores": 3, "items": 30, "start_date": "2016-12-01"}
    return SimulationParameters(**values | {"end_date": "2016-12-27"} | changes)


def tables(parameters: SimulationParameters) -> dict[str, pl.DataFrame]:
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(parameters).parts:
        parts.setdefault(part.table, []).append(part.rows)
    return {table: pl.concat(rows) for table, rows in parts.items()}


@pytest.fixture(scope="module")
def days() -> list[DayOfSales]:
    return list(simulate_days(world(), FIRST))


def test_the_days_are_the_end_of_the_whole_train_to_the_byte(days):
    whole = tables(world())["train"].filter(pl.col("date") >= FIRST)
    assert pl.concat([day.train for day in days]).write_csv() == whole.write_csv()
    assert [day.date.day for day in days] == [23, 24, 25, 26, 27]


def test_each_plan_is_the_one_of_a_world_that_ends_that_day(days):
    for day in days:
        ends_there = world(end_date=day.date.isoformat())
        assert day.test.equals(tables(ends_there)["test"])


@pytest.mark.parametrize("scenario", ["demand_shift", "broken_feed"])
def test_scenarios_work_as_in_one_go(scenario):
    disturbed = world(scenario=scenario, scenario_start="2016-12-24")
    found = pl.concat([day.train for day in simulate_days(disturbed, FIRST)])
    assert found.equals(tables(disturbed)["train"].tail(found.height))
    calm = pl.concat([day.train for day in simulate_days(world(), FIRST)])
    assert not found.equals(calm)


def test_a_day_outside_the_window_is_refused():
    with pytest.raises(ParameterError, match=r"daily_files\.first_day.*2016-12-01 to 2016-12-27"):
        simulate_days(world(), date(2017, 1, 1))
    with pytest.raises(ParameterError, match="a quoted ISO date"):
        DailyFilesParameters(first_day="soon")


def test_a_day_is_written_as_two_files_and_a_day_without_sales_as_its_plan(days, tmp_path):
    folder = tmp_path / "incoming"
    written = [path.name for day in days[1:3] for path in write_day(folder, day)]
    assert written == ["test-2016-12-24.csv", "train-2016-12-24.csv", "test-2016-12-25.csv"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(written)
    text = (folder / "train-2016-12-24.csv").read_text()
    assert text == days[1].train.write_csv()
