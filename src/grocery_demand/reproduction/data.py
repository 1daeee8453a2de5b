"""The data of a run, brought back into a working copy."""

from pathlib import Path

from grocery_demand.reproduction.dvc import Dvc
from grocery_demand.reproduction.recorded_run import RecordedRun, ReproductionError
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.panel_folder import PanelFolderError, read_panel
from grocery_demand.storage.parted_panel import PartedPlace

_PANEL = Path("data/03_primary/panel")
PANEL_PARTS = "data/03_primary/panel_parts"
"""Where a run over workers has its panel in the working copy."""

MAKES_PANEL = "preprocess"
"""The pipeline, and the stage, that makes it."""


def bring_raw_files(run: RecordedRun, project: Path, copy: Path, dvc: Dvc) -> tuple[str, str]:
    """Bring the raw files back: from git, from DVC, or from where they still lie.

    Returns:
        The folder that the run made again reads, and where the files are from, in words.

    Raises:
        ReproductionError: If they are nowhere to be found.
    """
    tracked = copy / f"{run.raw_dir}.dvc"
    if _holds_files(copy / run.raw_dir):
        return run.raw_dir, "as they lie there" if Path(run.raw_dir).is_absolute() else "from git"
    if tracked.is_file() and dvc.bring(str(tracked.relative_to(copy))):
        return run.raw_dir, f"from DVC, version {run.tags.get('dvc_data', 'unknown')}"
    if _holds_files(project / run.raw_dir):
        return str(project / run.raw_dir), "as they lie in the project, neither in git nor in DVC"
    raise ReproductionError(_explain_missing(run, project, dvc if tracked.is_file() else None))


def bring_panel(run: RecordedRun, copy: Path, dvc: Dvc) -> bool:
    """Bring back the panel that a run began with, if DVC has it.

    Returns:
        Whether it is the run's, by the digest of its data; if not, it is to be made anew.
    """
    wanted = run.tags.get("data_digest")
    return dvc.bring(MAKES_PANEL) and find_panel_digest(copy) == wanted


def find_panel_digest(copy: Path) -> str | None:
    """Return the digest of the data in the working copy's panel; None without one."""
    try:
        return read_panel(copy / _PANEL).digest
    except PanelFolderError:
        return None


def find_parts_digest(copy: Path) -> str | None:
    """Return the digest of the data in the working copy's panel in parts; None without one."""
    try:
        return str(PartedPlace(str(copy / PANEL_PARTS)).read_manifest()["digest"])
    except PartedPlaceError:
        return None


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() for path in folder.iterdir())


def _explain_missing(run: RecordedRun, project: Path, dvc: Dvc | None) -> str:
    """Say what is missing; `dvc` is given if it tracks the files."""
    digest = run.tags.get("data_digest", "unknown")
    if dvc and not dvc.is_usable:
        return f"DVC tracks the raw files in {run.raw_dir}, but is not installed: make tools"
    told = f"The raw files of the run lay in {run.raw_dir} (data digest {digest[:12]})"
    if dvc:
        version = run.tags.get("dvc_data", "unknown")
        return (
            f"{told} and are tracked by DVC, version {version}, but neither its cache nor its "
            f"remote has them. Whoever has them: dvc push. DVC says: {dvc.complaint}"
        )
    return (
        f"{told}. They are not in the run's commit, DVC does not track them, and "
        f"{project / run.raw_dir} holds no files. Put them there."
    )
