import gzip
import hashlib
import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from kedro.io import DatasetError

from grocery_demand.core.errors import RawDataError
from grocery_demand.datasets import RawTableDataset, raw_files

TEXT = b"date,dcoilwtico\n2017-01-02,50.5\n2017-01-03,\n2017-01-04,51\n"


def _write(folder: Path, suffix: str, text: bytes = TEXT) -> Path:
    path = folder / f"oil{suffix}"
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(text))
    elif suffix == ".csv.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("oil.csv", text)
            archive.writestr("__MACOSX/._oil.csv", "x")
    elif suffix == ".parquet":
        pl.read_csv(text, try_parse_dates=True).write_parquet(path)
    else:
        path.write_bytes(text)
    return path


def _dataset(folder: Path, **options) -> RawTableDataset:
    return RawTableDataset(filepath=str(folder), table="oil", **options)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zip"])
@pytest.mark.parametrize("block_bytes", [10**6, 20, 1])
def test_packed_text_is_read_in_blocks_that_end_with_a_line(
    tmp_path, monkeypatch, suffix, block_bytes
):
    monkeypatch.setattr(raw_files, "_BLOCK_BYTES", block_bytes)
    path = _write(tmp_path, suffix)

    raw = _dataset(tmp_path).load()
    blocks = list(raw.read_blocks())

    assert (raw.table, raw.file, raw.folder, raw.first_row) == (
        "oil", path.name, str(tmp_path), 2,
    )  # fmt: skip
    assert b"".join(blocks) == TEXT
    assert all(block.endswith(b"\n") for block in blocks)
    assert raw.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("readme", "simulated"),
    [(None, False), ("Bought from a retailer.", False), ("These data are SIMULATED by …", True)],
)
def test_a_folder_says_whether_its_data_are_simulated(tmp_path, readme, simulated):
    _write(tmp_path, ".csv")
    if readme is not None:
        (tmp_path / "README.md").write_text(readme, encoding="utf-8")

    assert _dataset(tmp_path).load().simulated is simulated


def test_a_table_can_be_read_again(tmp_path):
    _write(tmp_path, ".csv.gz")
    raw = _dataset(tmp_path).load()

    assert list(raw.read_blocks()) == list(raw.read_blocks())


def test_parquet_is_read_as_the_text_it_stands_for(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_files, "_BATCH_ROWS", 2)
    pl.DataFrame(
        {
            "date": [date(2017, 1, 1), date(2017, 1, 2), None],
            "moment": [datetime(2017, 1, 1), datetime(2017, 1, 2, 5), None],
            "store_nbr": [1.0, None, 44.0],
            "unit_sales": [0.1, float("nan"), 1e6],
            "onpromotion": [True, False, None],
            "kind": pl.Series(["a,b", "c", None], dtype=pl.Categorical),
            "nested": [[1], [2, 3], None],
        }
    ).write_parquet(tmp_path / "oil.parquet")

    raw = _dataset(tmp_path).load()

    assert raw.first_row == 1
    assert b"".join(raw.read_blocks()).decode().splitlines() == [
        "date,moment,store_nbr,unit_sales,onpromotion,kind,nested",
        '2017-01-01,2017-01-01,1.0,0.1,true,"a,b",true',
        "2017-01-02,2017-01-02T05:00:00,,,false,c,true",
        ",,44.0,1000000.0,,,false",
    ]


def test_two_files_of_one_table_stop_with_both_names(tmp_path):
    _write(tmp_path, ".csv")
    _write(tmp_path, ".csv.gz")

    with pytest.raises(RawDataError, match=r"holds oil\.csv and oil\.csv\.gz"):
        _dataset(tmp_path, optional=True).load()


def test_a_missing_file_stops_with_what_the_folder_holds_and_a_close_name(tmp_path):
    (tmp_path / "oils.csv").write_text("")
    (tmp_path / ".hidden").write_text("")

    with pytest.raises(RawDataError) as error:
        _dataset(tmp_path).load()

    assert str(error.value).startswith(
        f"{tmp_path} has no oil file: one of oil.csv, oil.csv.gz, oil.csv.zip, oil.parquet is "
        "needed (did you mean `oils.csv`?). It holds oils.csv."
    )
    assert "--params raw_dir=" in str(error.value)


def test_a_missing_folder_stops_and_the_kaggle_folder_says_where_its_files_are(tmp_path):
    folder = tmp_path / "kaggle"

    with pytest.raises(RawDataError) as error:
        _dataset(folder, optional=True).load()

    assert f"{folder}, is not there" in str(error.value)
    assert "kaggle.com/competitions/favorita-grocery-sales-forecasting" in str(error.value)


def test_an_optional_file_may_be_missing(tmp_path):
    dataset = _dataset(tmp_path, optional=True)

    raw = dataset.load()

    assert not raw.is_there
    assert list(raw.read_blocks()) == []
    assert not dataset.exists()
    _write(tmp_path, ".csv")
    assert dataset.exists()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("oil.csv.gz", TEXT, "cannot be read as a gzip file"),
        ("oil.csv.gz", gzip.compress(TEXT, mtime=0)[:-9], "cannot be read as a gzip file"),
        (
            "oil.csv.gz",
            gzip.compress(TEXT, mtime=0)[:20] + b"xxxx" * 9,
            "cannot be read as a gzip file",
        ),
        ("oil.csv.zip", TEXT, "cannot be read as a zip file"),
        ("oil.parquet", TEXT, "cannot be read as a parquet file"),
        ("oil.parquet", b"", "cannot be read as a parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_stops(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)

    with pytest.raises(RawDataError) as error:
        list(_dataset(tmp_path).load().read_blocks())

    assert f"{name} (in {tmp_path})" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("members", [[], ["a.csv", "b.csv"], ["readme.txt"]])
def test_a_zip_has_to_hold_one_csv(tmp_path, members):
    with zipfile.ZipFile(tmp_path / "oil.csv.zip", "w") as archive:
        for member in members:
            archive.writestr(member, TEXT)

    with pytest.raises(RawDataError, match="it has to hold one CSV file, it holds "):
        list(_dataset(tmp_path).load().read_blocks())


def test_raw_data_are_never_written(tmp_path):
    _write(tmp_path, ".csv")
    dataset = _dataset(tmp_path)

    with pytest.raises(DatasetError, match="only read"):
        dataset.save(dataset.load())


def test_the_dataset_describes_itself(tmp_path):
    assert f"filepath={str(tmp_path)!r}" in str(_dataset(tmp_path))
