"""The registered model in MLflow: its versions, its aliases, and who was champion when."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from grocery_demand.core.errors import RegistryError
from grocery_demand.datasets.change_log import ChangeLog
from grocery_demand.datasets.registered_versions import (
    CHALLENGER,
    CHAMPION,
    DESCRIBED,
    PREVIOUS,
    RegisteredVersions,
)
from grocery_demand.datasets.rollouts import Rollouts, find_alias

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from grocery_demand.core.model_version import Decision, ModelVersion
    from grocery_demand.core.trained_model import TrainedModel

_CHANGE_TAG = "champion_change."


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

        tags = {name: str(model.metadata[name]) for name in DESCRIBED}
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
        return self.versions.fetch(number)

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
        self.versions.note_run_of_verdict(decision.version)
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

    @cached_property
    def versions(self) -> RegisteredVersions:
        """Its versions, whichever of them serves."""
        return RegisteredVersions(self._client, self.name)

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
