"""Where a run comes from, in real git repositories."""

import hashlib
import os
import shlex
import subprocess
import sys

import pytest

from grocery_demand.hooks.provenance import (
    describe_code,
    describe_command,
    describe_libraries,
    describe_request,
    digest_lock,
)


@pytest.fixture(autouse=True)
def only_this_repository(tmp_path, monkeypatch):
    """Keep git from the user's settings, and from repositories that the folder lies in."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def git(tmp_path):
    def git(*arguments: str) -> str:
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        command = ["git", *author, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return git


@pytest.fixture
def commit(git, tmp_path) -> str:
    """A repository with a commit; its number."""
    git("init", "--quiet")
    (tmp_path / "model.py").write_text("SEED = 7\n")
    git("add", "model.py")
    git("commit", "--quiet", "--message", "Begin")
    return git("rev-parse", "HEAD")


def test_a_clean_tree_is_its_commit(commit, tmp_path):
    assert describe_code(tmp_path) == {
        "git_commit": commit,
        "git_dirty": "false",
        "lock_digest": "unknown",
        "mlflow.source.git.commit": commit,
    }


def test_a_change_makes_the_tree_dirty_until_it_is_committed(commit, git, tmp_path):
    (tmp_path / "model.py").write_text("SEED = 8\n")
    assert describe_code(tmp_path)["git_commit"] == commit
    assert describe_code(tmp_path)["git_dirty"] == "true"
    git("commit", "--quiet", "--all", "--message", "Try another seed")
    assert describe_code(tmp_path)["git_commit"] == git("rev-parse", "HEAD") != commit
    assert describe_code(tmp_path)["git_dirty"] == "false"


def test_a_file_that_git_does_not_know_makes_the_tree_dirty(commit, tmp_path):
    (tmp_path / "secret_features.py").touch()
    assert describe_code(tmp_path)["git_dirty"] == "true"


def test_the_lock_that_dvc_writes_between_runs_does_not_make_the_tree_dirty(commit, tmp_path):
    (tmp_path / "dvc.lock").touch()
    assert describe_code(tmp_path)["git_dirty"] == "false"
    (tmp_path / "model.py").write_text("SEED = 8\n")
    assert describe_code(tmp_path)["git_changes"] == "M model.py"


def test_an_ignored_file_does_not_make_the_tree_dirty(commit, git, tmp_path):
    (tmp_path / ".gitignore").write_text("*.db\n")
    git("add", ".gitignore")
    git("commit", "--quiet", "--message", "Ignore databases")
    (tmp_path / "mlflow.db").touch()
    assert describe_code(tmp_path)["git_dirty"] == "false"


def test_a_project_in_a_folder_of_the_repository_is_its_commit_too(commit, tmp_path):
    (tmp_path / "project").mkdir()
    assert describe_code(tmp_path / "project")["git_commit"] == commit


def test_outside_of_git_nothing_is_known_of_the_code(tmp_path):
    assert describe_code(tmp_path) == {
        "git_commit": "unknown",
        "git_dirty": "unknown",
        "lock_digest": "unknown",
    }


def test_an_image_without_git_says_what_it_was_built_from(tmp_path, monkeypatch):
    monkeypatch.setenv("GROCERY_DEMAND_COMMIT", "0123abc")
    monkeypatch.setenv("GROCERY_DEMAND_DIRTY", "true")
    assert describe_code(tmp_path) == {
        "git_commit": "0123abc",
        "git_dirty": "true",
        "lock_digest": "unknown",
        "mlflow.source.git.commit": "0123abc",
    }


def test_a_repository_counts_more_than_what_an_image_says(commit, tmp_path, monkeypatch):
    monkeypatch.setenv("GROCERY_DEMAND_COMMIT", "0123abc")
    monkeypatch.setenv("GROCERY_DEMAND_DIRTY", "true")
    tags = describe_code(tmp_path)
    assert (tags["git_commit"], tags["git_dirty"]) == (commit, "false")


def test_before_the_first_commit_there_is_no_commit(git, tmp_path):
    git("init", "--quiet")
    (tmp_path / "model.py").touch()
    assert describe_code(tmp_path) == {
        "git_commit": "unknown",
        "git_dirty": "true",
        "git_changes": "?? model.py",
        "lock_digest": "unknown",
    }


def test_without_the_program_git_nothing_is_known_of_the_code(commit, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    tags = describe_code(tmp_path)
    assert (tags["git_commit"], tags["git_dirty"]) == ("unknown", "unknown")


def test_the_lock_file_is_known_by_its_bytes(tmp_path):
    contents = b"numpy==2.4.6\n"
    (tmp_path / "requirements.lock").write_bytes(contents)
    assert digest_lock(tmp_path) == hashlib.sha256(contents).hexdigest()
    assert describe_code(tmp_path)["lock_digest"] == digest_lock(tmp_path)


def test_the_command_can_be_typed_again(monkeypatch):
    arguments = ["run", "--params", "raw_dir=my sales,training.seed=8", "--env", "it's mine"]
    monkeypatch.setattr(sys, "argv", ["/project/.venv/bin/kedro", *arguments])
    assert shlex.split(describe_command()) == ["kedro", *arguments]
    assert describe_command().startswith("kedro run --params 'raw_dir=my sales,training.seed=8'")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, ("__default__", "true")),
        ({"pipeline_names": ["train", "report"]}, ("train,report", "true")),
        ({"pipeline_name": "fit", "from_nodes": []}, ("fit", "true")),
        ({"pipeline_names": ["fit"], "from_nodes": ["score_forecasts"]}, ("fit", "false")),
        ({"pipeline_names": ["fit"], "only_missing_outputs": True}, ("fit", "false")),
    ],
)
def test_what_was_asked_for_is_told_and_whether_it_is_a_part(asked, told):
    request = describe_request(asked)
    assert (request["pipeline"], request["whole_pipeline"]) == told


def test_the_libraries_are_those_that_are_installed():
    import numpy

    assert f"numpy=={numpy.__version__}" in describe_libraries().split()
