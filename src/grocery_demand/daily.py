"""The daily job: take in what arrived, forecast, monitor, and retrain if that is advised."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grocery_demand.core.errors import GateError
from grocery_demand.core.monitoring.advice import RETRAIN

TAKE_IN_AND_FORECAST = "update"
MONITOR = "monitor"
TRAIN_AND_JUDGE = "refit"


class Project:
    """A project whose pipelines are run in this process, one session after the other.

    Args:
        path: The project's folder.
        env: Name of a folder in conf/; None for the default one.
        parameters: Of all runs, as of `kedro run --params`.
    """

    def __init__(
        self, path: Path, env: str | None = None, parameters: dict[str, Any] | None = None
    ) -> None:
        self.path = path
        self._env = env
        self._parameters = parameters or {}

    def run(self, pipeline: str, **parameters: Any) -> None:
        """Run a registered pipeline as `kedro run --pipeline` does."""
        with self._open(parameters) as session:
            session.run(pipeline_names=[pipeline])

    def require(self, pipeline: str) -> None:
        """Refuse a registered pipeline that the environment is not made for; run nothing.

        Raises:
            RefusedError: With the reason, and what to type instead.
        """
        from kedro.framework.project import pipelines

        from grocery_demand.hooks.refusal import require_offered

        with self._open({}) as session:
            require_offered(pipelines[pipeline], session.load_context().catalog)

    def load(self, dataset: str) -> Any:
        """Load a dataset of the catalog."""
        with self._open({}) as session:
            return session.load_context().catalog.load(dataset)

    def _open(self, parameters: dict[str, Any]) -> Any:
        from kedro.framework.session import KedroSession

        return KedroSession.create(
            self.path,
            save_on_close=False,
            env=self._env,
            runtime_params=self._parameters | parameters,
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a day.

    Attributes:
        summary: What monitoring found and advised, before anything was trained on it; see
            `pipelines.monitoring.summary`.
        verdict: The gate's on the challenger; None if none was trained.
    """

    summary: dict[str, Any]
    verdict: dict[str, Any] | None

    @property
    def advice(self) -> dict[str, Any]:
        """The advice, see `core.monitoring.advice.Advice`."""
        advice: dict[str, Any] = self.summary["advice"]
        return advice


def do_days_work(project: Project, tell: Callable[[str], None]) -> Outcome:
    """Do the daily job.

    Args:
        project: Whose pipelines are run.
        tell: Is given a line before each step.

    Returns:
        What was found and done; a rejected challenger is an outcome, too, and no error.
    """
    tell("Taking in new files, forecasting …")
    project.run(TAKE_IN_AND_FORECAST)
    tell("Monitoring …")
    project.run(MONITOR)
    outcome = Outcome(project.load("monitoring_summary"), verdict=None)
    if outcome.advice["decision"] != RETRAIN:
        return outcome
    tell(f"Retraining: {outcome.advice['reasons'][0]}")
    train_and_judge(project)
    project.run(MONITOR)
    return replace(outcome, verdict=project.load("verdict"))


def train_and_judge(project: Project, **parameters: Any) -> None:
    """Train a challenger on all sales; the gate promotes it or leaves the champion."""
    try:
        project.run(TRAIN_AND_JUDGE, **parameters)
    except GateError:
        # The verdict is stored and says why; the champion stands.
        return
