from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.calendar import build_calendar
from grocery_demand.core.panel import Panel

START = np.datetime64("2017-01-01", "D")


@pytest.fixture
def panel() -> Panel:
    stores = pd.DataFrame({"store_nbr": [1, 44], "city": ["Q", "C"], "state": ["P", "A"]})
    holidays = pd.DataFrame(columns=["date", "type", "locale", "locale_name", "transferred"])
    holidays = holidays.astype({"date": "datetime64[s]"})
    return Panel(
        start_date=START,
        units=np.arange(12, dtype=np.float32).reshape(3, 4),
        promotions=np.eye(3, 6, dtype=np.uint8),
        open_days=np.ones((2, 4), bool),
        series=pd.DataFrame(
            {
                "store_nbr": [1, 1, 44],
                "item_nbr": [5, 7, 5],
                "perishable": [0, 1, 0],
                "first_sale": [0, 2, 4],
            }
        ),
        stores=stores,
        calendar=build_calendar(holidays, stores, START, 10),
        digest="d",
    )


def test_days_and_dates_are_counted_from_the_start(panel):
    assert (panel.n_days, panel.n_planned_days) == (4, 2)
    assert panel.cutoff == np.datetime64("2017-01-04")
    assert panel.date_of(-1) == np.datetime64("2016-12-31")
    assert panel.day_of("2017-02-01") == 31
    assert panel.day_of(panel.date_of(17)) == 17


def test_each_series_knows_its_store_and_its_weight(panel):
    assert panel.store_position.tolist() == [0, 0, 1]
    assert panel.weights.tolist() == [1.0, 1.25, 1.0]
    assert panel.weights.dtype == np.float32


def test_an_earlier_panel_forgets_the_later_days_but_not_the_plan(panel):
    earlier = panel.until(1)

    assert earlier.cutoff == np.datetime64("2017-01-02")
    assert earlier.units.tolist() == panel.units[:, :2].tolist()
    assert earlier.open_days.shape == (2, 2)
    assert earlier.series["first_sale"].tolist() == [0, 2, 2]
    assert earlier.n_planned_days == 4
    assert panel.series["first_sale"].tolist() == [0, 2, 4]


def test_a_selection_keeps_stores_and_days(panel):
    chosen = panel.select(np.array([2, 0]))

    assert chosen.units.tolist() == panel.units[[2, 0]].tolist()
    assert chosen.promotions.tolist() == panel.promotions[[2, 0]].tolist()
    assert chosen.series["store_nbr"].tolist() == [44, 1]
    assert chosen.series.index.tolist() == [0, 1]
    assert chosen.store_position.tolist() == [1, 0]
    assert chosen.open_days.shape == (2, 4)


def test_a_panel_cannot_be_changed_by_accident(panel):
    with pytest.raises(AttributeError):
        panel.digest = "other"
    assert replace(panel, digest="other").digest == "other"


def test_series_share_a_group_where_its_columns_agree(panel):
    series = pd.DataFrame(
        {
            "store_nbr": [1, 1, 2, 2],
            "item_nbr": [10, 20, 10, 30],
            "class": [7, 7, 7, 8],
            "family": ["A", "A", "A", "A"],
        }
    )
    codes = replace(panel, series=series).store_groups
    assert codes["class_store"].tolist() == [0, 0, 1, 2]
    assert codes["family_store"].tolist() == [0, 0, 1, 1]


def test_the_items_of_the_series_are_found_among_all_items_ascending(panel):
    position, item_nbr = panel.items
    assert item_nbr.tolist() == [5, 7]
    assert position.tolist() == [0, 1, 0]


def test_closed_years_are_those_whose_date_had_no_sale_though_the_weeks_before_had(panel):
    start, n_days = np.datetime64("2014-01-01"), 365 + 365 + 366 + 200
    opened = np.ones((2, n_days), bool)
    for date in ("2014-12-25", "2016-12-25", "2016-02-29", "2015-03-01", "2014-01-05"):
        opened[1, (np.datetime64(date) - start).astype(int)] = False
    shut = (np.datetime64("2015-11-20") - start).astype(int)
    opened[1, shut : shut + 60] = False
    units = np.zeros((3, n_days), np.float32)
    panel = replace(panel, start_date=start, open_days=opened, units=units)
    assert panel.closed_years(44, "2017-12-25") == [2014, 2016]
    assert panel.closed_years(44, "2016-12-25") == [2014]
    assert panel.closed_years(44, "2020-02-29") == [2016]
    assert panel.closed_years(44, "2018-03-01") == [2015]
    assert panel.closed_years(44, "2018-01-05") == []
    assert panel.closed_years(1, "2017-12-25") == []
