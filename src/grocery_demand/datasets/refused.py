"""The dataset of what an environment does not offer."""

from typing import Any

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.errors import GroceryDemandError


class RefusedError(GroceryDemandError, DatasetError):
    """A pipeline is run in an environment that is not made for it."""


class RefusedDataset(AbstractDataset[None, None]):
    """Stands for an input that an environment does not offer; who needs it is refused.

    `RefusalHook` refuses a run before its first node, if the pipeline has such an input.

    Args:
        reason: Why, and what to type instead.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, reason: str, metadata: dict[str, Any] | None = None) -> None:
        self.reason = " ".join(reason.split())
        self.metadata = metadata

    def load(self) -> None:
        """Refuse.

        Raises:
            RefusedError: With the reason.
        """
        raise RefusedError(self.reason)

    def save(self, data: None) -> None:  # noqa: ARG002
        """Refuse.

        Raises:
            RefusedError: With the reason.
        """
        raise RefusedError(self.reason)

    def _describe(self) -> dict[str, Any]:
        return {"reason": self.reason}
