"""How a trained model lies in MLflow: plain files that `mlflow.pyfunc` can serve, no pickle."""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.storage.model_folder import read_model, write_model

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models.model import ModelInfo

_FOLDER = "trained_model"
_LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "skops")


class FeatureModel:
    """What `mlflow.pyfunc.load_model` gives: from features to forecasts.

    Args:
        model: The trained model; its final fit forecasts.
    """

    def __init__(self, model: TrainedModel) -> None:
        self._forecaster = model.final

    def predict(
        self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None
    ) -> "pd.DataFrame":
        """Return point, quantiles and interval in units, one row per row of features."""
        del params
        return self._forecaster.predict_features(model_input)


def _load_pyfunc(path: str) -> FeatureModel:
    """Load the model for MLflow, which calls this function by its name."""
    return FeatureModel(read_model(Path(path)))


def log_model(model: TrainedModel, tags: dict[str, str]) -> "ModelInfo":
    """Log a model on the active MLflow run, if there is one, with signature and input example.

    The requirements are given, as MLflow needs half a minute to infer them.
    """
    import mlflow
    from mlflow.models import infer_signature

    example = model.input_example
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _FOLDER
        write_model(model, path)
        return mlflow.pyfunc.log_model(
            name=model.metadata["model"],
            loader_module=__name__,
            data_path=str(path),
            signature=infer_signature(example, model.final.predict_features(example)),
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in _LIBRARIES],
            tags=tags,
        )


def fetch_model(uri: str) -> TrainedModel:
    """Load a registered model by its MLflow address, `models:/NAME/VERSION`."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(f"{uri}/data/{_FOLDER}", dst_path=folder)
        return read_model(Path(path))
