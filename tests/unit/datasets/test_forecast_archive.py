import shutil
from datetime import date, timedelta

import pandas as pd
import polars as pl
import pytest

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.datasets import ForecastArchiveDataset

CUTOFF = date(2017, 5, 31)


def forecasts(cutoff: date, version: int = 1, point: float = 2.0) -> pd.DataFrame:
    numbers = {f"quantile_{level}": point for level in (0.1, 0.5, 0.9)}
    numbers |= dict.fromkeys(("point", "seasonal_naive", "moving_average"), point)
    numbers |= {"interval_low": point - 1, "interval_high": point + 1}
    keys = {"store_nbr": [1, 2], "item_nbr": [7, 7], "step": [1, 1], "extra": ["left", "out"]}
    dates = {"cutoff": pd.Timestamp(cutoff), "date": pd.Timestamp(cutoff + timedelta(1))}
    return pd.DataFrame(keys | numbers | dates | {"model_version": version})


@pytest.fixture
def archive(tmp_path) -> ForecastArchiveDataset:
    return ForecastArchiveDataset(filepath=str(tmp_path / "archive"), keep_days=10)


def test_nothing_kept_is_an_empty_table_with_the_same_columns(archive):
    empty = archive.load()
    archive.save(forecasts(CUTOFF))
    assert empty.collect().is_empty()
    assert empty.collect_schema() == archive.load().collect_schema()


def test_cutoffs_and_versions_stand_beside_each_other(archive):
    archive.save(forecasts(CUTOFF))
    archive.save(forecasts(CUTOFF, version=2))
    archive.save(forecasts(CUTOFF + timedelta(1), version=2))
    assert len(archive.load().collect()) == 6


def test_a_repeated_run_takes_the_place_of_the_former(archive):
    archive.save(forecasts(CUTOFF))
    archive.save(forecasts(CUTOFF, point=5.0))
    kept = archive.load().collect()
    assert kept["point"].to_list() == [5.0, 5.0]


def cutoffs_of(archive: ForecastArchiveDataset) -> list[int]:
    cutoffs = archive.load().collect()["cutoff"].unique().sort()
    return [(cutoff - CUTOFF).days for cutoff in cutoffs]


def test_old_forecasts_are_deleted(archive):
    for days in (0, 5, 11, 12):
        archive.save(forecasts(CUTOFF + timedelta(days)))
    assert cutoffs_of(archive) == [5, 11, 12]


def test_forecasts_of_later_days_than_the_panels_last_are_set_aside(archive, tmp_path, caplog):
    for days in (5, 11, 12):
        archive.save(forecasts(CUTOFF + timedelta(days)))
    archive.save(forecasts(CUTOFF + timedelta(8)))
    assert cutoffs_of(archive) == [5, 8]
    aside = tmp_path / "archive" / "set_aside"
    names = ["2017-06-11-v1.parquet", "2017-06-12-v1.parquet"]
    assert sorted(path.name for path in aside.iterdir()) == names
    (told,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "2 file(s)" in told
    assert "2017-06-11 … 2017-06-12" in told
    assert "the panel now ends earlier, on 2017-06-08" in told
    assert str(aside) in told
    assert "Move them back" in told
    for path in aside.iterdir():
        path.rename(tmp_path / "archive" / path.name)
    archive.save(forecasts(CUTOFF + timedelta(13)))
    assert cutoffs_of(archive) == [5, 8, 11, 12, 13]


def test_those_set_aside_are_replaced_by_name_and_deleted_when_old(archive, tmp_path):
    for point in (1.0, 2.0):
        archive.save(forecasts(CUTOFF + timedelta(5), point=point))
        archive.save(forecasts(CUTOFF))
    aside = tmp_path / "archive" / "set_aside"
    (path,) = aside.iterdir()
    assert pl.read_parquet(path)["point"].to_list() == [2.0, 2.0]
    archive.save(forecasts(CUTOFF + timedelta(15)))
    assert path.exists()
    archive.save(forecasts(CUTOFF + timedelta(16)))
    assert not path.exists()


def test_files_from_before_intervals_were_kept_have_the_outer_quantiles_for_it(archive, tmp_path):
    archive.save(forecasts(CUTOFF))
    (written,) = (tmp_path / "archive").glob("*.parquet")
    old = pl.read_parquet(written).drop("interval_low", "interval_high")
    old = old.with_columns(pl.Series("quantile_0.9", [3.0, 4.0], pl.Float32))
    old.write_parquet(written)
    archive.save(forecasts(CUTOFF + timedelta(1)))
    kept = archive.load().sort("cutoff", "store_nbr").collect()
    assert kept["interval_low"].to_list() == [2.0, 2.0, 1.0, 1.0]
    assert kept["interval_high"].to_list() == [3.0, 4.0, 3.0, 3.0]


@pytest.mark.parametrize("kept", [0, 1 / 2])
def test_a_damaged_file_is_named(archive, tmp_path, kept):
    archive.save(forecasts(CUTOFF))
    (written,) = (tmp_path / "archive").glob("*.parquet")
    content = written.read_bytes()
    written.write_bytes(content[: int(kept * len(content))])
    archive.save(forecasts(CUTOFF + timedelta(1)))
    with pytest.raises(GroceryDemandError, match=f"{written.name} are damaged.*remove it"):
        archive.load()


def test_a_copy_counts_for_nothing_and_is_told(archive, tmp_path, caplog):
    archive.save(forecasts(CUTOFF))
    (written,) = (tmp_path / "archive").glob("*.parquet")
    shutil.copy(written, written.with_stem(f"{written.stem} (copy)"))
    assert len(archive.load().collect()) == 2
    assert "2017-05-31-v1 (copy).parquet" in caplog.text
    archive.save(forecasts(CUTOFF + timedelta(20)))
    assert cutoffs_of(archive) == [20]


def test_a_foreign_table_is_named(archive, tmp_path):
    archive.save(forecasts(CUTOFF))
    (written,) = (tmp_path / "archive").glob("*.parquet")
    pl.read_parquet(written).with_columns(pl.col("point").cast(pl.String)).write_parquet(written)
    with pytest.raises(GroceryDemandError, match=f"{written.name} are damaged.*point"):
        archive.load()


def test_a_name_that_is_no_date_counts_for_nothing(archive, tmp_path):
    archive.save(forecasts(CUTOFF))
    (written,) = (tmp_path / "archive").glob("*.parquet")
    shutil.copy(written, written.with_name("2017-13-01-v1.parquet"))
    archive.save(forecasts(CUTOFF + timedelta(1)))
    assert cutoffs_of(archive) == [0, 1]
