"""Kedro datasets over the model registry: one for each role that a version can play."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.forecaster import TrainedModel
from grocery_demand.core.model_version import Decision, ModelVersion
from grocery_demand.core.rollout import ServedChallenger
from grocery_demand.datasets.challenger_control import load_served
from grocery_demand.datasets.model_registry import CHALLENGER, CHAMPION, ModelRegistry


class ChallengerDataset(AbstractDataset[TrainedModel, ModelVersion]):
    """The newest trained model: saving registers it, loading gives it with its number.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def save(self, data: TrainedModel) -> None:
        """Log the model on the active MLflow run and register it as challenger."""
        self._registry.register(data)

    def load(self) -> ModelVersion:
        """Return the challenger.

        Raises:
            RegistryError: If there is none.
        """
        return self._registry.load(CHALLENGER)

    def _exists(self) -> bool:
        return self._registry.find(CHALLENGER) is not None

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name, "alias": CHALLENGER}


class IncumbentDataset(AbstractDataset[NoReturn, ModelVersion | None]):
    """The champion as it is before the gate, or None if there is none; only read.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def load(self) -> ModelVersion | None:
        """Return the champion, or None."""
        return self._registry.load(CHAMPION) if self._exists() else None

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: the gate alone makes champions."""
        raise DatasetError("The incumbent is only read; save to `champion`.")

    def _exists(self) -> bool:
        return self._registry.find(CHAMPION) is not None

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name, "alias": CHAMPION}


class ChampionDataset(AbstractDataset[Decision, ModelVersion]):
    """The champion: saving a decision makes the challenger champion, or serves it beside it.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def save(self, data: Decision) -> None:
        """Move the aliases that the decision says; do nothing if the champion stays alone."""
        if data.promoted:
            self._registry.promote(data)
        elif data.mode is not None:
            self._registry.rollouts.start(data.version, data.mode, data.share, data.reason)

    def load(self) -> ModelVersion:
        """Return the champion.

        Raises:
            RegistryError: If there is none yet.
        """
        return self._registry.load(CHAMPION)

    def _exists(self) -> bool:
        return self._registry.find(CHAMPION) is not None

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name, "alias": CHAMPION}


class ServedChallengerDataset(AbstractDataset[NoReturn, ServedChallenger | None]):
    """The challenger that is served beside the champion, or None if none is; only read.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def load(self) -> ServedChallenger | None:
        """Return the version, and how it is served; None as well if it cannot be used."""
        return load_served(self._registry)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: `kedro challenger` decides what is served."""
        raise DatasetError("The served challenger is only read; set it with `kedro challenger`.")

    def _exists(self) -> bool:
        return self.load() is not None

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name}


class NewestTrainingDataset(AbstractDataset[NoReturn, str | None]):
    """The last day of sales that the newest trained version has seen, ISO; only read.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def load(self) -> str | None:
        """Return the date, or None if nothing was trained yet."""
        return self._registry.find_cutoff(CHALLENGER)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: training writes it with the challenger."""
        raise DatasetError("The newest training is only read; save to `challenger`.")

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name, "alias": CHALLENGER}
