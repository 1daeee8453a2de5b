"""How a trained model lies in MLflow: plain files that `mlflow.pyfunc` can serve, no pickle."""

import hashlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.forecaster import TrainedModel, to_json

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models.model import ModelInfo

_FOLDER = "trained_model"
_CHECKSUMS = "checksums.json"
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
        """Return `point` and quantiles in units, one row per row of features."""
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


def write_model(model: TrainedModel, folder: Path) -> None:
    """Write the model's files into a new folder, and a list of their checksums."""
    files = model.to_files()
    checksums = {name: hashlib.sha256(contents).hexdigest() for name, contents in files.items()}
    for name, contents in (files | {_CHECKSUMS: to_json(checksums)}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)


def read_model(folder: Path) -> TrainedModel:
    """Read the model from the files in a folder.

    The checksums come first: LightGBM ends the process when it reads a damaged text.

    Raises:
        ModelFileError: If a file is missing or not as it was written.
    """
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    _refuse_damage(files.pop(_CHECKSUMS, b"{}"), files)
    return TrainedModel.from_files(files)


def _refuse_damage(checksums: bytes, files: dict[str, bytes]) -> None:
    try:
        written = json.loads(checksums)
    except ValueError:
        written = {}
    found = {name: hashlib.sha256(contents).hexdigest() for name, contents in files.items()}
    if not written or written != found:
        changed = sorted(name for name in written | found if written.get(name) != found.get(name))
        raise ModelFileError(
            f"Its files are not as they were written ({', '.join(changed) or _CHECKSUMS}): they "
            "are damaged, or another version of this project wrote them."
        )
