"""Parameters that make no world are refused."""

from typing import Any

import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.simulation.parameters import SCENARIOS, SimulationParameters

GOOD: dict[str, Any] = {
    "seed": 1, "stores": 3, "items": 8, "start_date": "2015-06-01", "end_date": "2015-06-30",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("seed", -1, "from 0"),
        ("seed", "one", "int"),
        ("stores", 1, "from 2 to 54"),
        ("stores", 55, "from 2 to 54"),
        ("stores", True, "int"),
        ("items", 2, "from 3 to 4100"),
        ("items", 12.5, "int"),
        ("plan_days", 0, "from 1 to 60"),
        ("start_date", "2012-12-31", "from 2013-01-01"),
        ("start_date", "1 June 2015", "a quoted ISO date"),
        ("end_date", "2015-05-31", "from 2015-06-01"),
        ("end_date", "2015-06-31", "a quoted ISO date"),
        ("scenario", "alien_invasion", ", ".join(SCENARIOS)),
        ("scenario_start", "2015-06-10", 'empty with scenario "none"'),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: object, allowed: str
) -> None:
    with pytest.raises(ParameterError) as refusal:
        SimulationParameters(**{**GOOD, name: value})
    message = str(refusal.value)
    assert f"simulation.{name}" in message
    assert repr(value) in message
    assert allowed in message


@pytest.mark.parametrize("start", ["", "2015-05-31", "2015-07-01", "soon"])
def test_a_scenario_must_start_within_the_sales(start: str) -> None:
    with pytest.raises(ParameterError, match=r"simulation\.scenario_start.*from 2015-06-01"):
        SimulationParameters(**GOOD, scenario="new_store", scenario_start=start)


def test_a_misspelt_parameter_is_refused() -> None:
    with pytest.raises(ParameterError, match="scenari"):
        SimulationParameters(**GOOD, scenarioo="none")


def test_a_scenario_runs_from_its_first_day_on() -> None:
    chosen = SimulationParameters(**GOOD, scenario="demand_shift", scenario_start="2015-06-10")
    before, start = chosen.first_day, chosen.first_day.replace(day=10)
    assert [chosen.runs_scenario("demand_shift", day) for day in (before, start)] == [False, True]
    assert not chosen.runs_scenario("new_store", start)


def test_the_plan_ends_so_many_days_after_the_sales() -> None:
    assert SimulationParameters(**GOOD).last_planned_day.isoformat() == "2015-07-16"
