"""The versions of the registered model in MLflow: their models, scores and verdicts."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from grocery_demand.core.errors import ModelFileError, RegistryError
from grocery_demand.core.rollout import CANARY, SHADOW
from grocery_demand.datasets.rollouts import find_alias

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from grocery_demand.core.model_version import ModelVersion

ALIASES = CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
ALL_ALIASES = (*ALIASES, CANARY, SHADOW)
"""With those of a challenger that is served beside the champion."""

DESCRIBED = ("model", "feature_set", "data_digest", "cutoff")
"""What a model's metadata say that is a tag of its version."""

_COMPARED = (
    "nwrmsle", "r2_score", "wape", "bias", "coverage", "pinball_loss",
    "baseline_moving_average_nwrmsle", "baseline_seasonal_naive_nwrmsle",
)  # fmt: skip
_VERDICT_RUN = "verdict_run_id"


class RegisteredVersions:
    """All versions that were ever registered, whatever became of them.

    Args:
        client: MLflow.
        model_name: Name of the registered model.
    """

    def __init__(self, client: "MlflowClient", model_name: str) -> None:
        self._client = client
        self._name = model_name

    def fetch(self, number: int) -> "ModelVersion":
        """Return a version by its number.

        Raises:
            RegistryError: If there is none, or its files are gone.
        """
        from mlflow.exceptions import MlflowException

        from grocery_demand.core.model_version import ModelVersion
        from grocery_demand.datasets.model_flavor import fetch_model

        try:
            version = self._client.get_model_version(self._name, str(number))
        except MlflowException as error:
            raise RegistryError(
                f"There is no version {number} of `{self._name}`; `mlflow ui` lists the versions, "
                "under Models."
            ) from error
        try:
            model = fetch_model(f"models:/{self._name}/{number}")
        except ModelFileError as error:
            raise RegistryError(
                f"`{self._name}` version {number} cannot be used. {error} Check out the code that "
                "made it (tag git_commit of its MLflow run), or remove mlflow.db and mlartifacts "
                "and train again."
            ) from error
        except (OSError, MlflowException) as error:
            source = self._client.get_model_version_download_uri(self._name, str(number))
            raise RegistryError(
                f"The files of `{self._name}` version {number} should be in {source}, but cannot "
                f"be read: {error}. MLflow keeps full paths: if the project was moved or copied, "
                "move it back, or remove mlflow.db and train again."
            ) from error
        return ModelVersion(number, model, version.run_id or None)

    def describe(self, most: int = 50) -> list[dict[str, Any]]:
        """Return the newest versions, the newest first: number, aliases, tags, run and scores."""
        found = self._client.search_model_versions(
            f"name='{self._name}'", max_results=most, order_by=["version_number DESC"]
        )
        aliases: dict[int, list[str]] = {}
        for alias in ALL_ALIASES:
            number = find_alias(self._client, self._name, alias)
            if number is not None:
                aliases.setdefault(number, []).append(alias)
        return [
            {
                "version": int(version.version),
                "aliases": aliases.get(int(version.version), []),
                "run_id": version.run_id or None,
                "created_at": _iso(version.creation_timestamp),
                **{name: version.tags.get(name) for name in DESCRIBED},
                "scores": self._scores_of(version.run_id),
            }
            for version in found
        ]

    def find_verdict(self, version: "ModelVersion") -> dict[str, Any] | None:
        """Return the gate's verdict that made a version champion; None if it was not kept."""
        import mlflow
        from mlflow.exceptions import MlflowException

        tags = self._client.get_model_version(self._name, str(version.number)).tags
        run_id = tags.get(_VERDICT_RUN, version.run_id)
        if not run_id:
            return None
        try:
            verdict = mlflow.artifacts.load_dict(f"runs:/{run_id}/verdict.json")
        except (MlflowException, OSError):
            return None
        return verdict if verdict["challenger"]["version"] == version.number else None

    def note_run_of_verdict(self, number: int) -> None:
        """Let a version name the active run as that of its verdict."""
        import mlflow

        run = mlflow.active_run()
        if run is not None:
            self._client.set_model_version_tag(
                self._name, str(number), _VERDICT_RUN, run.info.run_id
            )

    def _scores_of(self, run_id: str | None) -> dict[str, float]:
        from mlflow.exceptions import MlflowException

        try:
            metrics = self._client.get_run(run_id).data.metrics if run_id else {}
        except MlflowException:
            return {}
        return {name: metrics[name] for name in _COMPARED if name in metrics}


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
