"""Versions of raw files brought into a working copy by DVC itself, from cache and remote."""

import shutil
from pathlib import Path

import pytest

from git_project import PROJECT, GitProject
from grocery_demand.reproduction.dvc import Dvc

RAW = "data/01_raw/own"
LOCAL = ".dvc/config.local"

pytestmark = pytest.mark.skipif(
    not (PROJECT / ".tools" / "bin" / "dvc").exists(),
    reason="DVC is not there; set it up with `make tools`",
)


@pytest.fixture
def project(tmp_path, monkeypatch) -> GitProject:
    """A repository with the project's settings of DVC and a version of raw files."""
    folder = tmp_path / "a project"
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    (folder / RAW).mkdir(parents=True)
    (folder / RAW / "train.csv").write_text("id\n1\n")
    project = GitProject(folder)
    project.link_environments()
    project.git("init", "--quiet")
    project.dvc("add", "--quiet", RAW)
    project.commit("Begin")
    return project


@pytest.fixture
def copy(project, tmp_path) -> Path:
    """A working copy of that commit; the project's own files are of a later version."""
    folder = project.folder / "build" / "copy"
    project.git("worktree", "add", "--quiet", "--detach", str(folder))
    (project.folder / RAW / "train.csv").write_text("id\n2\n")
    project.dvc("add", "--quiet", RAW)
    return folder


def bring(project, copy) -> bool:
    return Dvc(project.folder, copy).bring(f"{RAW}.dvc")


def test_a_version_that_was_never_pushed_comes_from_the_cache(project, copy):
    assert bring(project, copy)
    assert (copy / RAW / "train.csv").read_text() == "id\n1\n"
    assert (project.folder / RAW / "train.csv").read_text() == "id\n2\n"
    assert GitProject(copy).git("status", "--porcelain") == ""


def test_a_version_that_is_not_in_the_cache_comes_from_the_remote(project, copy, tmp_path):
    """The address of the remote is relative, and seen from the project."""
    GitProject(copy).dvc("config", "--local", "cache.dir", str(project.folder / ".dvc" / "cache"))
    GitProject(copy).dvc("push", "--remote", "storage", f"{RAW}.dvc")
    (copy / LOCAL).unlink()
    shutil.rmtree(project.folder / ".dvc" / "cache")
    assert not bring(project, copy)
    shutil.move(project.folder / "build" / "grocery-demand-storage", tmp_path)
    assert bring(project, copy)
    assert (copy / RAW / "train.csv").read_text() == "id\n1\n"
