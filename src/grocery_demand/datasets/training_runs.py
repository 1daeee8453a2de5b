"""The dataset of the runs that trained a model, as MLflow has recorded them."""

from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from grocery_demand.datasets.not_made import NotMadeYetError

_TRAINED = "nwrmsle"
"""A metric that every run which trained a model has."""

_TAGS = {
    "model_version": "version",
    "kedro_command": "command",
    "git_commit": "git_commit",
    "data_digest": "data_digest",
    "simulated_data": "simulated",
}
_MOST_RUNS = 1000


class TrainingRunsDataset(AbstractDataset[NoReturn, pd.DataFrame]):
    """The training runs of an MLflow experiment, newest first; only read.

    Args:
        experiment: Name of the experiment.
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self, *, experiment: str, name: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._experiment = experiment
        self._name = name
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return what was recorded.

        Returns:
            One row per finished run that trained a model: run_id, started (UTC), seconds, version
            (of the registered model), roles (champion, challenger, …; may be empty), command,
            git_commit, data_digest, simulated, then a column for each parameter (text, by its full
            name, such as `training.model`) and one for each metric, NaN where a run has none.

        Raises:
            NotMadeYetError: If no run has trained a model yet.
        """
        from mlflow import MlflowClient

        client = MlflowClient()
        experiment = client.get_experiment_by_name(self._experiment)
        found = (
            client.search_runs(
                [experiment.experiment_id],
                "attributes.status = 'FINISHED'",
                order_by=["attributes.start_time DESC"],
                max_results=_MOST_RUNS,
            )
            if experiment
            else []
        )
        trained = [run for run in found if _TRAINED in run.data.metrics]
        if not trained:
            raise NotMadeYetError(
                f"No run of the experiment `{self._experiment}` has trained a model yet. Make one "
                "with `make run`, which runs the whole loop, or with `kedro run --pipeline train`."
            )
        roles = _find_roles(client, self._name)
        return pd.DataFrame([_describe(run, roles) for run in trained])

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: runs record themselves."""
        raise DatasetError("The training runs are only read; each training records its own.")

    def _describe(self) -> dict[str, Any]:
        return {"experiment": self._experiment, "name": self._name}


def _find_roles(client: Any, name: str) -> dict[str, list[str]]:
    """Return the aliases of each version, by its number as text."""
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException:
        return {}
    roles: dict[str, list[str]] = {}
    for alias, version in sorted(aliases.items()):
        roles.setdefault(str(version), []).append(alias)
    return roles


def _describe(run: Any, roles: dict[str, list[str]]) -> dict[str, Any]:
    tags = {column: run.data.tags.get(tag, "") for tag, column in _TAGS.items()}
    started = pd.Timestamp(run.info.start_time, unit="ms")
    seconds = (run.info.end_time - run.info.start_time) / 1000
    described = {"run_id": run.info.run_id, "started": started, "seconds": seconds}
    described |= {"version": tags.pop("version")}
    described |= {"roles": ", ".join(roles.get(described["version"], []))}
    return described | tags | run.data.params | run.data.metrics
