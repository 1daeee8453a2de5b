"""A folder of raw tables is whole, reproducible, and never written over real files."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import RawTables, TablePart, simulate_tables
from grocery_demand.datasets.raw_folder import RawFolderDataset

PARAMETERS = SimulationParameters(
    seed=4, stores=2, items=90, start_date="2014-03-25", end_date="2014-04-10"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def save(folder: Path, compression: str = "gzip") -> RawFolderDataset:
    dataset = RawFolderDataset(filepath=str(folder), compression=compression)
    dataset.save(simulate_tables(PARAMETERS))
    return dataset


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_have_kaggles_names(folder: Path) -> None:
    save(folder)
    assert set(read(folder)) == {
        "README.md", "holidays_events.csv", "items.csv", "oil.csv", "stores.csv", "test.csv.gz",
        "train.csv.gz", "transactions.csv.gz",
    }  # fmt: skip


def test_saving_again_gives_the_same_bytes_later_and_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folder)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    save(tmp_path / "elsewhere" / "deep")
    assert read(folder) == read(tmp_path / "elsewhere" / "deep")


def test_gzip_headers_hold_neither_a_time_nor_a_name(folder: Path) -> None:
    save(folder)
    for name in ("train.csv.gz", "test.csv.gz", "transactions.csv.gz"):
        header = read(folder)[name][:10]
        assert header[:2] == b"\x1f\x8b"
        assert header[3] == 0, "flags: no name, no comment"
        assert header[4:8] == bytes(4), "modification time"


def test_compressed_and_plain_files_hold_the_same(folder: Path, tmp_path: Path) -> None:
    save(folder)
    save(tmp_path / "plain", "none")
    assert gzip.decompress(read(folder)["train.csv.gz"]) == read(tmp_path / "plain")["train.csv"]


def test_a_row_of_sales_looks_like_kaggles(folder: Path) -> None:
    save(folder, "none")
    lines = (folder / "train.csv").read_text().splitlines()
    assert lines[0] == "id,date,store_nbr,item_nbr,unit_sales,onpromotion"
    assert lines[1].startswith("0,2014-03-25,")
    assert lines[1].endswith(".0,")
    assert lines[-1].endswith((",True", ",False"))


def test_the_readme_says_that_the_data_are_simulated_and_from_what(folder: Path) -> None:
    save(folder)
    text = (folder / "README.md").read_text()
    assert "SIMULATED" in text
    assert "| seed | 4 |" in text
    assert "| end_date | 2014-04-10 |" in text


def test_loading_scans_the_tables_by_name(folder: Path) -> None:
    tables = save(folder).load()
    assert set(tables) >= {"train", "test", "items", "stores", "oil"}
    train = tables["train"].collect()
    assert train["date"].dtype == pl.Date
    assert set(train["onpromotion"]) == {None, "True", "False"}


def test_an_empty_folder_says_how_to_fill_it(folder: Path) -> None:
    dataset = RawFolderDataset(filepath=str(folder))
    assert not dataset.exists()
    with pytest.raises(GroceryDemandError, match="kedro run --pipeline simulate"):
        dataset.load()


def test_an_unknown_compression_is_refused(folder: Path) -> None:
    with pytest.raises(GroceryDemandError, match="'zip'; allowed: gzip, none"):
        RawFolderDataset(filepath=str(folder), compression="zip")


def test_real_files_are_never_replaced(folder: Path) -> None:
    folder.mkdir()
    (folder / "train.csv").write_text("id,date\n1,2013-01-01\n")
    before = read(folder)
    with pytest.raises(GroceryDemandError, match=r"not simulated \(train\.csv\)"):
        save(folder)
    assert read(folder) == before


def test_a_shorter_simulation_leaves_nothing_of_the_longer_one(folder: Path) -> None:
    save(folder, "gzip")
    save(folder, "none")
    assert "train.csv.gz" not in read(folder)
    assert "train.csv" in read(folder)


def test_a_simulation_that_breaks_off_leaves_the_old_folder_whole(folder: Path) -> None:
    save(folder)
    before = read(folder)

    def break_off() -> Iterator[TablePart]:
        yield TablePart("train", pl.DataFrame({"id": [1]}), date(2014, 3, 25))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RawFolderDataset(filepath=str(folder)).save(RawTables(PARAMETERS, break_off()))
    assert read(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_progress_is_told_by_tenths(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    longer = replace(PARAMETERS, end_date="2014-06-10")
    with caplog.at_level("INFO"):
        RawFolderDataset(filepath=str(folder)).save(simulate_tables(longer))
    told = [record.getMessage() for record in caplog.records]
    assert sum("% of days" in message for message in told) == 10
    assert "100 % of days" in told[-2]
    assert str(folder) in told[-1]
