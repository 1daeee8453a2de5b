"""The folder where files arrive."""

import hashlib

import pytest

from grocery_demand.core.errors import RawDataError
from grocery_demand.datasets import IncomingFolderDataset, raw_files


def test_a_missing_folder_holds_no_files(tmp_path):
    dataset = IncomingFolderDataset(filepath=str(tmp_path / "nowhere"))
    assert not dataset.exists()
    assert dataset.load().files == []


def test_files_are_hashed_and_read_later(tmp_path):
    (tmp_path / "train-2017-06-01.csv").write_bytes(b"date\n2017-06-01\n")
    (tmp_path / "test.csv").write_bytes(b"date\n")
    (tmp_path / "Train-2017-06-02.csv").write_bytes(b"date\n")
    dataset = IncomingFolderDataset(filepath=str(tmp_path))
    assert dataset.exists()
    assert dataset.load().others == ("Train-2017-06-02.csv",)
    plan, sales = dataset.load().files
    assert (plan.table, sales.table, sales.first_row) == ("test", "train", 2)
    assert sales.sha256 == hashlib.sha256(b"date\n2017-06-01\n").hexdigest()
    assert b"".join(sales.read_blocks()) == b"date\n2017-06-01\n"
    assert str(tmp_path) in dataset.load().folder


def test_a_file_that_cannot_be_read_says_so_when_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "train-2017-06-01.csv").write_bytes(b"date\n")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(raw_files, "hash_file", refuse)
    (file,) = IncomingFolderDataset(filepath=str(tmp_path)).load().files
    with pytest.raises(RawDataError, match=r"train-2017-06-01\.csv cannot be read: Permission"):
        file.read_blocks()
