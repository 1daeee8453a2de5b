"""A training run as MLflow has recorded it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.hooks.data_version import PANEL
from grocery_demand.hooks.provenance import UNKNOWN
from grocery_demand.hooks.tracking import PARAMETERS

if TYPE_CHECKING:
    from mlflow.entities import Run

_NEEDED_TAGS = ("git_commit", "pipeline", "raw_dir")
_ENDED = ("FINISHED", "FAILED")


class ReproductionError(GroceryDemandError):
    """A run cannot be made again, or came out otherwise."""


@dataclass(frozen=True)
class RecordedRun:
    """What a run was made from and what came out.

    Attributes:
        run_id: Its number in MLflow.
        status: `FINISHED`, or `FAILED` if the gate rejected the model.
        tags: Commit, data, libraries and more; see `hooks.tracking`.
        logged: Parameters as MLflow shows them, by name.
        metrics: The scores, by name.
    """

    run_id: str
    status: str
    tags: dict[str, str]
    logged: dict[str, str]
    metrics: dict[str, float]

    @classmethod
    def of(cls, run: "Run") -> "RecordedRun":
        """Take over what MLflow gives."""
        data = run.data
        return cls(run.info.run_id, run.info.status, data.tags, data.params, data.metrics)

    @property
    def pipeline(self) -> str:
        """The pipelines it ran, separated by commas."""
        return self.tags["pipeline"]

    @property
    def commit(self) -> str:
        """The git commit of its code; `unknown` outside of git."""
        return self.tags["git_commit"]

    @property
    def raw_dir(self) -> str:
        """The folder of raw files, as the run was told."""
        return self.tags["raw_dir"]

    @property
    def workers(self) -> int:
        """On how many workers of a cluster its model was fitted; 0 for one machine."""
        return int(self.tags.get("workers", 0))

    @property
    def parts(self) -> int:
        """Into how many parts its panel was to be cut."""
        return int(self.tags.get("parts", 1))

    @property
    def reads_panel(self) -> bool:
        """Whether it began with a panel that another run had made."""
        return PANEL in self.tags.get("reads", "").split(",")


def find_run(run_id: str, experiments: Collection[str]) -> RecordedRun:
    """Return a run of this project that can be made again.

    Args:
        run_id: Its number, in the MLflow that is set as tracking address.
        experiments: Names of the experiments that this project records in.

    Raises:
        ReproductionError: If there is no such run, it is another project's, has not ended, or
            made no model.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.get_run(run_id)
        experiment = mlflow.get_experiment(run.info.experiment_id).name
    except MlflowException as error:
        raise ReproductionError(
            f"There is no run `{run_id}` in {mlflow.get_tracking_uri()}. `mlflow ui` lists the "
            "runs; --env names the environment whose MLflow has it."
        ) from error
    if experiment not in experiments:
        raise ReproductionError(
            f"Run {run_id} belongs to the experiment `{experiment}`, not to this project's "
            f"({', '.join(experiments)})."
        )
    recorded = RecordedRun.of(run)
    _refuse_what_cannot_be_made_again(recorded)
    return recorded


def load_parameters(run: RecordedRun) -> dict[str, Any]:
    """Return the groups of parameters that the run was given, after all files and --params.

    Raises:
        ReproductionError: If they do not lie on the run.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        parameters: dict[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run.run_id}/{PARAMETERS}")
    except (MlflowException, OSError) as error:
        raise ReproductionError(
            f"The parameters of run {run.run_id} should lie on it as {PARAMETERS}, but cannot be "
            f"read: {error}"
        ) from error
    return parameters


def _refuse_what_cannot_be_made_again(run: RecordedRun) -> None:
    name = f"Run {run.run_id}"
    missing = [tag for tag in _NEEDED_TAGS if tag not in run.tags]
    if missing:
        raise ReproductionError(
            f"{name} was not made by this project, or by a version of it that recorded less: it "
            f"has no tag {', '.join(missing)}."
        )
    if run.commit == UNKNOWN:
        raise ReproductionError(
            f"{name} was made outside of git, so that its code is not known. Train in a clone of "
            "the repository; those runs can be made again."
        )
    if run.status not in _ENDED:
        raise ReproductionError(f"{name} is {run.status}: it has not come to its end.")
    if run.tags.get("whole_pipeline") != "true":
        raise ReproductionError(
            f"{name} ran a part of the pipeline only ({run.tags.get('kedro_command')}); whole "
            "pipelines are made again."
        )
    if "nwrmsle" not in run.metrics:
        raise ReproductionError(
            f"{name} ({run.pipeline}) has no scores: it made no model, or failed before. Runs that "
            "train one are made again; forecasts and reports follow from it."
        )
