"""What Dask counts as a worker's memory: files are mapped while they are read, and no longer."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from dask.sizeof import sizeof

from grocery_demand.cluster.asking import ask_part, itself
from grocery_demand.core.features import Snapshot
from grocery_demand.core.panel import Panel
from grocery_demand.storage.panel_folder import read_panel, write_panel
from worlds import make_panel


@pytest.fixture
def panel(tmp_path) -> Panel:
    write_panel(tmp_path, make_panel(seed=1, n_stores=10, n_items=50, n_days=400))
    return read_panel(tmp_path)


def count_resident(folder: Path) -> int:
    """Return how many KiB of the arrays in a folder this process has in memory."""
    _, *mapped = Path("/proc/self/smaps").read_text().split(f"{folder}/")
    assert mapped
    return sum(int(told.partition("Rss:")[2].split()[0]) for told in mapped)


def add_up(part: Panel) -> float:
    return float(part.units.sum()) + float(part.promotions.sum())


def show_two(part: Panel) -> np.ndarray:
    return part.units[3:5]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_was_read_of_a_part_is_given_back_after_each_piece_of_work(panel, tmp_path):
    expected = add_up(panel)
    assert count_resident(tmp_path) > 500
    assert ask_part(itself, panel, add_up, (), ()) == expected
    assert count_resident(tmp_path) == 0
    np.testing.assert_array_equal(ask_part(itself, panel, show_two, (), ()), panel.units[3:5])


def test_item_sums_that_wait_to_be_added_up_count_with_their_arrays(panel):
    sums = Snapshot(panel, 300).surroundings.items
    held = sums.past.sums.nbytes + sums.past.weekday_sums.nbytes + sums.promoted.nbytes
    assert sizeof([sums]) > held
