"""The update pipeline: one more day of sales, on a catalog in memory."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.reasons import UNKNOWN_ITEM, UNPARSABLE
from grocery_demand.pipelines.update import create_pipeline
from small_sales import build, holidays, items, stores

HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion\n"
PLAN = "id,date,store_nbr,item_nbr,onpromotion\n"
OLD = {(0, 1, 5): (3.0, None), (1, 1, 5): (2.0, None), (1, 3, 7): (4.0, True)}
OUTPUTS = ("new_sales", "panel", "new_data_quality", "new_quarantined_rows")


def run(sales: str, plan: str = "", panel: Panel | None = None) -> dict[str, object]:
    """Run the pipeline; the standing panel covers 2017-01-01 and 2017-01-02."""
    contents = {
        "new_raw_sales": raw_table("train", HEADER + sales),
        "new_raw_promotion_plan": raw_table("test", PLAN + plan) if plan else absent("test"),
        "standing_panel": panel or build(OLD, {}),
        "items": items,
        "stores": stores,
        "holidays_events": holidays,
        "params:quality": QualityParameters(
            max_bad_share=0.5,
            max_units=1e6,
            first_date="2000-01-01",
            last_date="2100-01-01",
            max_gap_days=60,
        ),
    }
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in contents.items()})
    kept: dict[str, object] = {}
    for name in OUTPUTS:
        catalog[name] = _Kept(kept, name)
    SequentialRunner().run(create_pipeline(), catalog)
    return kept


class _Kept(MemoryDataset):
    def __init__(self, kept: dict[str, object], name: str) -> None:
        super().__init__()
        self._kept, self._name = kept, name

    def save(self, data: object) -> None:
        self._kept[self._name] = data
        super().save(data)


def raw_table(table: str, text: str) -> RawTable:
    file = f"{table}.csv"
    return RawTable(table, file, "new", f"sha {text}", 2, lambda: iter([text.encode()]))


def absent(table: str) -> RawTable:
    return RawTable(table, "", "new", "", 0, lambda: iter(()))


def test_a_new_day_joins_sales_and_panel():
    made = run("1,2017-01-03,1,5,7,False\n2,2017-01-03,44,9,1.5,True\n")
    panel = made["panel"]
    assert isinstance(panel, Panel)
    assert str(panel.cutoff) == "2017-01-03"
    keys = panel.series[["store_nbr", "item_nbr"]].to_numpy().tolist()
    assert keys == [[1, 5], [3, 7], [44, 9]]
    np.testing.assert_array_equal(panel.units, [[3, 2, 7], [0, 4, 0], [0, 0, 1.5]])
    assert panel.series["first_sale"].tolist() == [0, 1, 2]
    new_sales = made["new_sales"]
    assert isinstance(new_sales, pl.DataFrame)
    assert new_sales["unit_sales"].to_list() == [7, 1.5]


def test_rows_of_known_days_are_skipped_and_bad_ones_set_aside():
    made = run(
        "1,2017-01-02,1,5,99,False\n2,2017-01-03,1,5,many,False\n3,2017-01-03,1,7,1,False\n"
        "4,2017-01-03,1,1000,1,False\n5,2017-01-03,3,7,2,False\n"
    )
    panel, report = made["panel"], made["new_data_quality"]
    assert panel.units[0, 1] == 2
    assert report["rows_read"] == 5
    assert report["tables"]["train"]["reasons"] == {UNPARSABLE: 1, UNKNOWN_ITEM: 1}
    quarantined = made["new_quarantined_rows"]
    assert isinstance(quarantined, pd.DataFrame)
    assert quarantined["row"].tolist() == [3, 5]


def test_a_new_plan_replaces_the_former():
    standing = build(OLD, {(2, 1, 5): True, (3, 1, 5): True})
    made = run("1,2017-01-03,1,5,7,False\n", "9,2017-01-05,3,7,True\n", standing)
    np.testing.assert_array_equal(made["panel"].promotions, [[0, 0, 0, 0, 0], [0, 1, 0, 0, 1]])


def test_without_a_new_plan_the_former_stands():
    standing = build(OLD, {(2, 1, 5): True, (3, 1, 5): True})
    made = run("1,2017-01-03,1,5,7,False\n", panel=standing)
    np.testing.assert_array_equal(made["panel"].promotions, [[0, 0, 0, 1], [0, 1, 0, 0]])


def test_days_without_sales_between_are_told(caplog):
    made = run("1,2017-01-05,1,5,7,False\n")
    assert "2 days between 2017-01-02 and 2017-01-05 have no sales at all" in caplog.text
    assert not made["panel"].open_days[:, 2:4].any()


@pytest.mark.parametrize(
    ("sales", "message"),
    [
        ("1,2017-01-02,1,5,7,False\n", r"holds no day after 2017-01-02, .*--params new_dir"),
        (
            "1,2017-06-02,1,5,7,False\n",
            r"begins on 2017-06-02, 150 days after .*the days in between",
        ),
        ("", "is empty"),
    ],
)
def test_files_that_add_nothing_stop_the_run(sales, message):
    with pytest.raises(RawDataError, match=message):
        run(sales)
