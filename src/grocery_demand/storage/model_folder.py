"""A trained model as a folder of plain files with their checksums."""

import hashlib
import json
from pathlib import Path

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.forecaster import to_json
from grocery_demand.core.trained_model import TrainedModel

CHECKSUMS = "checksums.json"


def write_model(model: TrainedModel, folder: Path) -> None:
    """Write the model's files into a new folder, and a list of their checksums."""
    files = model.to_files()
    checksums = {name: hashlib.sha256(contents).hexdigest() for name, contents in files.items()}
    for name, contents in (files | {CHECKSUMS: to_json(checksums)}).items():
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
    _refuse_damage(files.pop(CHECKSUMS, b"{}"), files)
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
            f"Its files are not as they were written ({', '.join(changed) or CHECKSUMS}): they "
            "are damaged, or another version of this project wrote them."
        )
