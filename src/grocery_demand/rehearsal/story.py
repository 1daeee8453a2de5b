"""The story of the rehearsal: four quiet weeks, a shift of demand, a broken feed."""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core import metrics
from grocery_demand.core.backtest import compare_with_sales
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.advice import CHECK_FEED, RETRAIN
from grocery_demand.core.panel import Panel
from grocery_demand.core.scores import row_weights
from grocery_demand.core.simulation.daily_files import DayOfSales, simulate_days
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.daily import Outcome, Project, do_days_work, train_and_judge
from grocery_demand.rehearsal.web_app import WebApp
from grocery_demand.storage.incoming_folder import write_day

QUIET, SHIFT, RECOVERED, BROKEN = "quiet", "demand shift", "after retraining", "broken feed"

_MOST_SHIFT_DAYS = 35
_LIVE_DAYS = 7
_WORSE_MODEL = {
    "training": {"model": "decision_tree", "feature_set": "workshop"},
}

logger = logging.getLogger(__name__)


class RehearsalError(GroceryDemandError):
    """A turn of the story did not come."""


@dataclass(frozen=True)
class Plan:
    """How long each scene is.

    Attributes:
        quiet_days: Days before demand shifts.
        recovered_days: Days after a challenger was promoted.
        broken_days: Days with a broken feed.
        questions: Questions to the web app a day.
    """

    quiet_days: int = 28
    recovered_days: int = 14
    broken_days: int = 3
    questions: int = 300


@dataclass(frozen=True)
class Day:
    """One day of the story: a row of its table.

    Attributes:
        date: The last day of sales that arrived.
        scene: What happens in the world.
        advice: What monitoring said.
        champion: Number of the champion in the evening.
        served: Number of the version that the web app answers with in the evening.
        live_nwrmsle: Live error of the window that ends on this day; None if it is not known.
        promised: What the backtest promised for it.
        bar: What it is held against.
        alarms: Names of the checks that raised an alarm.
        retraining: What the gate said of a challenger trained on this day; empty if none was.
        answered: Questions that the web app answered.
    """

    date: str
    scene: str
    advice: str
    champion: int
    served: int
    live_nwrmsle: float | None
    promised: float | None
    bar: float | None
    alarms: str
    retraining: str
    answered: int


