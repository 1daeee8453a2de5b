"""Versions of data as DVC names them, told without DVC."""

import subprocess

import pytest

from grocery_demand.hooks.data_version import describe_data_version, version_of

RAW = "data/01_raw/own"
PANEL = "data/03_primary/panel"
BY_DVC = "2154b78c7f0cd0d5a63356d5b0741c8a.dir"
"""What `dvc add` of DVC 3.67 wrote for the files of the fixture `raw`."""


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / RAW
    for name, text in {"train.csv": "id\n1\n", "sub/é.csv": "x", "sub-1.csv": "y"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "a b").mkdir()
    (folder / "a b" / "empty").touch()
    return folder


@pytest.fixture
def panel(tmp_path):
    folder = tmp_path / PANEL
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text("{}")
    return folder


@pytest.fixture
def project(tmp_path, raw):
    """A project that uses DVC, and tracks the raw files with it."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    raw.with_name("own.dvc").write_text(f"outs:\n- md5: {BY_DVC}\n  path: own\n")
    return tmp_path


def write_lock(project, panel_version):
    (project / "dvc.lock").write_text(
        "stages:\n  preprocess:\n"
        f"    deps:\n    - path: {RAW}\n      md5: {BY_DVC}\n"
        f"    outs:\n    - path: {PANEL}\n      md5: {panel_version}\n      size: 2\n"
    )


def test_a_folder_has_the_version_that_dvc_gives_it(raw):
    assert version_of(raw) == BY_DVC


def test_raw_files_that_dvc_tracks_are_named_by_their_version(project):
    tags = describe_data_version(project, RAW, ["raw"])
    assert tags == {"dvc_data": BY_DVC, "dvc_data_kept_by": "dvc"}


def test_files_that_were_changed_since_have_another_version_that_nobody_keeps(project, raw):
    (raw / "train.csv").write_text("id\n2\n")
    tags = describe_data_version(project, RAW, ["raw"])
    assert tags == {"dvc_data": version_of(raw), "dvc_data_kept_by": "nobody"}
    assert tags["dvc_data"] != BY_DVC


def test_files_in_git_are_kept_by_git_until_they_are_changed(project, raw):
    raw.with_name("own.dvc").unlink()
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    assert describe_data_version(project, RAW, ["raw"])["dvc_data_kept_by"] == "nobody"
    commit = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Begin"]
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    subprocess.run(["git", *commit], cwd=project, check=True)
    assert describe_data_version(project, RAW, ["raw"])["dvc_data_kept_by"] == "git"
    (raw / "train.csv").write_text("id\n2\n")
    assert describe_data_version(project, RAW, ["raw"])["dvc_data_kept_by"] == "nobody"


def test_a_run_on_the_panel_names_the_raw_files_that_the_lock_says_it_was_made_of(project, panel):
    write_lock(project, version_of(panel))
    tags = describe_data_version(project, RAW, ["panel"])
    assert tags == {
        "dvc_panel": version_of(panel),
        "dvc_data": BY_DVC,
        "dvc_data_kept_by": "dvc",
    }


def test_a_panel_that_the_lock_does_not_know_names_nothing(project, panel):
    write_lock(project, "0123.dir")
    assert describe_data_version(project, RAW, ["panel"]) == {}
    write_lock(project, version_of(panel))
    (panel / "meta.json").write_text('{"later": 1}')
    assert describe_data_version(project, RAW, ["panel"]) == {}


@pytest.mark.parametrize("damage", ["[", "a word", "stages:", ""])
def test_without_a_sound_lock_a_run_on_the_panel_names_nothing(project, panel, damage):
    (project / "dvc.lock").write_text(damage)
    assert describe_data_version(project, RAW, ["panel"]) == {}


def test_files_outside_of_the_project_have_no_version(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "train.csv").touch()
    assert describe_data_version(project, str(elsewhere), ["raw"]) == {}


def test_outside_of_dvc_there_are_no_versions(project):
    (project / ".dvc" / "config").unlink()
    assert describe_data_version(project, RAW, ["raw", "panel"]) == {}


def test_a_run_that_reads_neither_names_none(project):
    assert describe_data_version(project, RAW, []) == {}
