"""Which days files are of by their names, and what is told of many days."""

from datetime import date, timedelta

import polars as pl
import pytest

from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.incoming_files import TAKEN_IN, CheckedFile, find_date
from grocery_demand.core.quality.reasons import BEFORE_FIRST_DAY, OTHER_DATE
from grocery_demand.core.quality.rows import REJECTED_SCHEMA
from grocery_demand.core.quality.tables import Known, sales_rules

KNOWN = Known(pl.Series([1], dtype=pl.Int32), pl.Series([7], dtype=pl.Int32))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("train-2017-06-01.csv", "2017-06-01"),
        ("train_2017-06-01_corrected.csv.gz", "2017-06-01"),
        ("train2017-06-01.parquet", "2017-06-01"),
        ("train.csv", ""),
        ("train-20170601.csv", ""),
        ("train-2017-02-30.csv", ""),
        ("train-12017-06-011.csv", ""),
        ("train-2017-06-01-to-2017-06-07.csv", ""),
    ],
)
def test_one_date_in_a_name_says_which_day_it_is(name, day):
    assert find_date(name) == day


@pytest.mark.parametrize("quoted", ["", '"'])
def test_rows_of_another_date_or_before_the_panel_are_set_aside(check_text, make_bounds, quoted):
    rows = [f"{day},{quoted}1{quoted},7,2,True" for day in ("2016-12-31", "2017-01-02")]
    text = "date,store_nbr,item_nbr,unit_sales,onpromotion\n" + "\n".join(rows)
    only = sales_rules(make_bounds(), KNOWN, only="2017-01-02")
    assert check_text(text, only).rejected["reason"].to_list() == [OTHER_DATE]
    begun = sales_rules(make_bounds(), KNOWN, not_before="2017-01-01")
    assert check_text(text, begun).rejected["reason"].to_list() == [BEFORE_FIRST_DAY]


@pytest.mark.parametrize(("many", "told"), [(62, 62), (63, 2)])
def test_of_many_days_the_first_and_the_last_are_told(make_raw, many, told):
    days = [date(2017, 1, 1) + timedelta(days=n) for n in range(many)]
    table = CheckedTable(
        make_raw(""), pl.DataFrame({"date": days[::-1]}), pl.DataFrame(schema=REJECTED_SCHEMA)
    )
    dates = CheckedFile(table.raw, TAKEN_IN, None, table).describe()["dates"]
    assert len(dates) == told
    assert (dates[0], dates[-1]) == ("2017-01-01", days[-1].isoformat())
