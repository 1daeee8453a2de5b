"""Models to register, small enough for tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.model_version import Decision
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import fit_final_model, run_backtest
from grocery_demand.datasets.model_registry import ModelRegistry
from mlflow_store import mlflow_at
from worlds import SMALL_MODELS


@pytest.fixture(scope="session")
def trained(panel) -> dict[str, TrainedModel]:
    """One model of each kind that lies in files of its own, and both baselines."""

    def train(model: str) -> TrainedModel:
        training = TrainingParameters(model=model, max_training_rows=3000)
        backtest = run_backtest(panel, training, SMALL_MODELS[model])
        return fit_final_model(panel, training, SMALL_MODELS[model], backtest, {"nwrmsle": 0.5})

    names = ("lightgbm", "decision_tree", "seasonal_naive", "moving_average")
    return {name: train(name) for name in names}


@pytest.fixture(scope="session")
def database_with_champions(empty_database, trained, tmp_path_factory) -> Path:
    """A store with three versions, of which the first and then the second became champion.

    They are: 1 moving_average, 2 decision_tree, 3 lightgbm.
    """
    path = shutil.copy(empty_database, tmp_path_factory.mktemp("champions") / "mlflow.db")
    with mlflow_at(path):
        registry = ModelRegistry("demand")
        for name in ("moving_average", "decision_tree", "lightgbm"):
            registry.register(trained[name])
        registry.promote(Decision(True, 1, None, "Version 1 is better."))
        registry.promote(Decision(True, 2, 1, "Version 2 is better."))
    return path


@pytest.fixture
def registry(mlflow_store) -> ModelRegistry:
    """The registered model `demand` in an empty store."""
    return ModelRegistry("demand")


@pytest.fixture
def register(registry, trained) -> Callable[[str], int]:
    """Register one of the trained models, and return its number."""
    return lambda name: registry.register(trained[name])


@pytest.fixture
def champions(registry, database_with_champions, tmp_path) -> ModelRegistry:
    """The registered model with three versions and two champions, in a store of the test's own.

    Their files are shared by all tests.
    """
    shutil.copy(database_with_champions, tmp_path / "mlflow.db")
    return registry
