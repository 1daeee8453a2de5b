"""Lines of train, good, bad and wild, and the rules that they keep or break."""

import polars as pl
from hypothesis import strategies as st

from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.tables import Known, sales_rules

HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion"
STORES, ITEMS = [1, 44], [7, 105574]
BOUNDS = QualityParameters(
    max_bad_share=1.0,
    max_units=1000.0,
    first_date="2013-01-01",
    last_date="2020-12-31",
    max_gap_days=10_000,
)
RULES = sales_rules(
    BOUNDS, Known(pl.Series(STORES, dtype=pl.Int32), pl.Series(ITEMS, dtype=pl.Int32))
)
TRUE, FALSE = ("True", "true", "TRUE", "1", "1.0"), ("False", "false", "FALSE", "0", "0.0")

dates = st.sampled_from(
    ["2017-01-01", "2017-01-02", "2017-02-29", "2012-12-31", "2021-01-01", "1.1.2017", "", "x"]
)
stores = st.sampled_from(["1", "44", "1.0", " 44", "2", "", "1.5", "-1", "one", "9999999999"])
items = st.sampled_from(["7", "105574", "7.0", "8", "", "seven"])
units = (
    st.sampled_from(["1", "0", "-3", "2.5", "1e2", ".5", "1e4", "-1001", "inf", "nan", "", "x"])
    | st.sampled_from(['"2"', '"2,5"', '"5,1"', '"2', '2"', "1e999"])
    | st.floats(-2000, 2000).map(repr)
)
flags = st.sampled_from(["", *TRUE, *FALSE, "yes", '""', '"True"', '"'])
row_lines = st.tuples(st.just("0"), dates, stores, items, units, flags).map(",".join)
good_lines = st.tuples(
    st.just("0"),
    st.sampled_from(["2017-01-01", "2017-01-02", "2017-01-03"]),
    st.sampled_from(["1", "44"]),
    st.sampled_from(["7", "105574"]),
    st.floats(-999, 999).map(repr),
    st.sampled_from(["", "True", "False"]),
).map(",".join)
odd_lines = st.sampled_from(["", "  ", "\t", "0", '"', ",,,,,", "0,2017-01-01,1,7,1"]) | (
    st.sampled_from([",", ",,x", ',"', ',"True",""x']).map("0,2017-01-01,1,7,1".__add__)
)
files = st.lists(good_lines | good_lines | row_lines | odd_lines, max_size=25)
wild_lines = st.text(alphabet='01.27-,"" \tTrue\x00é', max_size=40)
wild_files = st.lists(good_lines | wild_lines, max_size=12)
