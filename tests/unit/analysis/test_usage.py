from dataclasses import replace

import pandas as pd
import pytest

from grocery_demand.analysis.usage import (
    NoEventsError,
    count_days_ahead,
    describe_usage,
    name_products,
)
from grocery_demand.core.monitoring.served import ServedEvents

SERVED = ServedEvents(
    newest=pd.DataFrame({"step": [1, 2, 16, 17, 366]}),
    by_day=pd.DataFrame(
        {"requests": [3, 5], "answered": [3, 5], "long_range": [0, 2], "refused": [1, 1],
         "date": ["2026-01-01", "2026-01-03"]}
    ),
    products=pd.DataFrame({"item_nbr": [7, 9], "requests": [6, 2]}),
    stores=pd.DataFrame({"store_nbr": [1], "requests": [8]}),
    clients=pd.DataFrame({"client": ["till"], "requests": [8]}),
)  # fmt: skip
ITEMS = pd.DataFrame({"item_nbr": [7], "family": ["EGGS"], "class": [2502]})


def test_what_was_asked_is_summed_up_in_words():
    answers = describe_usage(SERVED)
    assert answers["First and last day with questions"] == "2026-01-01 … 2026-01-03"
    assert answers["Forecasts given"] == "8"
    assert answers["Beyond the horizon (long range)"] == "25.0%"
    assert answers["Questions refused"] == "2 (20.0% of all)"


def test_an_empty_log_says_how_to_fill_it():
    empty = replace(SERVED, by_day=SERVED.by_day.iloc[:0])
    with pytest.raises(NoEventsError, match="kedro serve"):
        describe_usage(empty)


def test_a_log_that_cannot_be_read_says_why():
    unreadable = replace(SERVED, by_day=SERVED.by_day.iloc[:0], problem="events.db is damaged.")
    with pytest.raises(NoEventsError, match=r"events\.db is damaged\."):
        describe_usage(unreadable)


def test_products_have_their_family_also_if_the_table_of_items_has_lost_them():
    table = name_products(SERVED, ITEMS)
    assert table["share"].tolist() == [0.75, 0.25]
    assert table["family"].iloc[0] == "EGGS"
    assert table["family"].isna().tolist() == [False, True]


def test_days_ahead_are_counted_by_ranges_that_end_at_horizon_and_year():
    counts = count_days_ahead(SERVED)
    assert counts.to_dict() == {
        "1 day": 1, "2–7": 1, "8–16": 1, "17–28": 1, "29–91": 0, "92–182": 0, "183–366": 1,
    }  # fmt: skip
