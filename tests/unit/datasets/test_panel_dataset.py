import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.calendar import build_calendar
from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.datasets import PanelDataset
from grocery_demand.storage import panel_folder as panel_module
from worlds import make_panel

START = np.datetime64("2017-01-01", "D")
ARRAYS = ("units", "promotions", "open_days")


def _panel(units: float = 1.0) -> Panel:
    stores = pd.DataFrame({"store_nbr": [1, 44], "city": ["Quito", "Cuenca"], "state": ["A", "B"]})
    holidays = pd.DataFrame(
        {
            "date": pd.to_datetime(["2017-01-02"]),
            "type": ["Holiday"],
            "locale": ["National"],
            "locale_name": ["Ecuador"],
            "transferred": [False],
        }
    )
    return Panel(
        start_date=START,
        units=np.full((3, 4), units, np.float32),
        promotions=np.eye(3, 6, dtype=np.uint8),
        open_days=np.ones((2, 4), bool),
        series=pd.DataFrame(
            {
                "store_nbr": np.array([1, 1, 44], np.int32),
                "item_nbr": np.array([5, 7, 5], np.int32),
                "family": pd.Series(["DAIRY", "EGGS", "DAIRY"], dtype="str"),
                "first_sale": np.array([0, 1, 2], np.int32),
            }
        ),
        stores=stores,
        calendar=build_calendar(holidays, stores, START, 10),
        digest="d" * 64,
        simulated=True,
    )


@pytest.fixture
def dataset(tmp_path) -> PanelDataset:
    return PanelDataset(filepath=str(tmp_path / "deep" / "panel"))


def test_a_panel_comes_back_equal_and_mapped_into_memory(dataset):
    panel = _panel()

    dataset.save(panel)
    loaded = dataset.load()

    assert loaded.simulated
    for name in ARRAYS:
        array = getattr(loaded, name)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
        assert array.dtype == getattr(panel, name).dtype
        np.testing.assert_array_equal(array, getattr(panel, name))
    pd.testing.assert_frame_equal(loaded.series, panel.series)
    pd.testing.assert_frame_equal(loaded.stores, panel.stores)
    np.testing.assert_array_equal(loaded.calendar.national, panel.calendar.national)
    np.testing.assert_array_equal(loaded.calendar.local, panel.calendar.local)
    assert loaded.calendar.start_date == panel.calendar.start_date
    assert (loaded.start_date, loaded.digest) == (START, "d" * 64)
    assert "'version': 1" in str(dataset) or "version=1" in str(dataset)


def test_a_panel_that_is_in_use_outlives_its_successor(dataset):
    dataset.save(_panel(units=1))
    first = dataset.load()

    dataset.save(_panel(units=2))

    assert first.units.max() == 1
    assert dataset.load().units.max() == 2


def test_a_missing_panel_says_how_to_make_it(dataset):
    assert not dataset.exists()

    with pytest.raises(GroceryDemandError) as error:
        dataset.load()

    assert "There is no panel in" in str(error.value)
    assert "kedro run --pipeline preprocess" in str(error.value)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"format": "grocery-demand panel", "version": 2}, "version 2; this program reads"),
        ({"format": "other", "version": 1}, "says 'other', version 1"),
        ({}, "does not describe a panel"),
        ([], "does not describe a panel"),
        ("no JSON", "does not describe a panel"),
        ({"format": "grocery-demand panel", "version": 1}, "damaged: 'start_date'"),
    ],
)
def test_a_panel_of_another_kind_is_refused(dataset, tmp_path, meta, message):
    dataset.save(_panel())
    text = meta if isinstance(meta, str) else json.dumps(meta)
    (tmp_path / "deep" / "panel" / "meta.json").write_text(text)

    with pytest.raises(GroceryDemandError) as error:
        dataset.load()

    assert message in str(error.value)
    assert "kedro run --pipeline preprocess" in str(error.value)


