"""Fitted scikit-learn trees as a skops file: the same bytes for the same model, no pickle."""

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np

from grocery_demand.core.errors import ModelFileError

_SCHEMA = "schema.json"
_LEAF = -1

_TRUSTED = ["sklearn.tree._tree.Tree"]
"""Types beyond skops' own defaults that a file may hold; anything else is refused.

skops leaves trees out of its defaults, since prediction follows their indices without checking
them; `_refuse_stray_indices` checks them.
"""


def write_skops(regressor: Any) -> bytes:
    """Return a skops file whose bytes depend on the fitted model alone."""
    import skops.io

    return _without_volatile_facts(skops.io.dumps(regressor))


def read_skops(contents: bytes, n_features: int) -> Any:
    """Return the regressor of a skops file.

    Raises:
        ModelFileError: If the file is damaged, holds a type that is not trusted, or a tree that
            points outside itself or its features.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        regressor = skops.io.loads(contents, trusted=_TRUSTED)
    except UntrustedTypesFoundException as error:
        raise ModelFileError(
            f"The model file was not written by this project: {str(error).splitlines()[0]} "
            "Train again with `kedro run --pipeline train`."
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelFileError(
            f"The model file is damaged: {error}. Train again with `kedro run --pipeline train`."
        ) from error
    for part in np.ravel(getattr(regressor, "estimators_", regressor)):
        _refuse_stray_indices(part.tree_, n_features)
    return regressor


def _refuse_stray_indices(tree: Any, n_features: int) -> None:
    """Children come after their parent, within the tree; features within the matrix."""
    fits = tree.node_count <= tree.capacity
    if fits:
        own = np.arange(tree.node_count)
        inner = tree.children_left != _LEAF
        ends = np.stack([tree.children_left, tree.children_right])[:, inner]
        feature = tree.feature[inner]
        fits = bool(
            ((ends > own[inner]) & (ends < tree.node_count)).all()
            and ((feature >= 0) & (feature < n_features)).all()
        )
    if not fits:
        raise ModelFileError(
            "The model file holds a tree that points outside itself: the file is damaged or this "
            "project did not write it. Train again with `kedro run --pipeline train`."
        )


def _without_volatile_facts(archive: bytes) -> bytes:
    """Return the archive undated, without memory addresses, arrays named by their contents."""
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        files = {name: old.read(name) for name in old.namelist()}
    schema = json.loads(files.pop(_SCHEMA))
    files = {name: _without_padding(data) for name, data in files.items()}
    names = {name: f"{hashlib.sha256(data).hexdigest()}.npy" for name, data in files.items()}
    renamed = {names[name]: data for name, data in files.items()}
    renamed[_SCHEMA] = json.dumps(_without_addresses(schema, names)).encode()
    rewritten = io.BytesIO()
    with zipfile.ZipFile(rewritten, "w") as new:
        for name in sorted(renamed):
            undated = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            new.writestr(undated, renamed[name], zipfile.ZIP_DEFLATED)
    return rewritten.getvalue()


def _without_padding(npy: bytes) -> bytes:
    """Return an array file whose unused bytes between the fields of a record are zero."""
    array = np.load(io.BytesIO(npy), allow_pickle=False)
    if array.dtype.names is None:
        return npy
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    header = npy[: len(npy) - array.nbytes]
    return header + clean.tobytes()


def _without_addresses(state: Any, names: dict[str, str]) -> Any:
    """Return a part of the schema without `__id__`, its files renamed."""
    if isinstance(state, list):
        return [_without_addresses(part, names) for part in state]
    if not isinstance(state, dict):
        return state
    kept = {k: _without_addresses(part, names) for k, part in state.items() if k != "__id__"}
    if kept.get("file") in names:
        kept["file"] = names[kept["file"]]
    return kept
