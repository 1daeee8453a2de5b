"""A copy of the project, in which the rehearsal may change whatever it likes."""

import os
import shutil
from pathlib import Path

from grocery_demand.core.errors import GroceryDemandError

_MARK = ".rehearsal"
_FOLDERS = ("conf", "src")
_FILES = ("pyproject.toml", "requirements.lock")
_PARAMETERS = "parameters"
_SHARED = (
    "KEDRO_ENV", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URL", "EVENTS_URL", "FLUENTD_HOST",
    "MONITORING_FILE", "PUBLICATION_DIR",
)  # fmt: skip


class RehearsalFolderError(GroceryDemandError):
    """The folder holds something else than a rehearsal."""


def copy_project(project: Path, folder: Path) -> Path:
    """Make a copy without data, runs and models; return its folder.

    Of `conf/local` only the parameters come along: the rest says where this project's own data,
    registry and publication lie, and holds its secrets.

    A former rehearsal in the folder is deleted first.

    Raises:
        RehearsalFolderError: If the folder holds anything but a former rehearsal.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise RehearsalFolderError(
            f"{folder} holds other files than a rehearsal's and is left as it is; name another "
            "folder with --folder."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    for name in _FOLDERS:
        shutil.copytree(project / name, folder / name, ignore=_choose_skipped)
    for name in _FILES:
        shutil.copy(project / name, folder / name)
    return folder


def _choose_skipped(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder is not copied, as `shutil.copytree` asks."""
    skipped = {name for name in names if name == "__pycache__" or name.startswith("credentials")}
    if Path(folder).parts[-2:] == ("conf", "local"):
        skipped |= {name for name in names if not name.startswith((_PARAMETERS, "."))}
    return skipped


def leave_shared_services() -> None:
    """Forget the variables of this process by which the copy would use what others use, too.

    Models of a rehearsal must not reach the registry that production follows.
    """
    for name in _SHARED:
        os.environ.pop(name, None)
