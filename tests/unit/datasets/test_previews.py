"""What kedro-viz is given of datasets of our own: rows that JSON can hold."""

import json
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_demand.datasets import PanelDataset, RawTableDataset, SalesDataset, TableDataset
from grocery_demand.datasets.preview import show_rows


def test_rows_hold_nothing_but_what_json_has():
    table = pd.DataFrame(
        {
            "date": [date(2017, 1, 2), pd.Timestamp("2017-01-03")],
            "units": pd.array([1.5, None], dtype="Float32"),
            "family": pd.Categorical(["DAIRY", "EGGS"]),
            "sold": [True, False],
            "days": [np.array(["2017-01-02"], "datetime64[D]"), []],
        },
        index=[7, 9],
    )
    shown = show_rows(table)
    assert json.loads(json.dumps(shown)) == {
        "index": [0, 1],
        "columns": ["date", "units", "family", "sold", "days"],
        "data": [
            ["2017-01-02", 1.5, "DAIRY", True, ["2017-01-02"]],
            ["2017-01-03", None, "EGGS", False, []],
        ],
    }


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_raw_table_shows_its_first_rows_as_they_stand_in_the_file(tmp_path, suffix):
    rows = pd.DataFrame({"item_nbr": ["007", "8"], "family": ["", "EGGS"]})
    rows.to_csv(tmp_path / f"items{suffix}", index=False)
    shown = RawTableDataset(filepath=str(tmp_path), table="items").preview(nrows=1)
    assert (shown["columns"], shown["data"]) == (["item_nbr", "family"], [["007", ""]])


def test_an_optional_raw_table_that_is_not_there_shows_no_rows(tmp_path):
    assert (
        RawTableDataset(filepath=str(tmp_path), table="oil", optional=True).preview()["data"] == []
    )


def test_the_sales_show_their_first_rows(tmp_path):
    dataset = SalesDataset(filepath=str(tmp_path))
    dataset.save(pl.DataFrame({"date": [date(2017, 1, 1)] * 30, "unit_sales": range(30)}))
    assert dataset.preview(nrows=2)["data"] == [["2017-01-01", 0], ["2017-01-01", 1]]


def test_the_panel_shows_each_series_with_the_units_it_sold(tmp_path, panel):
    dataset = PanelDataset(filepath=str(tmp_path / "panel"))
    dataset.save(panel)
    shown = dataset.preview(nrows=3)
    units = [row[shown["columns"].index("units_sold")] for row in shown["data"]]
    assert units == panel.units[:3].sum(axis=1).tolist()
    json.dumps(shown)


def test_a_table_with_lists_shows_them(tmp_path):
    dataset = TableDataset(filepath=str(tmp_path / "checks.parquet"))
    dataset.save(pd.DataFrame({"name": ["feed", "age"], "days": [["2017-01-02"], []]}))
    assert dataset.preview(nrows=2)["data"] == [["feed", ["2017-01-02"]], ["age", []]]
