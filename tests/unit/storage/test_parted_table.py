"""A table in parts takes the place of such tables alone."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grocery_demand.storage.manifest import PartedPlaceError
from grocery_demand.storage.parted_table import TablePlace

TABLE = pa.table({"units": [1.0, 2.0]})


def write(place: TablePlace, n_parts: int) -> None:
    version = place.new_version()
    for part in range(n_parts):
        place.write_part(version, part, TABLE)
    place.finish(version, n_parts, {})


@pytest.fixture
def place(tmp_path) -> TablePlace:
    return TablePlace(str(tmp_path / "sales"), "sales table in parts", "Make it.")


@pytest.mark.parametrize("name", ["thesis.odt", "other.parquet", "photos", "part-1.csv", ".git"])
def test_a_folder_that_holds_something_else_is_refused_before_anything_is_written(
    place, tmp_path, name
):
    (tmp_path / "sales" / name).mkdir(parents=True)
    with pytest.raises(PartedPlaceError, match=rf"such as {name}.*conf/cluster/globals.yml"):
        write(place, 1)
    assert [path.name for path in tmp_path.rglob("*")] == ["sales", name]


def test_a_table_of_one_machine_or_of_several_gives_way(place, tmp_path):
    folder = tmp_path / "sales"
    folder.mkdir()
    for name in ("history.parquet", "day-2017-06-01.parquet", ".history-left.parquet"):
        pq.write_table(TABLE, folder / name)
    write(place, 3)
    write(place, 2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "_manifest.json", "part-00000.parquet", "part-00001.parquet",
    ]  # fmt: skip
    assert pq.read_table(folder / "part-00001.parquet").equals(TABLE)


def test_a_file_is_refused_and_kept(place, tmp_path):
    (tmp_path / "sales").write_text("my notes")
    with pytest.raises(PartedPlaceError, match=r"the file .*sales.*move the file away"):
        write(place, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["sales"]
    assert (tmp_path / "sales").read_text() == "my notes"


def test_the_file_of_one_machine_gives_way(tmp_path):
    path = tmp_path / "forecasts.parquet"
    pq.write_table(TABLE, path)
    write(TablePlace(str(path), "table of forecasts in parts", "Make it."), 2)
    assert pq.read_table(path).num_rows == 2 * TABLE.num_rows


def test_what_is_staged_is_read_in_part_and_forgotten_unless_it_stands(place, tmp_path):
    stores = pa.table({"store_nbr": [1, 1, 2, 2, 3, 44], "row": [5, 9, 1, 2, 3, 0]})
    write(place, 1)
    left, version = place.new_version(), place.new_version()
    for each in (left, version):
        place.write_part(each, 0, stores, group_rows=2)
    assert place.read_staged(version, 0, "store_nbr", 1, 2)["row"].to_pylist() == [5, 9, 1, 2]
    assert place.read_staged(version, 0, "store_nbr", 4, 43).num_rows == 0
    with pytest.raises(PartedPlaceError, match="Part 1 of the sales table in parts is not in"):
        place.read_staged(version, 1, "store_nbr", 1, 2)
    place.finish(version, 1, {})
    place.forget(version)
    assert place.read_part(place.read_manifest()["table"], 0).equals(stores)
    place.write_part(left, 0, stores)
    place.forget_others()
    assert [path.name for path in tmp_path.iterdir()] == ["sales"]
