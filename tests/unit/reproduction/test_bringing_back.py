"""Code and raw files brought back, in real git repositories."""

import os
import subprocess

import pytest

from grocery_demand.reproduction.data import bring_raw_files
from grocery_demand.reproduction.dvc import Dvc
from grocery_demand.reproduction.recorded_run import RecordedRun, ReproductionError
from grocery_demand.reproduction.working_copy import check_out

RAW = "data/01_raw/own"


@pytest.fixture(autouse=True)
def only_this_repository(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "repository" / "project"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "--quiet")
    commit(folder, "first")
    return folder


def git(folder, *arguments: str) -> str:
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", *author, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def commit(project, text: str) -> str:
    (project / "model.py").write_text(text)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", text)
    return git(project, "rev-parse", "HEAD").strip()


def run_on(raw_dir: str = RAW) -> RecordedRun:
    tags = {"raw_dir": raw_dir, "data_digest": "da7a" * 16, "dvc_data": "1234.dir"}
    return RecordedRun("r1", "FINISHED", tags, {}, {})


def test_an_older_commit_is_checked_out_beside_the_project_in_its_folder(project, tmp_path):
    older = git(project, "rev-parse", "HEAD").strip()
    commit(project, "second")
    copy = check_out(project, older, tmp_path / "again")
    assert copy == tmp_path / "again" / "project"
    assert (copy / "model.py").read_text() == "first"
    assert (project / "model.py").read_text() == "second"


def test_a_copy_from_before_is_replaced_also_if_its_folder_was_deleted(project, tmp_path):
    head = git(project, "rev-parse", "HEAD").strip()
    copy = check_out(project, head, tmp_path / "again")
    (copy / "left_over").touch()
    assert not (check_out(project, head, tmp_path / "again") / "left_over").exists()
    (tmp_path / "again").rename(tmp_path / "elsewhere")
    assert (check_out(project, head, tmp_path / "again") / "model.py").exists()


def test_a_folder_with_other_files_is_left_as_it_is(project, tmp_path):
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "thesis.txt").touch()
    with pytest.raises(ReproductionError, match="holds other files"):
        check_out(project, git(project, "rev-parse", "HEAD").strip(), tmp_path / "again")
    assert (tmp_path / "again" / "thesis.txt").exists()


@pytest.mark.parametrize("missing", ["f00d" * 10, "--help"])
def test_a_commit_that_is_not_there_is_named(project, tmp_path, missing):
    with pytest.raises(ReproductionError, match=f"commit {missing} is not in the git repository"):
        check_out(project, missing, tmp_path / "again")


def test_raw_files_are_taken_from_the_commit_first(tmp_path):
    for name in ("project", "copy"):
        (tmp_path / name / RAW).mkdir(parents=True)
        (tmp_path / name / RAW / "train.csv").touch()
    found = bring(tmp_path)
    assert found == (RAW, "from git")


def test_raw_files_that_nobody_keeps_are_read_where_they_lie(tmp_path):
    (tmp_path / "project" / RAW).mkdir(parents=True)
    (tmp_path / "project" / RAW / "train.csv").touch()
    folder, source = bring(tmp_path)
    assert folder == str(tmp_path / "project" / RAW)
    assert "neither in git nor in DVC" in source


def test_missing_raw_files_are_asked_for_by_folder_and_digest(tmp_path):
    with pytest.raises(ReproductionError, match=rf"lay in {RAW} \(data digest da7ada7ada7a\)"):
        bring(tmp_path)


def test_missing_raw_files_that_dvc_tracks_need_dvc(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "copy" / RAW).parent.mkdir(parents=True)
    (tmp_path / "copy" / f"{RAW}.dvc").touch()
    with pytest.raises(ReproductionError, match=r"DVC tracks .*, but is not installed: make tools"):
        bring(tmp_path)


def bring(tmp_path) -> tuple[str, str]:
    project, copy = tmp_path / "project", tmp_path / "copy"
    return bring_raw_files(run_on(), project, copy, Dvc(project, copy))
