"""A run made again: code, data and parameters brought back, run, compared."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from grocery_demand.reproduction.comparison import DIFFERENT, Finding, compare_runs
from grocery_demand.reproduction.data import (
    MAKES_PANEL,
    bring_panel,
    bring_raw_files,
    find_panel_digest,
    find_parts_digest,
)
from grocery_demand.reproduction.dvc import Dvc
from grocery_demand.reproduction.recorded_run import (
    RecordedRun,
    ReproductionError,
    find_run,
    load_parameters,
)
from grocery_demand.reproduction.rerun import configure, find_newest_run, run_pipeline
from grocery_demand.reproduction.working_copy import check_out


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again.

    Attributes:
        copy: The working copy, with data, runs and models of its own.
        again: The run there.
        findings: What is equal to the first run and what is not.
    """

    copy: Path
    again: RecordedRun
    findings: list[Finding]

    @property
    def differences(self) -> list[str]:
        """What should be equal and is not."""
        return [finding.subject for finding in self.findings if finding.state == DIFFERENT]


def reproduce_run(
    run_id: str,
    project: Path,
    folder: Path,
    experiments: Collection[str],
    tell: Callable[[str], None],
) -> Reproduction:
    """Make a run again in a working copy of its commit, and compare.

    Neither data nor registry of the project are touched.

    Args:
        run_id: The run, in the MLflow that is set as tracking address.
        project: The project's folder.
        folder: Where working copies are made, each in a folder of its run's number.
        experiments: Names of the experiments that the project records in.
        tell: Is given a line before each step.

    Raises:
        ReproductionError: If the run, its code or its data cannot be brought back.
    """
    run = find_run(run_id, experiments)
    parameters = load_parameters(run)
    copy = check_out(project, run.commit, folder / run.run_id)
    tell(f"Code: commit {run.commit[:12]} in {copy}")
    dvc = Dvc(project, copy)
    raw_dir, source = bring_raw_files(run, project, copy, dvc)
    tell(f"Raw files: {run.raw_dir}, {source}")
    configure(copy, parameters, raw_dir, run)
    if run.workers:
        tell(f"Workers: {run.workers} processes of this machine, {run.parts} parts, as of the run")
    if run.reads_panel:
        _prepare_panel(run, copy, dvc, tell)
    tell(f"Running {run.pipeline} with the parameters of the run …")
    run_pipeline(copy, run.pipeline, run.workers)
    again = find_newest_run(copy, run.pipeline)
    return Reproduction(copy, again, compare_runs(run, again))


def _prepare_panel(run: RecordedRun, copy: Path, dvc: Dvc, tell: Callable[[str], None]) -> None:
    """Bring back or make the panel that the run began with."""
    if not run.workers and bring_panel(run, copy, dvc):
        tell("Panel: from DVC")
        return
    tell("Panel: made anew from the raw files …")
    run_pipeline(copy, MAKES_PANEL, run.workers)
    found = find_parts_digest(copy) if run.workers else find_panel_digest(copy)
    wanted, made = run.tags.get("data_digest", "unknown"), found or "none"
    if made != wanted:
        raise ReproductionError(
            f"The run read a panel of data {wanted[:12]}, but the raw files give {made[:12]}: they "
            "have changed, or days had been taken in since by `update`, whose panels can be "
            "brought back if they are committed to DVC: dvc commit, dvc push"
        )
