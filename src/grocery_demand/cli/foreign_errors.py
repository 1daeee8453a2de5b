"""What errors of the disk, the database, MLflow, the catalog and Kedro mean for a user."""

import errno
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from kedro.config import MissingConfigException
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.pipeline import Pipeline

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL_TEXTS = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|disk is full"
    r"|\d+ requested and \d+ written"
)
_WHOLE = "Champion, panel and forecasts are as they were"

_DATABASE = {
    "database is locked": (
        "are held by another process. Wait until it has ended (`fuser` names it), then type the "
        "command again."
    ),
    "readonly database": "cannot be written to. Give yourself the right to write file and folder.",
    "unable to open database file": "cannot be opened. See that the folder is there and writable.",
    "file is not a database": "",
    "malformed": "",
    "disk I/O error": "cannot be written or read: the disk is full or fails. Free some space.",
}
"""What SQLite says, and what it means; empty where the file is damaged."""

_DAMAGED = (
    "are damaged. Put a copy of the file back; without one, move it away and train again with "
    "`kedro run`: a new file begins, without the former runs and versions."
)

_LOADING = re.compile(r"(\w+): Failed while loading data from dataset .*?PurePosixPath\('(.*?)'\)")
_MAKERS = ("preprocess", "fit", "promote", "forecast", "report", "monitor")
_NOT_YAML = re.compile(r"Invalid YAML or JSON file (.*?), unable to read line (\d+)")
_SAID_BY_KEDRO = {
    "Failed to find the pipeline named": "`kedro registry list` names all pipelines.",
    "Pipeline does not contain": "`kedro registry describe PIPELINE` names its nodes.",
    "Pipeline contains no nodes": "`kedro registry describe PIPELINE` names its nodes.",
}

Descriptions = tuple[Callable[[BaseException], str | None], ...]


def describe_disk(error: BaseException) -> str | None:
    """Tell of a full disk, or of a file that may not be written or read."""
    number = error.errno if isinstance(error, OSError) else None
    place = _place(error) if isinstance(error, OSError) and error.filename else None
    if number in _FULL or _FULL_TEXTS.search(str(error)):
        return (
            f"The disk is full: nothing more can be written{f' to {place}' if place else ''}. "
            f"Free some space, then type the command again. {_WHOLE}."
        )
    if number in _FORBIDDEN and place:
        return (
            f"You have no right to read or write {place} ({os.strerror(number)}). Give yourself "
            f"that right, or be the user whose project it is. {_WHOLE}."
        )
    return None


def describe_database(error: BaseException) -> str | None:
    """Tell of MLflow's SQLite file: locked, damaged, not to be written."""
    if not _is_of(error, "sqlalchemy.", "sqlite3.", "mlflow.") and "sqlite3." not in str(error):
        return None
    for said, meaning in _DATABASE.items():
        if said in str(error):
            return f"MLflow's records in {_tracking_uri()} {meaning or _DAMAGED} ({said})"
    return None


def describe_mlflow(error: BaseException) -> str | None:
    """Tell of an MLflow that is of another version, away, or wrongly named."""
    if not _is_of(error, "mlflow."):
        return None
    text, uri = str(error), _tracking_uri()
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return (
            f"MLflow's records in {uri} were written by another version of MLflow. `make setup` "
            "installs the one of requirements.lock; records of an older one are brought up to it "
            f"by: mlflow db upgrade {uri}  (copy the file first)"
        )
    if "API request to" in text:
        return (
            f"MLflow at {uri} does not answer. Start it, name another with MLFLOW_TRACKING_URI, or "
            "unset that to record in mlflow.db."
        )
    if "unsupported URI" in text:
        return (
            f"MLFLOW_TRACKING_URI is {uri!r}, which MLflow cannot record in; allowed: http://…, "
            "https://…, postgresql://… or sqlite:///mlflow.db."
        )
    return None


def describe_dataset(error: BaseException) -> str | None:
    """Tell of a dataset that is not there, is damaged or is wrongly configured."""
    if not isinstance(error, DatasetError):
        return None
    found = _LOADING.search(str(error))
    if found is None:
        is_configuration = "parsing config for dataset" in str(error)
        return f"conf/base/catalog.yml: {error}" if is_configuration else None
    name, path = found.groups()
    reason = str(error).rpartition("\n")[2]
    lies = "is not there" if reason == path else f"cannot be read: {reason.rstrip('.')}"
    maker = find_maker(name, pipelines)
    mend = f" Make it anew with `kedro run --pipeline {maker}`." if maker else ""
    return f"`{name}` ({path}) {lies}.{mend}"


def describe_configuration(error: BaseException) -> str | None:
    """Tell of a file in conf/ that is not YAML, or names what is not there."""
    if found := _NOT_YAML.search(str(error)):
        return (
            f"{found[1]}, line {int(found[2]) + 1}, is no YAML. Mend it: indent with spaces, two "
            "for each level, and write `name: value`. `git diff conf` shows what was changed."
        )
    if isinstance(error, MissingConfigException) or _is_of(error, "omegaconf."):
        return (
            f"The files in conf/ do not fit together: {str(error).strip()}\n`git diff conf` shows "
            "what was changed."
        )
    return None


def describe_kedro(error: BaseException) -> str | None:
    """Pass on what Kedro says of pipelines and nodes that it does not know."""
    known = next((mend for said, mend in _SAID_BY_KEDRO.items() if str(error).startswith(said)), "")
    return f"{error}\n{known}" if known else None


DEEPEST_FIRST: Descriptions = (describe_disk, describe_database, describe_mlflow)
OUTERMOST_FIRST: Descriptions = (describe_dataset, describe_configuration, describe_kedro)
"""Which error of a chain says most: the one that began it, or the one that ended it."""


def find_maker(dataset: str, pipelines: Mapping[str, Pipeline]) -> str | None:
    """Return the registered pipeline that makes a dataset; None if none does."""
    makers = (name for name in _MAKERS if dataset in pipelines[name].all_outputs())
    return next(makers, None)


def _is_of(error: BaseException, *modules: str) -> bool:
    return f"{type(error).__module__}.".startswith(modules)


def _tracking_uri() -> str:
    import mlflow

    return str(mlflow.get_tracking_uri())


def _place(error: OSError) -> Path:
    """Return the file, or the folder of one that is written beside its place."""
    path = Path(os.fsdecode(error.filename))
    return path.parent if path.name.startswith(".") else path
