"""Parts and the panel of one machine: which of them is older, and what is made of it."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from grocery_demand.cluster import PartedPanelDataset
from grocery_demand.cluster.datasets import PartedFileError
from grocery_demand.core.panel import Panel
from grocery_demand.datasets import PanelDataset
from grocery_demand.storage.panel_folder import read_panel
from grocery_demand.storage.panel_joining import join_parts, require_newest
from grocery_demand.storage.parted_panel import PartedPlace
from worlds import make_panel

NEW_DAYS = {"train-2016-01-02.csv": "f" * 64, "train-2016-01-03.csv": "e" * 64}


@pytest.fixture(scope="module")
def old() -> Panel:
    return replace(make_panel(seed=2, n_stores=4, n_days=60), digest="of the raw files")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Of one machine's panel."""
    return tmp_path / "panel"


@pytest.fixture
def place(tmp_path) -> PartedPlace:
    return PartedPlace(str(tmp_path / "parts"))


@pytest.fixture
def parts(place, folder) -> PartedPanelDataset:
    return PartedPanelDataset(filepath=place.uri, parts=2, joined={"filepath": str(folder)})


def update(folder: Path) -> None:
    """Take in new days, as `kedro run --pipeline update` does on one machine."""
    dataset = PanelDataset(filepath=str(folder))
    panel = dataset.load()
    taken_in = panel.taken_in | NEW_DAYS
    dataset.save(replace(panel, digest=panel.digest + ", later", taken_in=taken_in))


def test_parts_that_one_machine_has_left_behind_are_refused_with_the_mend(
    parts, place, folder, old
):
    parts.save(old)
    join_parts(place, folder)
    require_newest(place, folder)
    update(folder)
    said = (
        r"parts in .*parts is older than the one in .*panel: .* taken in 2 files of new days, "
        r"train-2016-01-02.csv … train-2016-01-03.csv.*`kedro run --env cluster`"
    )
    with pytest.raises(PartedFileError, match=said):
        parts.load()


def test_parts_made_anew_after_an_update_are_newer_until_they_are_joined_and_then(
    parts, place, folder, old
):
    parts.save(old)
    join_parts(place, folder)
    update(folder)
    parts.save(old)
    require_newest(place, folder)
    assert read_panel(folder).taken_in == NEW_DAYS
    assert join_parts(place, folder)
    assert read_panel(folder).taken_in == {}
    require_newest(place, folder)


def test_parts_that_were_never_joined_are_left_behind_too(parts, place, folder, old):
    PanelDataset(filepath=str(folder)).save(old)
    parts.save(replace(old, digest="of more raw files"))
    update(folder)
    with pytest.raises(PartedFileError, match="older"):
        parts.load()


def test_a_panel_that_one_machine_made_anew_is_newer_unless_of_the_same_raw_files(
    parts, place, folder, old
):
    parts.save(old)
    join_parts(place, folder)
    PanelDataset(filepath=str(folder)).save(old)
    require_newest(place, folder)
    PanelDataset(filepath=str(folder)).save(replace(old, digest="of other raw files"))
    with pytest.raises(PartedFileError, match="made its panel anew"):
        parts.load()


def test_older_parts_do_not_take_the_place_of_the_panel_that_is_published(
    parts, place, folder, old
):
    parts.save(old)
    join_parts(place, folder)
    update(folder)
    assert not join_parts(place, folder)
    assert read_panel(folder).taken_in == NEW_DAYS
