"""The update pipeline on files in a folder, and on the panel and sales table in theirs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.reasons import (
    BEFORE_FIRST_DAY,
    OTHER_DATE,
    UNKNOWN_ITEM,
    UNPARSABLE,
)
from grocery_demand.datasets import TableDataset
from small_sales import build
from update_project import OLD, UpdateProject

DAY3 = "1,2017-01-03,1,5,7,False\n2,2017-01-03,44,9,1.5,True\n"
DAY4 = "1,2017-01-04,1,5,8,False\n"
KILLED_WHILE_STORING = """
import os, signal, sys
from pathlib import Path
import grocery_demand.datasets.panel as panel_module
from update_project import UpdateProject

def stop(folder, panel):
    (folder / "units.npy").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

panel_module.write_panel = stop
UpdateProject(Path(sys.argv[1])).update()
"""


@pytest.fixture
def project(tmp_path) -> UpdateProject:
    made = UpdateProject(tmp_path)
    made.preprocess()
    return made


@pytest.fixture
def make_project(tmp_path) -> Callable[[str], UpdateProject]:
    def make(name: str) -> UpdateProject:
        (tmp_path / name).mkdir()
        made = UpdateProject(tmp_path / name)
        made.preprocess()
        return made

    return make


def statuses(files: dict[str, dict]) -> dict[str, str]:
    return {name: file["status"] for name, file in files.items()}


def test_a_new_day_joins_sales_and_panel(project):
    project.put("train-2017-01-03.csv.gz", DAY3)
    files = project.update()
    panel = project.panel()
    assert str(panel.cutoff) == "2017-01-03"
    keys = panel.series[["store_nbr", "item_nbr"]].to_numpy().tolist()
    assert keys == [[1, 5], [3, 7], [44, 9]]
    np.testing.assert_array_equal(panel.units, [[3, 2, 7], [0, 4, 0], [0, 0, 1.5]])
    assert panel.series["first_sale"].tolist() == [0, 1, 2]
    assert project.sales()["unit_sales"].to_list() == [3, 2, 4, 7, 1.5]
    file = files["train-2017-01-03.csv.gz"]
    assert (file["status"], file["reason"], file["dates"]) == ("taken_in", None, ["2017-01-03"])
    assert (file["rows_read"], file["rows_quarantined"]) == (2, 0)
    assert panel.taken_in == {"train-2017-01-03.csv.gz": file["sha256"]}


def test_the_sales_table_gives_the_panel(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.put("train-2017-01-01-late.csv", "1,2017-01-01,44,7,6,True\n")
    project.update()
    rows = project.sales().iter_rows()
    sales = {(r[0].day - 1, r[1], r[2]): (r[3], r[4]) for r in rows}
    whole, panel = build(sales, {}), project.panel()
    np.testing.assert_array_equal(panel.units, whole.units)
    np.testing.assert_array_equal(panel.promotions, whole.promotions)
    assert panel.series.equals(whole.series)
    assert panel.series["item_nbr"].tolist() == [5, 7, 7, 9]


@pytest.mark.parametrize("again", ["train-2017-01-03.csv", "train.csv", "train-again.csv.gz"])
def test_a_file_is_taken_in_once_whatever_its_name(project, again):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    before = project.bytes()
    written = (project.panel_folder / "units.npy").stat()
    content = (project.incoming / "train-2017-01-03.csv").read_bytes()
    (project.incoming / again.removesuffix(".gz")).write_bytes(content)
    files = project.update()
    assert set(statuses(files).values()) == {"known"}
    assert project.bytes() == before
    after = (project.panel_folder / "units.npy").stat()
    assert (after.st_ino, after.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_corrected_file_replaces_its_days(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    project.put("train-2017-01-03.csv", "1,2017-01-03,1,5,70,True\n")
    assert statuses(project.update()) == {"train-2017-01-03.csv": "taken_in"}
    panel = project.panel()
    np.testing.assert_array_equal(panel.units, [[3, 2, 70], [0, 4, 0]])
    np.testing.assert_array_equal(panel.promotions[:, 2], [1, 0])
    assert project.sales().filter(pl.col("date").dt.day() == 3)["unit_sales"].to_list() == [70]
    assert statuses(project.update()) == {"train-2017-01-03.csv": "known"}


def test_a_correction_may_be_taken_back(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    before = project.sales()
    project.put("train-2017-01-03.csv", DAY4.replace("01-04", "01-03"))
    project.update()
    project.put("train-2017-01-03.csv", DAY3)
    assert statuses(project.update()) == {"train-2017-01-03.csv": "taken_in"}
    assert project.sales().equals(before)


@pytest.mark.parametrize(
    ("name", "status", "units"),
    [("corrected-again", "taken_in", 7), ("again", "known", 70)],
)
def test_a_correction_is_taken_back_by_the_former_file_under_a_later_name(
    project, name, status, units
):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    project.put("train-2017-01-03-corrected.csv", "1,2017-01-03,1,5,70,True\n")
    project.put("test-2017-01-03.csv", "5,2017-01-04,1,5,False\n")
    project.update()
    project.put(f"train-2017-01-03-{name}.csv", DAY3)
    assert statuses(project.update())[f"train-2017-01-03-{name}.csv"] == status
    assert project.panel().units[0, 2] == units
    assert set(statuses(project.update()).values()) == {"known"}


def test_a_copy_of_the_former_file_does_not_undo_a_correction(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.put("train-2017-01-03-copy.csv", DAY3)
    project.update()
    project.put("train-2017-01-03.csv", "1,2017-01-03,1,5,70,True\n")
    project.update()
    assert set(statuses(project.update()).values()) == {"known"}
    assert project.panel().units[0, 2] == 70


def test_a_correction_that_removes_the_first_sale_of_a_series_moves_it_on(project):
    project.put("train-2017-01-01.csv", "1,2017-01-01,3,7,1,False\n")
    project.update()
    panel = project.panel()
    assert panel.series["first_sale"].tolist() == [1, 0]
    np.testing.assert_array_equal(panel.units, [[0, 2], [1, 4]])
    project.put("train-2017-01-02.csv", "1,2017-01-02,44,9,1,False\n")
    project.update()
    assert project.panel().series["item_nbr"].tolist() == [7, 9]


def test_of_two_waiting_files_with_a_day_the_later_name_wins(project, caplog):
    project.put("train-2017-01-03.csv", DAY3)
    project.put("train-2017-01-03-corrected.csv", "1,2017-01-03,1,5,70,True\n")
    project.put("train.csv", DAY3.replace(",7,", ",9,") + DAY4)
    project.update()
    assert project.panel().units[0].tolist() == [3, 2, 70, 8]
    assert "2017-01-03 is in train-2017-01-03.csv and in train-2017-01-03-corrected" in caplog.text


def test_bad_rows_are_set_aside_and_the_file_goes_on(project):
    rows = "1,2017-01-03,1,5,many,False\n2,2017-01-03,1,7,1,False\n3,2017-01-03,1,1000,1,True\n"
    project.put("train-2017-01-03.csv", rows + "4,2017-01-03,3,7,2,False\n")
    project.update()
    report = project.report()
    assert report["tables"]["train"]["reasons"] == {UNPARSABLE: 1, UNKNOWN_ITEM: 1}
    assert (report["rows_read"], report["rows_quarantined"]) == (4, 2)
    quarantined = TableDataset(filepath=str(project.folder / "bad.parquet")).load()
    assert quarantined["row"].tolist() == [2, 4]
    assert set(quarantined["file"]) == {"train-2017-01-03.csv"}


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("train-2017-01-03.csv", DAY4, OTHER_DATE),
        ("train.csv", "1,2016-12-31,1,5,7,False\n", BEFORE_FIRST_DAY),
        ("train-2017-01-02.csv", "", "is empty"),
        ("train-new.csv", "", "is empty"),
        ("train-2017-01-03.csv", "1,2017-01-03,1,5,many,False\n", "too many bad rows"),
        ("train-2017-06-02.csv", "1,2017-06-02,1,5,7,False\n", "148 days after 2017-01-04"),
    ],
)
def test_a_useless_file_is_refused_and_the_others_go_on(project, caplog, name, rows, reason):
    project.put(name, rows)
    project.put("train-2017-01-04.csv", DAY4)
    files = project.update()
    assert statuses(files) == {name: "refused", "train-2017-01-04.csv": "taken_in"}
    assert reason in files[name]["reason"]
    assert reason in caplog.text
    assert set(project.panel().taken_in) == {"train-2017-01-04.csv"}
    again = project.update()
    assert statuses(again) == {name: "refused", "train-2017-01-04.csv": "known"}


def test_files_that_cannot_be_read_are_refused_and_the_others_go_on(project):
    project.put("train-2017-01-03.csv", DAY3)
    (project.incoming / "train-2017-01-02.csv.gz").write_bytes(b"no gzip")
    (project.incoming / "train-2017-01-01.csv").write_text("date,store\n2017-01-01,1\n")
    (project.incoming / "train-2017-01-04.csv").write_bytes(b"")
    (project.incoming / "train-2017-01-05.csv").symlink_to("nowhere")
    files = project.update()
    assert statuses(files) == {
        "train-2017-01-01.csv": "refused",
        "train-2017-01-02.csv.gz": "refused",
        "train-2017-01-03.csv": "taken_in",
        "train-2017-01-04.csv": "refused",
    }
    assert "is empty" in files["train-2017-01-04.csv"]["reason"]
    assert "no column `store_nbr`" in files["train-2017-01-01.csv"]["reason"]
    assert "cannot be read as a gzip file" in files["train-2017-01-02.csv.gz"]["reason"]


def test_a_refused_file_is_taken_in_when_it_was_mended(project):
    project.put("train-2017-01-03.csv", DAY4)
    project.update()
    project.put("train-2017-01-03.csv", DAY3)
    assert statuses(project.update()) == {"train-2017-01-03.csv": "taken_in"}


def test_a_file_without_rows_tells_of_a_closed_day_until_its_sales_come(project):
    project.put("train-2017-01-03.csv", "")
    project.put("train-2017-01-04.csv", DAY4)
    files = project.update()
    assert statuses(files) == {"train-2017-01-03.csv": "known", "train-2017-01-04.csv": "taken_in"}
    assert "2017-01-03 counts as closed" in files["train-2017-01-03.csv"]["reason"]
    assert project.panel().open_days.any(axis=0).tolist() == [True, True, False, True]
    assert statuses(project.update())["train-2017-01-03.csv"] == "known"
    project.put("train-2017-01-03.csv", DAY3)
    assert statuses(project.update())["train-2017-01-03.csv"] == "taken_in"
    assert project.panel().open_days.any(axis=0).all()


def test_days_told_to_be_closed_are_not_missing_in_a_gap(project):
    for day in range(3, 23):
        project.put(f"train-2017-01-{day:02}.csv", "")
    project.put("train-2017-01-23.csv", "1,2017-01-23,1,5,7,False\n")
    project.put("train-2017-06-02.csv", "")
    files = project.update(max_new_gap_days=5)
    assert {status for name, status in statuses(files).items() if name < "train-2017-01-23"} == {
        "known"
    }
    assert statuses(files)["train-2017-01-23.csv"] == "taken_in"
    assert statuses(files)["train-2017-06-02.csv"] == "refused"
    assert str(project.panel().cutoff) == "2017-01-23"


def test_a_file_without_rows_alone_brings_no_day(project):
    project.put("train-2017-01-03.csv", "")
    assert project.update_on_another_date()["updates_without_new_day"] == 1
    assert str(project.panel().cutoff) == "2017-01-02"


def test_yesterdays_file_under_todays_name_is_refused(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    project.put("train-2017-01-04.csv", DAY3)
    assert statuses(project.update())["train-2017-01-04.csv"] == "refused"


def test_a_file_beyond_a_gap_is_taken_in_once_the_gap_is_filled(project):
    project.put("train-2017-01-09.csv", DAY4.replace("01-04", "01-09"))
    project.put("train-copy.csv", DAY4.replace("01-04", "01-09"))
    files = project.update(max_new_gap_days=3)
    assert set(statuses(files).values()) == {"refused"}
    assert "Put the days in between there, too" in files["train-2017-01-09.csv"]["reason"]
    project.put("train-2017-01-05.csv", DAY4.replace("01-04", "01-05"))
    assert statuses(project.update(max_new_gap_days=3))["train-2017-01-09.csv"] == "taken_in"


@pytest.mark.parametrize("folder_is_there", [True, False])
def test_without_a_file_nothing_changes_and_a_warning_says_what_to_do(
    project, caplog, folder_is_there
):
    if folder_is_there:
        project.incoming.mkdir()
    before = project.bytes()
    assert project.update() == {}
    assert project.bytes() == before
    assert "Nothing new in" in caplog.text
    assert "--params new_dir=" in caplog.text
    report = project.report()
    assert (report["rows_read"], report["sales"]["first_date"]) == (0, None)


def test_files_of_other_names_are_told(project, caplog):
    project.put("train-2017-01-03.csv", DAY3)
    (project.incoming / "sales-2017-01-04.csv").write_text(DAY4)
    (project.incoming / ".train-2017-01-04-x.csv").write_text("half")
    project.update()
    assert "files that are not taken in: sales-2017-01-04.csv" in caplog.text
    assert list(project.panel().taken_in) == ["train-2017-01-03.csv"]


def test_days_without_sales_between_are_told_and_filled_in_when_they_come(project, caplog):
    project.put("train.csv", "1,2017-01-05,1,5,7,False\n")
    project.update()
    assert "Days without any sales between 2017-01-02 and 2017-01-05: 2." in caplog.text
    assert not project.panel().open_days[:, 2:4].any()
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    assert project.panel().units[0].tolist() == [3, 2, 7, 0, 7]


def test_the_newest_plan_replaces_the_former(project):
    project.preprocess(plan={(2, 1, 5): True, (3, 1, 5): True})
    project.put("test-2017-01-02.csv", "9,2017-01-05,1,5,True\n")
    project.put("test-2017-01-03.csv", "9,2017-01-05,3,7,True\n")
    project.put("test.csv", "9,2017-01-05,44,9,True\n")
    project.put("train-2017-01-03.csv", DAY3.splitlines()[0])
    files = project.update()
    assert [file["status"] for file in files.values()] == ["taken_in", "known", "known", "taken_in"]
    assert "an older plan than test-2017-01-03.csv" in files["test-2017-01-02.csv"]["reason"]
    np.testing.assert_array_equal(project.panel().promotions, [[0, 0, 0, 0, 0], [0, 1, 0, 0, 1]])
    project.put("test-2017-01-01.csv", "9,2017-01-04,3,7,True\n")
    assert "taken_in" not in statuses(project.update()).values()


def test_a_refused_plan_leaves_the_one_before_it_or_the_former(project):
    project.preprocess(plan={(2, 1, 5): True})
    project.put("test-2017-01-03.csv", "")
    assert statuses(project.update()) == {"test-2017-01-03.csv": "refused"}
    assert project.panel().promotions[:, 2].tolist() == [1, 0]
    project.put("test-2017-01-02.csv", "9,2017-01-03,3,7,True\n")
    files = project.update()
    assert statuses(files) == {"test-2017-01-02.csv": "taken_in", "test-2017-01-03.csv": "refused"}
    assert project.panel().promotions[:, 2].tolist() == [0, 1]


def test_after_preprocess_the_files_are_taken_in_again_and_that_is_told(project, caplog):
    project.put("train-2017-01-03.csv", DAY3)
    project.put("train-2017-01-02.csv", "1,2017-01-02,1,5,20,False\n")
    project.update()
    before = project.bytes()
    project.preprocess()
    assert "held the days of 2 files that arrived later" in caplog.text
    assert str(project.panel().cutoff) == "2017-01-02"
    assert set(statuses(project.update()).values()) == {"taken_in"}
    assert project.bytes() == before


@pytest.mark.parametrize("stored", [0, 1, 2])
def test_a_crash_before_the_panel_is_stored_and_a_repeat_give_what_no_crash_gives(
    make_project, monkeypatch, stored
):
    projects = [make_project("calm"), make_project("crashed")]
    for made in projects:
        made.put("train-2017-01-03.csv", DAY3)
        made.put("train-2017-01-01.csv", "1,2017-01-01,3,7,1,False\n")
        made.put("test-2017-01-03.csv", "9,2017-01-05,3,7,True\n")
    calm, crashed = projects
    calm.update()
    before = crashed.panel()
    with monkeypatch.context() as patch:
        _crash_after_days(patch, stored)
        with pytest.raises(KeyboardInterrupt):
            crashed.update()
    found = crashed.panel()
    assert (found.digest, found.taken_in) == (before.digest, {})
    crashed.update()
    assert crashed.bytes() == calm.bytes()
    crashed.update()
    assert crashed.bytes() == calm.bytes()


def test_a_process_killed_while_it_stores_the_panel_leaves_the_former_one(make_project):
    calm, killed = make_project("calm"), make_project("killed")
    for made in (calm, killed):
        made.put("train-2017-01-03.csv", DAY3)
        made.put("train-2017-01-01.csv", "1,2017-01-01,3,7,1,False\n")
    calm.update()
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED_WHILE_STORING, str(killed.folder)]
    outcome = subprocess.run(command, env=os.environ | {"PYTHONPATH": tests}, check=False)
    assert outcome.returncode == -signal.SIGKILL
    assert (killed.sales_folder / "day-2017-01-03.parquet").is_file()
    assert str(killed.panel().cutoff) == "2017-01-02"
    killed.update()
    assert killed.bytes() == calm.bytes()
    assert {path.name for path in killed.folder.iterdir() if path.name[0] != "."} == {
        path.name for path in calm.folder.iterdir()
    }


def _crash_after_days(patch: pytest.MonkeyPatch, stored: int) -> None:
    """Let the process be stopped after some day files, at the latest while it stores the panel."""
    import grocery_demand.datasets.panel as panel_module
    import grocery_demand.datasets.sales as sales_module

    write, left = sales_module._write, [stored]

    def write_some(data: object, path: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(data, path)

    def stop(folder: Path, panel: Panel) -> None:
        (folder / "units.npy").write_bytes(b"half")
        raise KeyboardInterrupt

    patch.setattr(sales_module, "_write", write_some)
    patch.setattr(panel_module, "write_panel", stop)


def test_a_panel_stored_without_a_list_of_files_still_loads(project):
    path = project.panel_folder / "meta.json"
    meta = json.loads(path.read_text())
    del meta["taken_in"]
    path.write_text(json.dumps(meta))
    assert project.panel().taken_in == {}
    project.put("train-2017-01-03.csv", DAY3)
    assert statuses(project.update()) == {"train-2017-01-03.csv": "taken_in"}


def test_days_that_come_late_are_kept_with_the_cutoff_that_stood(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    assert project.panel().late_days == {}
    project.put("train-2017-01-02.csv", "1,2017-01-02,1,5,20,False\n")
    project.put("train-2017-01-04.csv", DAY4)
    project.update()
    assert project.panel().late_days == {"2017-01-02": "2017-01-03"}
    project.preprocess()
    project.update()
    assert project.panel().late_days == {"2017-01-02": "2017-01-03"}


def test_a_panel_stored_without_late_days_still_loads(project):
    path = project.panel_folder / "meta.json"
    meta = json.loads(path.read_text())
    del meta["late_days"]
    path.write_text(json.dumps(meta))
    assert project.panel().late_days == {}


def test_the_digest_names_the_panel_and_what_was_taken_in(make_project):
    digests = []
    for name, rows in (("a", DAY3), ("b", DAY3), ("c", DAY4.replace("01-04", "01-03"))):
        made = make_project(name)
        made.put("train-2017-01-03.csv", rows)
        made.update()
        digests.append(made.panel().digest)
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64


def test_a_plan_alone_is_taken_in(project):
    project.put("test-2017-01-02.csv", "9,2017-01-03,44,9,True\n")
    project.update()
    panel = project.panel()
    assert panel.series["item_nbr"].tolist() == [5, 7, 9]
    assert panel.promotions[:, 2].tolist() == [0, 0, 1]
    expected = build(OLD, {(2, 44, 9): True})
    assert panel.series.equals(expected.series)


def test_updates_without_a_later_day_are_counted_until_one_comes(project):
    def count() -> int:
        return project.update_on_another_date()["updates_without_new_day"]

    assert [count(), count()] == [1, 2]
    project.put("train-2017-01-02-corrected.csv", "1,2017-01-02,1,5,9,False\n")
    assert count() == 2
    project.put("train-2017-01-03.csv", DAY3)
    assert [count(), count()] == [0, 1]


def test_plans_without_sales_are_updates_without_a_day(project):
    for day in (3, 4):
        project.put(f"test-2017-01-0{day}.csv", f"9,2017-01-0{day + 1},1,5,True\n")
        report = project.update_on_another_date()
    assert report["updates_without_new_day"] == 2


def test_updates_without_a_day_count_once_a_date(project):
    project.put("train-2017-01-03.csv", DAY3)
    assert project.update_on_another_date()["updates_without_new_day"] == 0
    project.update()
    assert project.report()["updates_without_new_day"] == 0
    assert project.update_on_another_date()["updates_without_new_day"] == 1
    project.update()
    assert project.report()["updates_without_new_day"] == 1


def test_a_days_work_that_is_repeated_as_it_broke_off_is_no_update_without_a_day(project):
    project.monitored.write_text('{"cutoff": "2017-01-02"}')
    project.put("train-2017-01-03.csv", DAY3)
    for _ in range(3):
        project.update()
        assert project.report()["updates_without_new_day"] == 0
    project.monitored.write_text('{"cutoff": "2017-01-03"}')
    assert project.update_on_another_date()["updates_without_new_day"] == 1


def rows_by_file(project: UpdateProject) -> dict[str, tuple[int, int]]:
    records = project.report()["recent_files"]
    return {r["file"]: (r["rows_read"], r["rows_quarantined"]) for r in records}


def test_rows_set_aside_are_remembered_until_a_corrected_file_has_come(project):
    project.put("train-2017-01-03.csv", DAY3 + "3,2017-01-03,x,9,1,\n")
    project.update()
    project.put("train-2017-01-04.csv", DAY4)
    project.update()
    project.update()
    remembered = {"train-2017-01-03.csv": (3, 1), "train-2017-01-04.csv": (1, 0)}
    assert rows_by_file(project) == remembered
    project.put("train-2017-01-03-corrected.csv", DAY3)
    project.update()
    remembered["train-2017-01-03-corrected.csv"] = (2, 0)
    del remembered["train-2017-01-03.csv"]
    assert rows_by_file(project) == remembered


def test_a_file_with_some_of_the_days_corrects_no_more_than_these(project):
    project.put("train.csv", DAY3 + "1,2017-01-04,x,5,8,False\n" + DAY4)
    project.update()
    project.put("train-2017-01-04.csv", DAY4)
    project.update()
    assert rows_by_file(project) == {"train.csv": (4, 1), "train-2017-01-04.csv": (1, 0)}


def test_a_refused_file_is_not_among_those_taken_in_and_a_plan_gives_way_to_the_next(project):
    project.put("train-2017-01-03.csv", "1,x,1,5,7,False\n")
    project.put("test-2017-01-03.csv", "1,2017-01-04,1,5,True\n2,2017-01-05,x,5,True\n")
    project.update()
    assert rows_by_file(project) == {"test-2017-01-03.csv": (2, 1)}
    project.put("test-2017-01-04.csv", "1,2017-01-05,1,5,True\n")
    project.update()
    assert rows_by_file(project) == {"test-2017-01-04.csv": (1, 0)}


def test_files_leave_the_list_when_the_panel_is_made_anew_without_them(project):
    project.put("train-2017-01-03.csv", DAY3 + "3,2017-01-03,x,9,1,\n")
    project.update()
    assert rows_by_file(project) == {"train-2017-01-03.csv": (3, 1)}
    project.preprocess()
    (project.incoming / "train-2017-01-03.csv").unlink()
    project.put("train-2017-01-04.csv", DAY4)
    project.update()
    assert rows_by_file(project) == {"train-2017-01-04.csv": (1, 0)}


def test_a_correction_that_would_wipe_most_of_a_day_is_refused(project):
    project.put("train-2017-01-03.csv", DAY3)
    project.update()
    before = project.panel()
    first = DAY3.splitlines()[0]
    project.put("train-2017-01-03-corrected.csv", first + "\n")
    files = project.update(min_corrected_share=0.9)
    name = "train-2017-01-03-corrected.csv"
    assert statuses(files)[name] == "refused"
    assert "1 of the 2 products and stores" in files[name]["reason"]
    assert "min_corrected_share=0" in files[name]["reason"]
    np.testing.assert_array_equal(project.panel().units, before.units)
    assert statuses(project.update(min_corrected_share=0))[name] == "taken_in"
