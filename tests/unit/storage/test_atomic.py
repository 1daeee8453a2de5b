import stat
import subprocess
import sys

import pytest

from grocery_demand.storage.atomic import (
    remove_left_beside,
    standing_folder,
    whole_file,
    whole_folder,
)


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _write_in_part(path):
    path.write_text("ne")
    raise OSError("disk full")


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "deeper" / "table.parquet"

    with whole_file(path) as beside:
        beside.write_text("new")
        assert not path.exists()
        assert (beside.parent, beside.suffix) == (path.parent, ".parquet")

    assert path.read_text() == "new"
    assert _names(path.parent) == ["table.parquet"]


def test_a_file_has_the_rights_that_other_new_files_have(tmp_path):
    (tmp_path / "plain").write_text("")

    with whole_file(tmp_path / "whole") as beside:
        beside.write_text("")

    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "whole")]
    assert rights[0] == rights[1]


def test_a_failed_write_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("old")

    with pytest.raises(OSError, match="disk full"), whole_file(path) as beside:
        _write_in_part(beside)

    assert path.read_text() == "old"
    assert _names(tmp_path) == ["table.json"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "panel"
    path.mkdir()
    (path / "old.npy").write_text("old")

    with whole_folder(path) as beside:
        (beside / "new.npy").write_text("new")
        assert _names(path) == ["old.npy"]

    assert _names(path) == ["new.npy"]
    assert _names(tmp_path) == ["panel"]


def test_a_failed_write_leaves_the_former_folder_and_nothing_else(tmp_path):
    path = tmp_path / "panel"
    path.mkdir()
    (path / "old.npy").write_text("old")

    with pytest.raises(OSError, match="disk full"), whole_folder(path) as beside:
        _write_in_part(beside / "new.npy")

    assert _names(path) == ["old.npy"]
    assert _names(tmp_path) == ["panel"]


def test_a_folder_left_between_two_renames_is_found_and_put_back_by_the_next_write(tmp_path):
    path = tmp_path / "panel"
    former = tmp_path / ".panel.former"
    former.mkdir()
    (former / "old.npy").write_text("old")

    assert standing_folder(path) == former
    with pytest.raises(OSError, match="disk full"), whole_folder(path) as beside:
        _write_in_part(beside / "new.npy")

    assert standing_folder(path) == path
    assert _names(path) == ["old.npy"]
    assert _names(tmp_path) == ["panel"]


def test_a_former_folder_that_was_not_removed_is_removed_by_the_next_write(tmp_path):
    path, former = tmp_path / "panel", tmp_path / ".panel.former"
    for folder in (path, former):
        folder.mkdir()
        (folder / "file.npy").write_text("")

    assert standing_folder(path) == path
    with whole_folder(path):
        pass

    assert _names(tmp_path) == ["panel"]


WRITER = """
import sys
from pathlib import Path

from grocery_demand.storage.atomic import whole_folder

with whole_folder(Path(sys.argv[1])) as beside:
    (beside / "units.npy").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_writes_is_not(tmp_path):
    path = tmp_path / "panel"
    (tmp_path / ".panel-of-a-former-run").mkdir()
    (tmp_path / ".panels-of-others").mkdir()
    writers = []
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"writing\n"
        writers.append(process)
    killed, alive = writers
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.glob(".panel-*"))) == 3

    remove_left_beside(path)

    assert len(list(tmp_path.glob(".panel-*"))) == 1
    alive.communicate()
    assert alive.returncode == 0
    assert _names(tmp_path) == [".panels-of-others", "panel"]
    assert _names(path) == ["units.npy"]
