"""Changes of a registered model, recorded as its tags: one per change, in order, never altered."""

import getpass
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from mlflow import MlflowClient

Change = TypeVar("Change")

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's codes for what is not there."""


class ChangeLog(Generic[Change]):
    """The changes of one kind.

    Args:
        client: MLflow.
        model_name: Name of the registered model.
        prefix: First part of the tags' names.
        kind: The dataclass of a change; its first fields are `at` and `by`.
    """

    def __init__(
        self, client: "MlflowClient", model_name: str, prefix: str, kind: Callable[..., Change]
    ) -> None:
        self._client = client
        self._model_name = model_name
        self._prefix = prefix
        self._kind = kind

    def record(self, **facts: Any) -> Change:
        """Record a change that was made now, by this user; return it."""
        now = datetime.now(UTC)
        change = self._kind(at=now.isoformat(timespec="seconds"), by=_user(), **facts)
        tag = f"{self._prefix}{now:%Y%m%dT%H%M%S.%fZ}"
        contents = json.dumps(vars(change))
        self._client.set_registered_model_tag(self._model_name, tag, contents)
        return change

    def read(self) -> list[Change]:
        """Return every change, the oldest first; none of a model that is not registered."""
        from mlflow.exceptions import MlflowException

        try:
            tags = self._client.get_registered_model(self._model_name).tags
        except MlflowException as error:
            if error.error_code in ABSENT:
                return []
            raise
        names = sorted(name for name in tags if name.startswith(self._prefix))
        return [self._kind(**json.loads(tags[name])) for name in names]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
