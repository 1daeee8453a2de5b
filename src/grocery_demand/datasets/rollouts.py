"""Which challenger is served beside the champion, by aliases of the registered model."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from grocery_demand.core.rollout import CANARY, DEFAULT_SHARES, SHADOW, Rollout, RolloutError
from grocery_demand.datasets.change_log import ABSENT, ChangeLog

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

OFF = "off"

_ALIASES = (CANARY, SHADOW)
"""In the order in which they are looked for."""

_SHARE_TAG = "_share"
_CHANGE_TAG = "rollout_change."


@dataclass(frozen=True)
class RolloutChange:
    """One change of what challenger is served.

    Attributes:
        at: When, ISO in UTC.
        by: The user who did it.
        mode: `shadow`, `canary` or `off`.
        version: Number of the challenger's version.
        share: Share of the series that it takes since; 0 if it is served no longer.
        reason: Why, in one sentence.
    """

    at: str
    by: str
    mode: str
    version: int
    share: float
    reason: str


class Rollouts:
    """The alias `canary` or `shadow` names the challenger that is served; its tag has the share.

    An alias that somebody sets by hand counts as one that was set here. A change that breaks off
    leaves what was served before or nothing, but never a canary that was to be a shadow.

    Args:
        client: MLflow.
        model_name: Name of the registered model.
    """

    def __init__(self, client: "MlflowClient", model_name: str) -> None:
        self._client = client
        self._name = model_name
        self._log = ChangeLog(client, model_name, _CHANGE_TAG, RolloutChange)

    def find(self) -> Rollout | None:
        """Return the challenger that is to be served; None if none is.

        Raises:
            RolloutError: If the tag with the share was set by hand to what is none.
        """
        for mode in _ALIASES:
            number = find_alias(self._client, self._name, mode)
            if number is not None:
                version = self._client.get_model_version(self._name, str(number))
                return Rollout(
                    model_version=number,
                    run_id=version.run_id or None,
                    mode=mode,
                    share=_share_of(version, mode),
                    since=self._since(mode, number),
                )
        return None

    def start(self, version: int, mode: str, share: float, reason: str) -> RolloutChange:
        """Serve a version from now on, in this mode and with this share, instead of any other.

        Raises:
            RolloutError: If there is no such mode or share.
        """
        Rollout(version, None, mode, share, since="")
        self._client.set_model_version_tag(self._name, str(version), mode + _SHARE_TAG, str(share))
        if mode == SHADOW:
            self._remove(CANARY)
        self._client.set_registered_model_alias(self._name, mode, str(version))
        if mode == CANARY:
            self._remove(SHADOW)
        return self._log.record(mode=mode, version=version, share=share, reason=reason)

    def end(self, reason: str) -> RolloutChange | None:
        """Serve no challenger any more; return what was ended, None if none was served."""
        ended = None
        for alias in _ALIASES:
            number = self._remove(alias)
            if number is not None and ended is None:
                ended = self._log.record(mode=OFF, version=number, share=0.0, reason=reason)
        return ended

    def history(self) -> list[RolloutChange]:
        """Return every change, the oldest first."""
        return self._log.read()

    def _since(self, mode: str, number: int) -> str:
        """Return when it was begun, now if that was done by hand and not recorded."""
        changes = self.history()
        if changes and (changes[-1].mode, changes[-1].version) == (mode, number):
            return changes[-1].at
        return datetime.now(UTC).isoformat(timespec="seconds")

    def _remove(self, alias: str) -> int | None:
        """Remove an alias; return the version that it named, None if there is none."""
        number = find_alias(self._client, self._name, alias)
        if number is not None:
            self._client.delete_registered_model_alias(self._name, alias)
        return number


def _share_of(version: "ModelVersion", mode: str) -> float:
    given = version.tags.get(mode + _SHARE_TAG)
    try:
        return DEFAULT_SHARES[mode] if given is None else float(given)
    except ValueError:
        raise RolloutError(
            f"Tag {mode}{_SHARE_TAG} of version {version.version} is {given!r}; set a number above "
            "0 and up to 1, or end it with `kedro challenger off`."
        ) from None


def find_alias(client: "MlflowClient", model_name: str, alias: str) -> int | None:
    """Return the number of the version that an alias names; None if it names none."""
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_model_version_by_alias(model_name, alias)
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise
    return int(found.version)