class Story:
    """Plays the scenes one after the other and keeps what happened.

    Args:
        project: The copy in which everything happens; its champion is trained and served.
        app: The running web app of the copy.
        world: Parameters of the simulated world so far.
        plan: How long each scene is.
        tell: Is given a line for each day.
    """

    def __init__(
        self,
        project: Project,
        app: WebApp,
        world: SimulationParameters,
        plan: Plan,
        tell: Callable[[str], None],
    ) -> None:
        self.days: list[Day] = []
        self.notes: dict[str, Any] = {}
        self._project, self._app, self._world, self._plan = project, app, world, plan
        self._tell = tell

    def play(self) -> None:
        """Play all scenes.

        Raises:
            RehearsalError: If a turn does not come, saying which.
        """
        shift = self._world.last_day + timedelta(days=self._plan.quiet_days + 1)
        arriving = self._simulate("demand_shift", shift)
        self._play_quiet(arriving)
        former = self._project.load("champion")
        self._play_shift(arriving, former.number)
        for _ in range(self._plan.recovered_days):
            self._live_through(next(arriving), RECOVERED)
        self._compare_with(former)
        self._try_worse_model()
        self._play_broken_feed()

    def to_table(self) -> pd.DataFrame:
        """Return one row per day."""
        return pd.DataFrame([asdict(day) for day in self.days])

    def _play_quiet(self, arriving: Iterator[DayOfSales]) -> None:
        for _ in range(self._plan.quiet_days):
            self._live_through(next(arriving), QUIET)

    def _play_shift(self, arriving: Iterator[DayOfSales], before: int) -> None:
        """Let demand be shifted until a challenger that was trained on it is promoted."""
        for _ in range(_MOST_SHIFT_DAYS):
            day = self._live_through(next(arriving), SHIFT)
            if day.champion != before:
                self.notes["shift_days"] = sum(d.scene == SHIFT for d in self.days)
                return
        raise RehearsalError(
            f"After {_MOST_SHIFT_DAYS} days of shifted demand no challenger was promoted."
        )

    def _compare_with(self, former: ModelVersion) -> None:
        """Note how the former champion would have forecast the last days, had it stayed.

        Features see the shifted sales, too, so that part of the error falls without any training.
        """
        panel, champion = self._project.load("panel"), self._project.load("champion")
        cutoffs = range(panel.n_days - 1 - self._plan.recovered_days, panel.n_days - 1)
        self.notes["without_retraining"] = {
            "former": former.number,
            "champion": champion.number,
            "nwrmsle_of_former": score_last_days(former.model, panel, cutoffs),
            "nwrmsle_of_champion": score_last_days(champion.model, panel, cutoffs),
        }

    def _try_worse_model(self) -> None:
        """Train the workshop's decision tree by hand; the gate must not promote it."""
        before = self.days[-1].champion
        self._tell("A data scientist trains a decision tree with the workshop's features …")
        train_and_judge(self._project, **_WORSE_MODEL)
        verdict = self._project.load("verdict")
        after = self._project.load("champion").number
        self.notes["worse_model"] = {
            "outcome": verdict["outcome"],
            "reason": verdict["reasons"][0],
            "champion_before": before,
            "champion_after": after,
        }
        self._tell(f"  {verdict['reasons'][0]}")

    def _play_broken_feed(self) -> None:
        start = date.fromisoformat(self.days[-1].date) + timedelta(days=1)
        arriving = self._simulate("broken_feed", start)
        for _ in range(self._plan.broken_days):
            self._live_through(next(arriving), BROKEN)

    def _simulate(self, scenario: str, start: date) -> Iterator[DayOfSales]:
        """Return the days after the last one lived through, of a world with a scenario."""
        known = date.fromisoformat(self.days[-1].date) if self.days else self._world.last_day
        longest = self._plan.quiet_days + _MOST_SHIFT_DAYS + self._plan.recovered_days
        parameters = dataclasses.replace(
            self._world,
            scenario=scenario,
            scenario_start=start.isoformat(),
            end_date=(known + timedelta(days=longest + self._plan.broken_days)).isoformat(),
        )
        return simulate_days(parameters, known + timedelta(days=1))

    def _live_through(self, arrived: DayOfSales, scene: str) -> Day:
        """Let buyers ask, then let the day's sales arrive and do the daily job."""
        forecasts = self._project.load("forecasts")
        seed = arrived.date.toordinal()
        answered = self._app.ask(forecasts, self._plan.questions, seed)
        write_day(self._project.path / "data/01_raw/incoming", arrived)
        outcome = do_days_work(self._project, lambda _: None)
        day = self._describe(arrived.date, scene, outcome, answered)
        self.days.append(day)
        self._tell(_say(day))
        return day

    def _describe(self, day: date, scene: str, outcome: Outcome, answered: int) -> Day:
        summary = outcome.summary
        champion = self._project.load("champion").number
        newest = summary["live_error"][-1] if summary["live_error"] else {}
        newest = newest if newest.get("date") == day.isoformat() else {}
        alarms = [check["name"] for check in summary["checks"] if check["state"] == "alarm"]
        return Day(
            date=day.isoformat(),
            scene=scene,
            advice=outcome.advice["decision"],
            champion=champion,
            served=self._app.wait_for(champion, str(self._project.load("panel").cutoff)),
            live_nwrmsle=newest.get("nwrmsle"),
            promised=newest.get("promised"),
            bar=newest.get("bar"),
            alarms=", ".join(alarms),
            retraining=outcome.verdict["reasons"][0] if outcome.verdict else "",
            answered=answered,
        )


def score_last_days(model: TrainedModel, panel: Panel, cutoffs: Iterable[int]) -> float:
    """Return the NWRMSLE of the last seven days, forecast from each of some cutoffs before."""
    tables = []
    for cutoff in cutoffs:
        due = np.arange(max(panel.n_days - _LIVE_DAYS, cutoff + 1), panel.n_days)
        steps = (due - cutoff)[due - cutoff <= model.horizon]
        if len(steps):
            tables.append(compare_with_sales(model.final, panel, cutoff, steps))
    rows = pd.concat(tables, ignore_index=True)
    actual, forecast = rows["unit_sales"].to_numpy(), rows["point"].to_numpy()
    return round(metrics.nwrmsle(actual, forecast, row_weights(rows)), 4)


def _say(day: Day) -> str:
    error = "–" if day.live_nwrmsle is None else f"{day.live_nwrmsle:.4f} (bar {day.bar:.4f})"
    advice = {RETRAIN: "RETRAIN", CHECK_FEED: "CHECK THE FEED"}.get(day.advice, day.advice)
    line = f"{day.date}  {day.scene:<16}  live error {error:<20}  {advice}"
    return f"{line}\n  {day.retraining}" if day.retraining else line
