"""A logged model as MLflow sees it: what `mlflow.pyfunc` serves, and plain files."""

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import Model

from grocery_demand.core.features import Snapshot
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.datasets.model_flavor import log_model
from grocery_demand.storage.model_folder import read_model, write_model

MODELS = ("lightgbm", "decision_tree", "moving_average")


@pytest.fixture
def logged(champions) -> dict[str, Path]:
    """The folders of logged models, by the models' names."""
    uris = (MlflowClient().get_model_version_download_uri("demand", n) for n in ("3", "2", "1"))
    return {name: Path(urlparse(uri).path) for name, uri in zip(MODELS, uris, strict=True)}


def features_of(panel, forecaster) -> pd.DataFrame:
    """Return the features of every series on every day ahead, as float64 like MLflow's."""
    steps, rows = np.arange(1, 17), np.arange(len(panel.series))
    known = Snapshot(panel, panel.n_days - 1)
    matrix = known.features(forecaster.encoding, steps, forecaster.input_names, rows)
    return pd.DataFrame(matrix.astype(float), columns=list(forecaster.input_names))


@pytest.mark.parametrize("name", MODELS)
def test_the_served_model_forecasts_as_the_trained_one(panel, trained, logged, name):
    features = features_of(panel, trained[name].final)
    served = mlflow.pyfunc.load_model(str(logged[name]))
    expected = trained[name].final.predict_features(features)
    pd.testing.assert_frame_equal(served.predict(features), expected, check_exact=True)
    assert expected["point"].nunique() > 10


@pytest.mark.parametrize("name", MODELS)
def test_the_signature_names_every_feature_and_every_quantile(trained, logged, name):
    signature = Model.load(str(logged[name])).signature
    assert tuple(signature.inputs.input_names()) == trained[name].final.input_names
    assert signature.outputs.input_names() == list(FORECAST)


def test_features_are_refused_when_one_is_missing(trained, logged):
    served = mlflow.pyfunc.load_model(str(logged["lightgbm"]))
    with pytest.raises(mlflow.MlflowException, match="moving_average"):
        served.predict(trained["lightgbm"].input_example.drop(columns="moving_average"))


def test_the_input_example_is_served_although_it_has_unknown_values(trained, logged):
    example = trained["lightgbm"].input_example
    assert example["year_ago_change"].isna().all()
    forecast = mlflow.pyfunc.load_model(str(logged["lightgbm"])).predict(example)
    assert np.isfinite(forecast.to_numpy()).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_input_example_is_that_of_the_training(trained, logged, name):
    example = Model.load(str(logged[name])).load_input_example(str(logged[name]))
    expected = trained[name].input_example
    pd.testing.assert_frame_equal(example, expected, check_dtype=False)
    serving = json.loads((logged[name] / "serving_input_example.json").read_text())
    assert serving["dataframe_split"]["columns"] == list(expected)


def test_the_libraries_to_load_it_with_are_pinned(logged):
    lines = (logged["lightgbm"] / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines)
    assert {"lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "skops"} <= set(pinned)
    assert pinned["numpy"] == np.__version__


@pytest.mark.parametrize("name", MODELS)
def test_no_file_of_a_logged_model_is_a_pickle(logged, name):
    paths = [path for path in logged[name].rglob("*") if path.is_file()]
    kinds = {path.suffix for path in paths}
    assert kinds <= {"", ".json", ".lgb", ".skops", ".txt", ".yaml"}
    for path in paths:
        if path.suffix == ".skops":
            refuse_pickles_in(path)
        else:
            path.read_text(encoding="utf-8")


def refuse_pickles_in(path: Path) -> None:
    """Read every member of a skops archive without unpickling."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            contents = archive.read(member)
            if member.endswith(".npy"):
                np.load(io.BytesIO(contents), allow_pickle=False)
            else:
                assert member.endswith(".json")
                json.loads(contents)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_written_to_a_folder_comes_back_with_the_same_digest(trained, tmp_path, name):
    write_model(trained[name], tmp_path / "model")
    again = read_model(tmp_path / "model")
    assert again.digest == trained[name].digest
    assert again.to_files() == trained[name].to_files()


def test_a_model_is_logged_on_the_active_run_with_its_tags(trained, mlflow_store):
    with mlflow.start_run() as run:
        info = log_model(trained["moving_average"], tags={"cutoff": "2015-12-17"})
    found = mlflow.get_logged_model(info.model_id)
    assert found.name == "moving_average"
    assert found.source_run_id == run.info.run_id
    assert found.tags["cutoff"] == "2015-12-17"
