"""What a simulated world is made from."""

from datetime import date, timedelta

from grocery_demand.core.parameters import parameters, require, require_choice

EPOCH = date(2013, 1, 1)
LAST_DAY = date(2039, 12, 31)
SCENARIOS = ("none", "promotion_wave", "demand_shift", "new_store", "broken_feed")


@parameters("simulation")
class SimulationParameters:
    """The parameters of one simulated world.

    The world itself (stores, items, what is sold where, every day's sales) depends on `seed`,
    `stores` and `items` alone; the dates choose the window of it that is written out. So a later
    `end_date` continues the same world.

    Attributes:
        seed: Number of the world, 0 or more.
        stores: Number of stores, 2 to 54; stores 44 and 47 are always among them.
        items: Number of items, 3 to 4,100; 99197, 105574 and 1963838 are always among them.
        start_date: First day with sales, ISO, not before 2013-01-01.
        end_date: Last day with sales, ISO.
        plan_days: Days after `end_date` for which the promotion plan is known, 1 to 60.
        scenario: What goes differently from `scenario_start` on; `none`, `promotion_wave`,
            `demand_shift`, `new_store` or `broken_feed`.
        scenario_start: First day of the scenario, ISO, within the window; empty for "none".

    Raises:
        ParameterError: When a value is not allowed.
    """

    seed: int
    stores: int
    items: int
    start_date: str
    end_date: str
    plan_days: int = 16
    scenario: str = "none"
    scenario_start: str = ""

    def __post_init__(self) -> None:
        """Refuse values that make no world."""
        _require_within("seed", self.seed, 0, 2**63 - 1)
        _require_within("stores", self.stores, 2, 54)
        _require_within("items", self.items, 3, 4100)
        _require_within("plan_days", self.plan_days, 1, 60)
        start = _require_date("start_date", self.start_date, EPOCH, LAST_DAY)
        _require_date("end_date", self.end_date, start, LAST_DAY)
        self._require_scenario()

    def _require_scenario(self) -> None:
        require_choice("simulation.scenario", self.scenario, SCENARIOS)
        if self.scenario != "none":
            _require_date("scenario_start", self.scenario_start, self.first_day, self.last_day)
        else:
            start = self.scenario_start
            require(not start, "simulation.scenario_start", start, 'empty with scenario "none"')

    @property
    def first_day(self) -> date:
        """The first day with sales."""
        return date.fromisoformat(self.start_date)

    @property
    def last_day(self) -> date:
        """The last day with sales."""
        return date.fromisoformat(self.end_date)

    @property
    def last_planned_day(self) -> date:
        """The last day whose promotions are known."""
        return self.last_day + timedelta(days=self.plan_days)

    def runs_scenario(self, name: str, day: date) -> bool:
        """Whether the named scenario is chosen and has begun by the day."""
        return self.scenario == name and day >= date.fromisoformat(self.scenario_start)


def _require_within(name: str, value: int, lowest: int, highest: int) -> None:
    allowed = f"a whole number from {lowest} to {highest}"
    require(lowest <= value <= highest, f"simulation.{name}", value, allowed)


def _require_date(name: str, value: str, earliest: date, latest: date) -> date:
    allowed = f'a quoted ISO date such as "2016-05-31", from {earliest} to {latest}'
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = date.min
    require(earliest <= day <= latest, f"simulation.{name}", value, allowed)
    return day
