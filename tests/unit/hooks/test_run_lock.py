"""One run at a time, held against real processes."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from grocery_demand.hooks.run_lock import RunLockError, run_lock

HOLD = """
import sys
from pathlib import Path
from grocery_demand.hooks.run_lock import run_lock

with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(folder):
    """Let another process hold the folder until the block ends, or the process is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait()


def test_a_folder_is_held_by_one_process_and_free_when_it_has_ended(tmp_path):
    with held_by_another_process(tmp_path) as other:
        with pytest.raises(RunLockError) as caught, run_lock(tmp_path):
            pass
        told = f"Another run (process {other.pid}) is using {tmp_path}; wait until it has ended"
        assert str(caught.value).startswith(told)
        with run_lock(tmp_path / "another copy"):
            pass
    with run_lock(tmp_path):
        assert (tmp_path / ".run.lock").read_text() == str(os.getpid())


def test_a_process_that_is_killed_leaves_the_folder_free(tmp_path):
    with held_by_another_process(tmp_path) as other:
        other.kill()
        other.wait()
        with run_lock(tmp_path):
            assert (tmp_path / ".run.lock").read_text() == str(os.getpid())


def test_a_refused_run_leaves_the_others_number_in_place(tmp_path):
    with run_lock(tmp_path):
        for _ in range(2):
            with (
                pytest.raises(RunLockError, match=rf"\(process {os.getpid()}\)"),
                run_lock(tmp_path),
            ):
                pass


def test_a_run_that_fails_leaves_the_folder_free(tmp_path):
    with pytest.raises(ValueError, match="the run failed"), run_lock(tmp_path):
        raise ValueError("the run failed")
    with run_lock(tmp_path):
        assert (tmp_path / ".run.lock").read_text() == str(os.getpid())


def test_a_folder_that_is_not_there_is_made(tmp_path):
    with run_lock(tmp_path / "deep" / "data"):
        assert (tmp_path / "deep" / "data" / ".run.lock").exists()


def test_where_there_are_no_such_locks_nothing_is_held(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with run_lock(tmp_path / "data"), run_lock(tmp_path / "data"):
        assert not (tmp_path / "data").exists()
