"""The registered model in MLflow: its versions, its aliases, and who was champion when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from grocery_demand.core.errors import ModelFileError, RegistryError
from grocery_demand.core.rollout import CANARY, SHADOW
from grocery_demand.datasets.change_log import ChangeLog
from grocery_demand.datasets.rollouts import Rollouts, find_alias

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from grocery_demand.core.forecaster import TrainedModel
    from grocery_demand.core.model_version import Decision, ModelVersion

ALIASES = CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
ALL_ALIASES = (*ALIASES, CANARY, SHADOW)
"""With those of a challenger that is served beside the champion."""

_CHANGE_TAG = "champion_change."
_DESCRIBED = ("model", "feature_set", "data_digest", "cutoff")
_COMPARED = (
    "nwrmsle", "r2_score", "wape", "bias", "coverage", "pinball_loss",
    "baseline_moving_average_nwrmsle", "baseline_seasonal_naive_nwrmsle",
)  # fmt: skip
_VERDICT_RUN = "verdict_run_id"


@dataclass(frozen=True)
class ChampionChange:
    """One change of the champion.

    Attributes:
        at: When, ISO in UTC.
        by: The user who did it.
        kind: `promotion` or `rollback`.
        replaced: Number of the version that was champion; None if none was.
        champion: Number of the version that is champion since.
        reason: Why, in one sentence.
    """

    at: str
    by: str
    kind: str
    replaced: int | None
    champion: int
    reason: str


class ModelRegistry:
    """A registered model, in the MLflow that is set as tracking and registry address.

    Setting an alias is atomic in MLflow, and the champion's is never deleted: once there is a
    champion, there is one at every moment.

    Args:
        name: Name of the registered model.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def register(self, model: "TrainedModel") -> int:
        """Log a model on the active run and make it the challenger; return its number."""
        from grocery_demand.datasets.model_flavor import log_model

        tags = {name: str(model.metadata[name]) for name in _DESCRIBED}
        tags["model_digest"] = model.digest
        info = log_model(model, tags)
        self._create()
        created = self._client.create_model_version(
            self.name, info.model_uri, run_id=info.run_id, model_id=info.model_id, tags=tags
        )
        self._point(CHALLENGER, int(created.version))
        if info.run_id:
            self._client.set_tag(info.run_id, "model_version", created.version)
        return int(created.version)

    def find(self, alias: str) -> int | None:
        """Return the number of the version that an alias points at; None if it points at none."""
        return find_alias(self._client, self.name, alias)

    def find_cutoff(self, alias: str) -> str | None:
        """Return the last day of sales that an alias' version has seen; None without one."""
        number = self.find(alias)
        if number is None:
            return None
        return self._client.get_model_version(self.name, str(number)).tags.get("cutoff")

    def load(self, alias: str) -> "ModelVersion":
        """Return the version that an alias points at.

        Raises:
            RegistryError: If there is none, or its files are gone.
        """
        number = self.find(alias)
        if number is None:
            raise RegistryError(
                f"The registered model `{self.name}` has no {alias} yet; make one with `make run`, "
                "which runs the whole loop, or with `kedro run --pipeline train`."
            )
        return self.fetch(number)

    def promote(self, decision: "Decision") -> None:
        """Make a version champion, and the champion `previous`; end what challenger is served.

        Raises:
            RegistryError: If another version became champion since the challenger was judged.
        """
        champion = self.find(CHAMPION)
        self._complete_history(champion)
        if champion != decision.replaces:
            raise RegistryError(
                f"Version {decision.version} was judged against {_named(decision.replaces)}, but "
                f"meanwhile {_named(champion)} is champion. Judge again: kedro run "
                "--pipeline promote"
            )
        self.rollouts.end(f"Version {decision.version} is promoted.")
        if champion is not None:
            self._point(PREVIOUS, champion)
        self._point(CHAMPION, decision.version)
        self._note_run_of_verdict(decision.version)
        self._record("promotion", champion, decision.version, decision.reason)

    def roll_back(self, reason: str) -> ChampionChange:
        """Put `previous` back as champion; the version it replaces becomes `previous`.

        What challenger is served is ended: it was to be compared with that champion.

        Raises:
            RegistryError: If there is no other version to go back to.
        """
        champion, previous = self.find(CHAMPION), self.find(PREVIOUS)
        self._complete_history(champion)
        if previous == champion is not None:
            previous = self.history()[-1].replaced
        if previous is None or previous == champion:
            raise RegistryError(
                f"There is no previous champion of `{self.name}` to go back to; the champion is "
                f"{_named(champion)}. There is one once a second model was promoted: kedro run "
                "--pipeline train"
            )
        self.rollouts.end(f"Rolled back to version {previous}.")
        self._point(CHAMPION, previous)
        if champion is not None:
            self._point(PREVIOUS, champion)
        return self._record("rollback", champion, previous, reason)

    def history(self) -> list[ChampionChange]:
        """Return every change of the champion, the oldest first."""
        return self._changes.read()

    def describe_versions(self, most: int = 50) -> list[dict[str, Any]]:
        """Return the newest versions, the newest first: number, aliases, tags, run and scores."""
        found = self._client.search_model_versions(
            f"name='{self.name}'", max_results=most, order_by=["version_number DESC"]
        )
        aliases: dict[int, list[str]] = {}
        for alias in ALL_ALIASES:
            number = self.find(alias)
            if number is not None:
                aliases.setdefault(number, []).append(alias)
        return [
            {
                "version": int(version.version),
                "aliases": aliases.get(int(version.version), []),
                "run_id": version.run_id or None,
                "created_at": _iso(version.creation_timestamp),
                **{name: version.tags.get(name) for name in _DESCRIBED},
                "scores": self._scores_of(version.run_id),
            }
            for version in found
        ]

    def find_verdict(self, version: "ModelVersion") -> dict[str, Any] | None:
        """Return the gate's verdict that made a version champion; None if it was not kept."""
        import mlflow
        from mlflow.exceptions import MlflowException

        tags = self._client.get_model_version(self.name, str(version.number)).tags
        run_id = tags.get(_VERDICT_RUN, version.run_id)
        if not run_id:
            return None
        try:
            verdict = mlflow.artifacts.load_dict(f"runs:/{run_id}/verdict.json")
        except (MlflowException, OSError):
            return None
        return verdict if verdict["challenger"]["version"] == version.number else None

    def _scores_of(self, run_id: str | None) -> dict[str, float]:
        from mlflow.exceptions import MlflowException

        try:
            metrics = self._client.get_run(run_id).data.metrics if run_id else {}
        except MlflowException:
            return {}
        return {name: metrics[name] for name in _COMPARED if name in metrics}

    @cached_property
    def rollouts(self) -> Rollouts:
        """Which challenger is served beside the champion."""
        return Rollouts(self._client, self.name)

    @cached_property
    def _changes(self) -> "ChangeLog[ChampionChange]":
        return ChangeLog(self._client, self.name, _CHANGE_TAG, ChampionChange)

    @cached_property
    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient()

    def _create(self) -> None:
        """Create the registered model unless it is there."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def fetch(self, number: int) -> "ModelVersion":
        """Return a version by its number.

        Raises:
            RegistryError: If there is none, or its files are gone.
        """
        from mlflow.exceptions import MlflowException

        from grocery_demand.core.model_version import ModelVersion
        from grocery_demand.datasets.model_flavor import fetch_model

        try:
            version = self._client.get_model_version(self.name, str(number))
        except MlflowException as error:
            raise RegistryError(
                f"There is no version {number} of `{self.name}`; `mlflow ui` lists the versions, "
                "under Models."
            ) from error
        try:
            model = fetch_model(f"models:/{self.name}/{number}")
        except ModelFileError as error:
            raise RegistryError(
                f"`{self.name}` version {number} cannot be used. {error} Check out the code that "
                "made it (tag git_commit of its MLflow run), or remove mlflow.db and mlartifacts "
                "and train again."
            ) from error
        except (OSError, MlflowException) as error:
            source = self._client.get_model_version_download_uri(self.name, str(number))
            raise RegistryError(
                f"The files of `{self.name}` version {number} should be in {source}, but cannot "
                f"be read: {error}. MLflow keeps full paths: if the project was moved or copied, "
                "move it back, or remove mlflow.db and train again."
            ) from error
        return ModelVersion(number, model, version.run_id or None)

    def _note_run_of_verdict(self, number: int) -> None:
        import mlflow

        run = mlflow.active_run()
        if run is not None:
            self._client.set_model_version_tag(
                self.name, str(number), _VERDICT_RUN, run.info.run_id
            )

    def _point(self, alias: str, number: int) -> None:
        self._client.set_registered_model_alias(self.name, alias, str(number))

    def _complete_history(self, champion: int | None) -> None:
        """Record a change that an interrupted command made, but did not come to record.

        A command moves `previous` first and `champion` last, or the reverse, and then records. One
        that broke off leaves a champion without a record, or `previous` equal to the champion.
        """
        if champion is None:
            return
        known = self.history()
        last = known[-1].champion if known else None
        if last != champion:
            reason = "Recorded afterwards: the command that changed it was interrupted."
            self._record("promotion", last, champion, reason)

    def _record(
        self, kind: str, replaced: int | None, champion: int, reason: str
    ) -> ChampionChange:
        return self._changes.record(kind=kind, replaced=replaced, champion=champion, reason=reason)


def _named(number: int | None) -> str:
    return "none" if number is None else f"version {number}"


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
