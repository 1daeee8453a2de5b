"""The sales table, small tables and JSON files: what comes back, and what a crash leaves."""

from datetime import date

import pandas as pd
import polars as pl
import pytest
from kedro.io import DatasetError

from grocery_demand.datasets import JsonDataset, SalesDataset, TableDataset

SALES = pl.DataFrame(
    {
        "date": [date(2017, 1, 2), date(2017, 1, 1), date(2017, 1, 3)],
        "store_nbr": pl.Series([44, 1, 1], dtype=pl.Int32),
        "item_nbr": pl.Series([105574, 7, 7], dtype=pl.Int32),
        "unit_sales": [1.137, -2.0, 89440.123],
        "onpromotion": [None, True, False],
    }
)


@pytest.mark.parametrize("table", [SALES, SALES.lazy(), SALES.clear()])
def test_sales_come_back_lazily_in_their_order_with_their_types(tmp_path, table):
    dataset = SalesDataset(filepath=str(tmp_path / "deep" / "sales"))
    assert not dataset.exists()

    dataset.save(table)

    assert dataset.exists()
    loaded = dataset.load()
    assert isinstance(loaded, pl.LazyFrame)
    assert loaded.collect().equals(table.lazy().collect())
    assert "deep/sales" in str(dataset)


def of_day(day: int, rows: pl.DataFrame = SALES) -> pl.DataFrame:
    return rows.with_columns(pl.lit(date(2017, 1, day)).alias("date"))


def test_later_days_join_the_sales_after_the_history_and_may_be_written_again(tmp_path):
    folder = str(tmp_path / "sales")
    whole, by_day = SalesDataset(filepath=folder), SalesDataset(filepath=folder, by_day=True)
    days = [of_day(4), of_day(5)]
    whole.save(SALES)
    by_day.save(pl.concat([days[1], days[0]]))
    by_day.save(days[0].lazy())
    assert whole.load().collect().equals(pl.concat([SALES, *days]))
    assert sorted(path.name for path in (tmp_path / "sales").iterdir()) == [
        "day-2017-01-04.parquet",
        "day-2017-01-05.parquet",
        "history.parquet",
    ]
    whole.save(SALES)
    assert whole.load().collect().equals(SALES)


def test_a_day_that_is_saved_stands_for_all_rows_of_the_day(tmp_path):
    folder = tmp_path / "sales"
    whole, by_day = (
        SalesDataset(filepath=str(folder)),
        SalesDataset(filepath=str(folder), by_day=True),
    )
    whole.save(SALES)
    former = pl.concat([of_day(4), of_day(5)])
    former.write_parquet(folder / "later-2017-01-04.parquet")
    corrected = pl.concat([of_day(1, SALES.head(1)), of_day(5, SALES.head(2))])
    by_day.save(corrected)
    kept = SALES.filter(pl.col("date") != date(2017, 1, 1))
    assert whole.load().collect().equals(pl.concat([kept, of_day(4), corrected]))
    by_day.save(SALES.clear())
    assert whole.load().collect().height == kept.height + 3 + 3


def test_days_that_are_replaced_are_left_out_where_the_files_are_read(tmp_path):
    folder = str(tmp_path / "sales")
    SalesDataset(filepath=folder).save(SALES)
    SalesDataset(filepath=folder, by_day=True).save(of_day(2))
    plan = SalesDataset(filepath=folder).load().explain()
    assert plan.count("SELECTION") == 1
    assert "FILTER" not in plan


def test_sales_that_were_never_saved_name_the_command_that_makes_them(tmp_path):
    with pytest.raises(DatasetError, match=r"`make run`.*`kedro run --pipeline preprocess`"):
        SalesDataset(filepath=str(tmp_path / "sales")).load()


def test_a_table_that_was_never_saved_names_its_file_and_the_command_that_makes_it(tmp_path):
    with pytest.raises(DatasetError, match=r"no table .*items\.parquet.*`make run`"):
        TableDataset(filepath=str(tmp_path / "items.parquet")).load()


def test_a_replacement_of_the_sales_that_breaks_off_leaves_the_former_ones(tmp_path, monkeypatch):
    dataset = SalesDataset(filepath=str(tmp_path / "sales"))
    dataset.save(SALES)
    later = SalesDataset(filepath=str(tmp_path / "sales"), by_day=True)
    with monkeypatch.context() as patch:
        patch.setattr("polars.LazyFrame.sink_parquet", _fail_after_a_part)
        for broken in (dataset, later):
            with pytest.raises(DatasetError, match="No space left"):
                broken.save(SALES)
    assert dataset.load().collect().equals(SALES)
    assert [path.name for path in tmp_path.iterdir()] == ["sales"]


def test_small_tables_come_back_with_their_types(tmp_path):
    table = pd.DataFrame(
        {
            "id": [1, 2],
            "date": pd.to_datetime(["2017-08-16", "2017-08-17"]).astype("datetime64[ms]"),
            "onpromotion": pd.array([True, None], "boolean"),
            "family": pd.Series(["DAIRY", "EGGS"], dtype="str"),
        }
    )
    dataset = TableDataset(filepath=str(tmp_path / "deep" / "table.parquet"))

    dataset.save(table)

    pd.testing.assert_frame_equal(dataset.load(), table)


def test_json_is_written_for_people_too(tmp_path):
    dataset = JsonDataset(filepath=str(tmp_path / "quality.json"))

    dataset.save({"digest": "ä", "rows": 3})

    assert dataset.load() == {"digest": "ä", "rows": 3}
    assert (tmp_path / "quality.json").read_text() == '{\n  "digest": "ä",\n  "rows": 3\n}\n'


def _fail(*args, **kwargs):
    raise OSError("No space left on device")


def _fail_after_a_part(self, path, **kwargs):
    path.write_bytes(b"PAR1 half")
    _fail()


@pytest.mark.parametrize(
    ("dataset_type", "name", "value", "broken"),
    [
        (TableDataset, "t.parquet", pd.DataFrame({"a": [1]}), "pandas.DataFrame.to_parquet"),
        (JsonDataset, "q.json", {"a": 1}, "json.dumps"),
    ],
)
def test_a_write_that_breaks_off_leaves_the_former_file(
    tmp_path, monkeypatch, dataset_type, name, value, broken
):
    dataset = dataset_type(filepath=str(tmp_path / name))
    dataset.save(value)
    before = (tmp_path / name).read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr(broken, _fail if broken == "json.dumps" else _fail_after_a_part)
        with pytest.raises(DatasetError, match="No space left"):
            dataset.save(value)

    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_json_that_cannot_be_written_leaves_no_file(tmp_path):
    dataset = JsonDataset(filepath=str(tmp_path / "quality.json"))

    with pytest.raises(DatasetError, match="not JSON serializable"):
        dataset.save({"digest": object()})

    assert list(tmp_path.iterdir()) == []
