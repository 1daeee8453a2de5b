"""A panel in parts: in a folder and on S3, whole or as it was before."""

import multiprocessing
import os
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.panel import Panel
from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.panel_folder import read_panel, write_panel
from grocery_demand.storage.panel_joining import join_parts, write_joined
from grocery_demand.storage.parted_panel import PartedPlace
from moto_s3 import BUCKET, running_s3
from same_panels import assert_same
from worlds import make_panel

FACTS = {"digest": "d"}


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3() as environment:
        yield environment


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path, monkeypatch) -> PartedPlace:
    if request.param == "folder":
        return PartedPlace(str(tmp_path / "parts"))
    environment = request.getfixturevalue("s3")
    if not environment:
        pytest.skip("moto is missing: make tools")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return PartedPlace(f"s3://{BUCKET}/{tmp_path.name}/parts")


@pytest.fixture(scope="module")
def world() -> Panel:
    return make_panel(seed=4, n_stores=5, n_items=6, n_days=60)


def write(place: PartedPlace, panel: Panel, n_parts: int, beside: str | None = None) -> str:
    version = place.new_version()
    parts = [panel.select_stores(stores) for stores in panel.cut_stores(n_parts)]
    for number, part in enumerate(parts):
        place.write_part(version, number, part)
    sizes = {name: [len(getattr(part, name)) for part in parts] for name in ("series", "stores")}
    place.write_manifest(version, FACTS | sizes | {"beside": beside}, len(parts))
    return version


def test_each_part_comes_back_as_it_was_written(place, world, tmp_path):
    version = write(place, world, 3)
    manifest = place.read_manifest()
    assert (manifest["panel"], manifest["parts"], manifest["digest"]) == (version, 3, "d")
    for number, stores in enumerate(world.cut_stores(3)):
        part = place.read_part(version, number, tmp_path / "copies")
        assert_same(part, world.select_stores(stores))


def test_the_parts_joined_are_the_panel_that_was_cut(place, world, tmp_path):
    write(place, world, 4)
    join_parts(place, tmp_path / "panel")
    assert_same(read_panel(tmp_path / "panel"), world)
    assert (tmp_path / "panel" / "units.npy").read_bytes() == _units_file(world, tmp_path)


def _units_file(panel: Panel, folder: Path) -> bytes:
    (folder / "alone").mkdir()
    write_panel(folder / "alone", panel)
    return (folder / "alone" / "units.npy").read_bytes()


def test_a_panel_is_joined_once_and_again_when_it_has_changed(place, world, tmp_path):
    write(place, world, 2)
    join_parts(place, tmp_path / "panel")
    first = (tmp_path / "panel" / "units.npy").stat().st_ino
    join_parts(place, tmp_path / "panel")
    assert (tmp_path / "panel" / "units.npy").stat().st_ino == first
    write(place, world.until(40), 2)
    join_parts(place, tmp_path / "panel")
    assert read_panel(tmp_path / "panel").n_days == 41


def test_none_but_one_part_is_held_while_they_are_joined(world, tmp_path):
    cuts, held = world.cut_stores(4), []

    def read(part: int) -> Panel:
        assert all(panel() is None for panel in held)
        panel = world.select_stores(cuts[part])
        held.append(weakref.ref(panel))
        return panel

    sizes = [len(world.select_stores(stores).series) for stores in cuts]
    write_joined(tmp_path, read, sizes, [len(world.stores[stores]) for stores in cuts])
    assert_same(read_panel(tmp_path), world)


def test_days_that_came_late_are_kept_when_parts_are_joined_anew(place, world, tmp_path):
    write_panel(_make(tmp_path / "panel"), replace(world, late_days={"2015-06-20": "2015-06-25"}))
    write(place, world, 2, beside=world.digest)
    join_parts(place, tmp_path / "panel")
    assert read_panel(tmp_path / "panel").late_days == {"2015-06-20": "2015-06-25"}


