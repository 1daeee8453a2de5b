"""Kedro datasets over the model registry: one for each role that a version can play."""

from typing import Any, ClassVar, NoReturn, TypeVar

from kedro.io import AbstractDataset, DatasetError

from grocery_demand.core.model_version import Decision, ModelVersion
from grocery_demand.core.rollout import ServedChallenger
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.datasets.challenger_control import load_served
from grocery_demand.datasets.model_registry import ModelRegistry
from grocery_demand.datasets.registered_versions import CHALLENGER, CHAMPION

_Saved = TypeVar("_Saved")
_Loaded = TypeVar("_Loaded")


class _VersionDataset(AbstractDataset[_Saved, _Loaded]):
    """A role in the registry; it exists if a version plays it.

    Args:
        name: Name of the registered model.
        metadata: Anything for other tools; Kedro ignores it.
    """

    _alias: ClassVar[str]

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._registry = ModelRegistry(name)
        self.metadata = metadata

    def _exists(self) -> bool:
        return self._registry.find(self._alias) is not None

    def _describe(self) -> dict[str, Any]:
        return {"name": self._registry.name, "alias": self._alias}


class ChallengerDataset(_VersionDataset[TrainedModel, ModelVersion]):
    """The newest trained model: saving registers it, loading gives it with its number."""

    _alias = CHALLENGER

    def save(self, data: TrainedModel) -> None:
        """Log the model on the active MLflow run and register it as challenger."""
        self._registry.register(data)

    def load(self) -> ModelVersion:
        """Return the challenger.

        Raises:
            RegistryError: If there is none.
        """
        return self._registry.load(self._alias)


class IncumbentDataset(_VersionDataset[NoReturn, ModelVersion | None]):
    """The champion as it is before the gate, or None if there is none; only read."""

    _alias = CHAMPION

    def load(self) -> ModelVersion | None:
        """Return the champion, or None."""
        return self._registry.load(self._alias) if self._exists() else None

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: the gate alone makes champions."""
        raise DatasetError("The incumbent is only read; save to `champion`.")


class ChampionDataset(_VersionDataset[Decision, ModelVersion]):
    """The champion: saving a decision makes the challenger champion, or serves it beside it."""

    _alias = CHAMPION

    def save(self, data: Decision) -> None:
        """Move the aliases that the decision says; do nothing if the champion stays alone."""
        if data.promoted:
            self._registry.promote(data)
        elif data.mode is not None:
            self._registry.rollouts.start(data.version, data.mode, data.share, data.reason)

    def load(self) -> ModelVersion:
        """Return the champion.

        Raises:
            RegistryError: If there is none yet, or its files are gone.
        """
        return self._registry.load(self._alias)


class ServedChallengerDataset(_VersionDataset[NoReturn, ServedChallenger | None]):
    """The challenger that is served beside the champion, or None if none is; only read."""

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


class NewestTrainingDataset(_VersionDataset[NoReturn, str | None]):
    """The last day of sales that the newest trained version has seen, ISO; only read."""

    _alias = CHALLENGER

    def load(self) -> str | None:
        """Return the date, or None if nothing was trained yet."""
        return self._registry.find_cutoff(self._alias)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: training writes it with the challenger."""
        raise DatasetError("The newest training is only read; save to `challenger`.")
