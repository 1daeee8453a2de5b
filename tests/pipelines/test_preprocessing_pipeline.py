"""The preprocessing pipeline from small raw tables to the panel, on a catalog in memory."""

import numpy as np
import polars as pl
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.pipelines.preprocessing import create_pipeline

TABLES = {
    "train": """id,date,store_nbr,item_nbr,unit_sales,onpromotion
0,2017-01-02,1,7,3,
1,2017-01-02,44,7,2,True
2,2017-01-03,1,9,1.5,False
3,2017-01-03,1,7,-2,False
4,2017-01-04,44,7,five,False
5,2017-01-05,44,7,4,False
""",
    "test": """id,date,store_nbr,item_nbr,onpromotion
6,2017-01-06,1,7,True
7,2017-01-07,44,9,False
""",
    "items": "item_nbr,family,class,perishable\n7,DAIRY,2100,1\n9,CLEANING,3024,0\n",
    "stores": "store_nbr,city,state,type,cluster\n1,Quito,Pichincha,D,13\n44,Quito,Pichincha,A,5\n",
    "holidays_events": """date,type,locale,locale_name,description,transferred
2017-01-02,Transfer,National,Ecuador,Traslado Primer dia del ano,False
""",
    "transactions": "date,store_nbr,transactions\n2017-01-02,1,1500\n",
    "oil": "date,dcoilwtico\n2017-01-02,\n2017-01-03,52.36\n",
}

BOUNDS = {
    "max_units": 1e6,
    "first_date": "2000-01-01",
    "last_date": "2100-01-01",
    "max_gap_days": 60,
}


def run(max_bad_share: float = 0.5, **changed: str) -> dict[str, object]:
    catalog = DataCatalog(
        {
            "params:quality": MemoryDataset(
                QualityParameters(**BOUNDS | {"max_bad_share": max_bad_share})
            ),
            **{
                f"raw_{'sales' if name == 'train' else name}": MemoryDataset(raw_table(name, text))
                for name, text in (TABLES | changed).items()
                if name != "test"
            },
            "raw_promotion_plan": MemoryDataset(raw_table("test", (TABLES | changed)["test"])),
        }
    )
    stored = ["sales", "promotion_plan", "items", "stores", "holidays_events", "data_quality"]
    kept: dict[str, object] = {}
    for name in stored:
        catalog[name] = _Kept(kept, name)
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    return kept | {name: dataset.load() for name, dataset in outputs.items()}


def raw_table(name: str, text: str) -> RawTable:
    return RawTable(name, f"{name}.csv", "raw", name * 8, 2, lambda: iter([text.encode()]))


class _Kept(MemoryDataset):
    """A dataset that the runner does not empty after its last use."""

    def __init__(self, kept: dict[str, object], name: str) -> None:
        super().__init__()
        self._kept, self._name = kept, name

    def save(self, data: object) -> None:
        self._kept[self._name] = data
        super().save(data.lazy() if isinstance(data, pl.DataFrame) else data)


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    return run()


def test_good_rows_become_the_sales_table_with_returns(results):
    sales = results["sales"]
    assert sales["unit_sales"].to_list() == [3, 2, 1.5, -2, 4]
    assert sales["onpromotion"].to_list() == [None, True, False, False, False]


def test_the_bad_row_is_set_aside_with_its_place_and_reason(results):
    rows = results["quarantined_rows"].values.tolist()
    assert rows == [["train.csv", 6, "unit_sales", "five", "unparsable cell"]]
    assert results["data_quality"]["tables"]["train"]["reasons"] == {"unparsable cell": 1}


def test_the_panel_holds_what_the_rows_say(results):
    panel = results["panel"]
    keys = panel.series[["store_nbr", "item_nbr"]].values.tolist()
    assert keys == [[1, 7], [1, 9], [44, 7], [44, 9]]
    np.testing.assert_array_equal(
        panel.units, [[3, 0, 0, 0], [0, 1.5, 0, 0], [2, 0, 0, 4], [0, 0, 0, 0]]
    )
    assert panel.series["first_sale"].tolist() == [0, 1, 0, 4]
    assert str(panel.cutoff) == "2017-01-05"
    np.testing.assert_array_equal(panel.promotions[:, 4:], [[1, 0], [0, 0], [0, 0], [0, 0]])
    assert panel.calendar.national[0] == 1


def test_the_panel_carries_the_digest_of_the_raw_files(results):
    assert results["panel"].digest == results["data_quality"]["digest"]
    changed = run(oil=TABLES["oil"] + "2017-01-04,51\n")
    assert changed["panel"].digest == results["panel"].digest, "the hash is the file's, not ours"


def test_small_tables_come_out_typed(results):
    assert results["items"]["perishable"].tolist() == [1, 0]
    assert results["oil"]["dcoilwtico"].isna().tolist() == [True, False]
    assert str(results["holidays_events"]["transferred"].dtype) == "boolean"


@pytest.mark.parametrize(
    ("table", "text", "told"),
    [
        ("train", TABLES["train"].replace("unit_sales", "units"), "has no column `unit_sales`"),
        ("stores", "store_nbr,city,state,type,cluster\n", "stores.csv (in raw) is empty"),
        ("items", TABLES["items"].replace("DAIRY", ""), "items.csv"),
    ],
)
def test_a_table_that_cannot_be_used_stops_the_run(table, text, told):
    with pytest.raises(RawDataError) as raised:
        run(max_bad_share=0.01, **{table: text})
    assert told in str(raised.value)


def test_too_many_bad_rows_stop_the_run_before_anything_is_stored():
    with pytest.raises(RawDataError, match=r"1 of 6 rows read.*max_bad_share"):
        run(max_bad_share=0.1)