def test_what_a_join_that_was_killed_left_is_removed_by_the_next(place, world, tmp_path):
    class Killed(PartedPlace):
        def read_part(self, *_):
            os._exit(9)

    write(place, world, 2)
    joining = multiprocessing.get_context("fork").Process(
        target=join_parts, args=(Killed(place.uri), tmp_path / "panel")
    )
    joining.start()
    joining.join()
    assert joining.exitcode == 9
    assert list(tmp_path.glob(".panel-*"))
    join_parts(place, tmp_path / "panel")
    assert {path.name for path in tmp_path.iterdir()} <= {"panel", "parts"}


def test_copies_of_a_former_version_are_removed_and_what_is_in_use_stays_readable(
    place, world, tmp_path
):
    if not place.is_remote:
        pytest.skip("nothing is copied")
    copies = tmp_path / "copies"
    former = place.read_part(write(place, world, 2), 0, copies)
    version = write(place, world.until(40), 2)
    for part in range(2):
        assert place.read_part(version, part, copies).n_days == 41
    assert [path.name for path in copies.iterdir()] == [version]
    assert len(list((copies / version).iterdir())) == 2
    assert_same(former, world.select_stores(world.cut_stores(2)[0]))


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_run_killed_before_the_manifest_leaves_the_former_panel(place, world, tmp_path):
    former = write(place, world, 2)
    place.write_part(place.new_version(), 0, world.until(30))
    assert place.read_manifest()["panel"] == former
    assert place.read_part(former, 1, tmp_path / "copies").n_days == 60


def test_the_next_panel_removes_what_neither_it_nor_the_former_needs(place, world, tmp_path):
    stale = write(place, world, 2)
    killed = place.new_version()
    place.write_part(killed, 0, world)
    former, newest = write(place, world, 2), write(place, world, 2)
    for version in (former, newest):
        place.read_part(version, 0, tmp_path / "copies")
    for version in (stale, killed):
        with pytest.raises((GroceryDemandError, FileNotFoundError)):
            place.read_part(version, 0, tmp_path / "copies")


def test_where_no_panel_is_the_error_says_how_to_make_one(place):
    assert not place.is_there()
    with pytest.raises(PartedPlaceError, match="kedro run --pipeline preprocess --env cluster"):
        place.read_manifest()


@pytest.mark.parametrize("contents", ["{}", '{"format": "else"}', "not json"])
def test_a_manifest_of_something_else_is_refused(tmp_path, contents):
    (tmp_path / "manifest.json").write_text(contents)
    with pytest.raises(PartedPlaceError, match=r"manifest\.json"):
        PartedPlace(str(tmp_path)).read_manifest()


@pytest.mark.parametrize("n_parts", [1, 2, 3, 5, 9])
def test_stores_are_cut_into_parts_that_all_have_series_and_follow_each_other(world, n_parts):
    cuts = world.cut_stores(n_parts)
    assert len(cuts) <= min(n_parts, 5)
    assert [cut.start for cut in cuts] == [0, *(cut.stop for cut in cuts[:-1])]
    assert cuts[-1].stop == len(world.stores)
    sizes = [len(world.select_stores(cut).series) for cut in cuts]
    assert min(sizes) > 0
    assert sum(sizes) == len(world.series)
    largest_store = world.series["store_nbr"].value_counts().max()
    assert max(sizes) <= len(world.series) / n_parts + largest_store


def test_stores_without_series_join_their_neighbours(world):
    without = world.select(np.flatnonzero(world.store_position != world.store_position.max()))
    cuts = without.cut_stores(9)
    assert cuts[-1].stop == 5
    assert all(len(without.select_stores(cut).series) for cut in cuts)


def test_a_part_that_is_missing_or_damaged_says_how_to_make_all_anew(tmp_path, world):
    place = PartedPlace(str(tmp_path / "parts"))
    version = write(place, world, 2)
    folder = place.folder / version / "part-00001"
    (folder / "units.npy").write_bytes((folder / "units.npy").read_bytes()[:500])
    with pytest.raises(PartedPlaceError, match=r"Part 1 .*preprocess --env cluster"):
        place.read_part(version, 1, tmp_path / "copies")
    with pytest.raises(PartedPlaceError, match=r"Part 7 .*reach the same folder"):
        place.read_part(version, 7, tmp_path / "copies")
