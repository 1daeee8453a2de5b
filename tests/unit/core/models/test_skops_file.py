"""A model file says what it is: no pickle, no foreign type, no index that leads astray."""

import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.ensemble import AdaBoostRegressor, GradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.models.skops_file import read_skops, write_skops

SOURCE = np.random.default_rng(0)
MATRIX = SOURCE.normal(size=(200, 3)).astype(np.float32)
TARGET = MATRIX[:, 0] + SOURCE.normal(size=200)


class Foreign:
    """A type that no model file of this project holds."""

    def __init__(self) -> None:
        self.value = 1


def fit_tree() -> DecisionTreeRegressor:
    return DecisionTreeRegressor(max_depth=4, random_state=0).fit(MATRIX, TARGET)


def with_nodes(contents: bytes, change: Callable[[np.ndarray], None]) -> bytes:
    """Return a model file with other tree nodes in it."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contents)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            array = np.load(io.BytesIO(data)) if name.endswith(".npy") else np.empty(0)
            if array.dtype.names:
                change(array)
                buffer = io.BytesIO()
                np.save(buffer, array)
                data = buffer.getvalue()
            new.writestr(name, data)
    return changed.getvalue()


@pytest.mark.parametrize(
    "regressor",
    [
        DecisionTreeRegressor(random_state=0),
        RandomForestRegressor(3, random_state=0),
        AdaBoostRegressor(DecisionTreeRegressor(max_depth=2), n_estimators=3, random_state=0),
        GradientBoostingRegressor(n_estimators=3, random_state=0, subsample=0.5),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_the_same_model_has_the_same_bytes_again_and_after_restoring(regressor):
    once, again = (write_skops(clone(regressor).fit(MATRIX, TARGET)) for _ in range(2))
    assert again == once
    assert write_skops(read_skops(once, 3)) == once


def test_a_file_holds_no_memory_address_date_or_pickle():
    with zipfile.ZipFile(io.BytesIO(write_skops(fit_tree()))) as archive:
        schema = archive.read("schema.json").decode()
        dates = {entry.date_time for entry in archive.infolist()}
        assert all(name.endswith((".npy", ".json")) for name in archive.namelist())
    assert "__id__" not in schema
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_with_a_foreign_type_is_refused():
    tree = fit_tree()
    tree.extra = Foreign()
    with pytest.raises(ModelFileError, match="Foreign"):
        read_skops(skops.io.dumps(tree), 3)


def test_a_file_whose_type_was_swapped_for_a_function_is_refused():
    contents = write_skops(fit_tree())
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contents)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                schema = json.loads(data)
                schema["__module__"], schema["__class__"] = "os", "system"
                data = json.dumps(schema).encode()
            new.writestr(name, data)
    with pytest.raises(ModelFileError, match=r"os\.system"):
        read_skops(changed.getvalue(), 3)


def point_outside(nodes: np.ndarray) -> None:
    nodes["left_child"][0] = 10**9


def point_below_zero(nodes: np.ndarray) -> None:
    nodes["right_child"][0] = -5


def point_at_itself(nodes: np.ndarray) -> None:
    nodes["left_child"][0] = 0


def read_a_feature_too_many(nodes: np.ndarray) -> None:
    nodes["feature"][0] = 3


@pytest.mark.parametrize(
    "change", [point_outside, point_below_zero, point_at_itself, read_a_feature_too_many]
)
def test_a_tree_that_would_read_foreign_memory_is_refused(change):
    with pytest.raises(ModelFileError, match="Train again"):
        read_skops(with_nodes(write_skops(fit_tree()), change), 3)


def test_a_model_of_more_features_than_it_is_given_is_refused():
    tree = DecisionTreeRegressor().fit(MATRIX, MATRIX[:, 2])
    with pytest.raises(ModelFileError):
        read_skops(write_skops(tree), 2)