@pytest.mark.parametrize("name", ["units.npy", "series.parquet"])
def test_a_damaged_panel_is_refused(dataset, tmp_path, name):
    dataset.save(_panel())
    (tmp_path / "deep" / "panel" / name).unlink()
    with pytest.raises(GroceryDemandError, match="is damaged"):
        dataset.load()

    (tmp_path / "deep" / "panel" / name).write_bytes(b"garbage")
    with pytest.raises(GroceryDemandError, match="is damaged"):
        dataset.load()


def test_a_save_that_breaks_off_leaves_the_former_panel(dataset, tmp_path, monkeypatch):
    dataset.save(_panel(units=1))
    saved = []

    def save_two_arrays(path, array, **options):
        if len(saved) == 2:
            raise OSError("No space left on device")
        saved.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(panel_module.np, "save", save_two_arrays)
        with pytest.raises(Exception, match="No space left"):
            dataset.save(_panel(units=2))

    assert dataset.load().units.max() == 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["panel"]


def test_a_panel_left_between_two_renames_is_still_found(dataset, tmp_path):
    dataset.save(_panel(units=1))
    folder = tmp_path / "deep" / "panel"
    folder.rename(folder.with_name(".panel.former"))

    assert dataset.exists()
    assert dataset.load().units.max() == 1

    dataset.save(_panel(units=2))
    assert dataset.load().units.max() == 2
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["panel"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_panel_that_is_replaced_while_it_is_read_is_read_again(dataset, monkeypatch, fails):
    dataset.save(_panel(units=1))
    read = panel_module._read_whole
    replaced = []

    def read_while_replaced(folder):
        panel = read(folder)
        if not replaced:
            replaced.append(True)
            dataset.save(_panel(units=2))
            if fails:
                raise panel_module.PanelFolderError("gone")
        return panel

    monkeypatch.setattr(panel_module, "_read_whole", read_while_replaced)

    assert dataset.load().units.max() == 2


def test_the_panel_is_stored_as_plain_files(dataset, tmp_path):
    dataset.save(_panel())
    folder = tmp_path / "deep" / "panel"

    assert sorted(path.name for path in folder.iterdir()) == [
        "local.npy", "meta.json", "national.npy", "open_days.npy", "promotions.npy",
        "series.parquet", "stores.parquet", "units.npy",
    ]  # fmt: skip
    shutil.copytree(folder, tmp_path / "copy")
    assert PanelDataset(filepath=str(tmp_path / "copy")).load().units.sum() == 12


def test_the_very_panel_that_was_loaded_is_not_written_again(dataset, tmp_path):
    dataset.save(_panel())
    path = tmp_path / "deep" / "panel" / "units.npy"
    written = path.stat().st_ino
    other = PanelDataset(filepath=str(tmp_path / "deep" / "panel"))
    loaded = other.load()

    dataset.save(loaded)
    assert path.stat().st_ino == written

    dataset.save(loaded)
    assert path.stat().st_ino != written
    np.testing.assert_array_equal(dataset.load().units, _panel().units)


def test_files_taken_in_are_kept_and_it_is_told_when_a_new_panel_is_without_them(dataset, caplog):
    taken = replace(_panel(), taken_in={"train-2017-01-05.csv": "ab", "train-2017-01-04.csv": "cd"})
    dataset.save(taken)
    assert dataset.load().taken_in == taken.taken_in
    dataset.save(replace(taken, taken_in=taken.taken_in | {"train-2017-01-06.csv": "ef"}))
    assert "made without them" not in caplog.text
    dataset.save(_panel())
    assert "days of 3 files that arrived later, train-2017-01-04.csv … train-2017" in caplog.text


def test_what_a_killed_process_left_beside_is_removed_by_the_next_save(dataset, tmp_path):
    dataset.save(make_panel(seed=1))
    left = tmp_path / "deep" / ".panel-left"
    left.mkdir()
    (left / "units.npy").write_bytes(b"half")
    dataset.save(make_panel(seed=2))
    assert not left.exists()
