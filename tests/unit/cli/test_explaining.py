"""Which errors are told as mistakes, and how."""

import errno
import sqlite3
from itertools import pairwise

import pytest
from kedro.io import DatasetError

from grocery_demand.cli.foreign_errors import find_maker
from grocery_demand.cli.mistakes import explain, plain_errors
from grocery_demand.core.errors import RawDataError
from grocery_demand.pipeline_registry import register_pipelines


def chain(*errors: Exception) -> Exception:
    """Return the last of errors that were raised from one another."""
    for cause, error in pairwise(errors):
        error.__cause__ = cause
    return errors[-1]


def full(path: str | None = None) -> OSError:
    return OSError(errno.ENOSPC, "No space left on device", path)


def test_a_bug_keeps_its_traceback():
    assert explain(chain(KeyError("x"), ValueError("shapes differ"))) is None
    with pytest.raises(ValueError, match="shapes differ"), plain_errors():
        raise ValueError("shapes differ")


def test_an_error_of_the_project_is_told_before_what_caused_it():
    assert explain(chain(full(), RawDataError("train.csv is cut off."))) == "train.csv is cut off."


def test_a_full_disk_is_told_before_the_dataset_that_met_it():
    error = chain(full("/disk/units.npy"), DatasetError("panel: Failed while saving data"))
    assert "The disk is full: nothing more can be written to /disk/units.npy" in explain(error)


def test_a_full_disk_is_found_where_a_library_tells_of_it_in_words_alone():
    assert "The disk is full" in explain(OSError("30000 requested and 12 written"))


def test_of_a_hidden_file_beside_its_place_the_folder_is_told():
    error = PermissionError(errno.EACCES, "Permission denied", "/project/data/.scores-x1.parquet")
    assert "read or write /project/data (Permission denied)" in explain(error)


def test_a_right_that_is_missing_elsewhere_than_in_files_is_no_mistake_of_files():
    assert explain(PermissionError(errno.EPERM, "Operation not permitted")) is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("attempt to write a readonly database", "cannot be written to"),
        ("unable to open database file", "cannot be opened"),
        ("disk I/O error", "the disk is full or fails"),
        ("database disk image is malformed", "are damaged. Put a copy of the file back"),
    ],
)
def test_what_sqlite_says_of_mlflows_records_is_told_with_its_mend(said, told, mlflow_store):
    message = explain(sqlite3.OperationalError(said))
    assert message.startswith(f"MLflow's records in {mlflow_store} ")
    assert told in message


def test_a_dataset_that_no_catalog_can_make_is_told_with_its_file():
    error = DatasetError(
        "An exception occurred when parsing config for dataset 'raw_sales':\nno such class"
    )
    assert explain(error).startswith("conf/base/catalog.yml: ")


@pytest.mark.parametrize(
    ("dataset", "pipeline"),
    [
        ("sales", "preprocess"),
        ("holdout_forecasts", "fit"),
        ("verdict", "promote"),
        ("forecasts", "forecast"),
        ("model_card", "report"),
        ("monitoring_summary", "monitor"),
        ("raw_sales", None),
    ],
)
def test_the_pipeline_that_makes_a_dataset_is_the_shortest_way_to_it(dataset, pipeline):
    assert find_maker(dataset, register_pipelines()) == pipeline
