"""A trained model under the number by which the registry knows it."""

from dataclasses import dataclass
from typing import Any

from grocery_demand.core.trained_model import TrainedModel


@dataclass(frozen=True)
class ModelVersion:
    """One version of the registered model.

    Attributes:
        number: Its number in the registry, from 1.
        model: The trained model.
        run_id: The MLflow run that made it; None if none did.
    """

    number: int
    model: TrainedModel
    run_id: str | None = None


@dataclass(frozen=True)
class Decision:
    """What is to become of a challenger.

    Attributes:
        promoted: Whether it becomes champion.
        version: Its number.
        replaces: The champion that it was judged against; None if there was none.
        reason: The verdict in one sentence.
        mode: As what it is served beside the champion first; None if it is not.
        share: Share of the series that it takes then.
    """

    promoted: bool
    version: int
    replaces: int | None
    reason: str
    mode: str | None = None
    share: float = 0.0


def identify_model(model: TrainedModel) -> dict[str, Any]:
    """Return what a model is, the same in every registry: kind, data, days and digest."""
    known = ("model", "feature_set", "cutoff", "holdout_cutoff", "data_digest")
    return {name: model.metadata.get(name) for name in known} | {"model_digest": model.digest}
