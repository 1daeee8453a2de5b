"""Ecuador's holidays fall on the right days and move the right stores."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.simulation.holidays import HolidayEffects, find_easter, list_holidays

STORES = pl.DataFrame(
    {"city": ["Quito", "Guayaquil", "Latacunga"], "state": ["Pichincha", "Guayas", "Cotopaxi"]}
)


@pytest.mark.parametrize(
    "easter", ["2013-03-31", "2014-04-20", "2015-04-05", "2016-03-27", "2017-04-16", "2019-04-21"]
)
def test_easter_is_found(easter: str) -> None:
    assert find_easter(int(easter[:4])).isoformat() == easter


@pytest.mark.parametrize(
    ("day", "kind", "transferred"),
    [
        ("2014-03-03", "Holiday", False),  # Carnival, Monday
        ("2016-03-25", "Holiday", False),  # Good Friday
        ("2016-05-24", "Holiday", True),  # a Tuesday
        ("2016-05-27", "Transfer", False),
        ("2013-10-09", "Holiday", True),  # a Wednesday
        ("2013-10-11", "Transfer", False),
        ("2017-01-01", "Holiday", True),  # a Sunday
        ("2017-01-02", "Transfer", False),
        ("2014-12-26", "Bridge", False),
        ("2016-11-04", "Bridge", False),
        ("2016-11-12", "Work Day", False),
        ("2016-11-25", "Event", False),  # Black Friday
        ("2016-05-08", "Event", False),  # Mother's Day
        ("2016-04-16", "Event", False),  # earthquake
        ("2015-12-24", "Additional", False),
    ],
)
def test_national_holidays_fall_on_the_known_days(day: str, kind: str, transferred: bool) -> None:
    national = list_holidays(2013, 2017).filter(pl.col("locale") == "National")
    rows = national.filter(pl.col("date") == date.fromisoformat(day))
    assert (kind, transferred) in rows.select("type", "transferred").rows()


def test_later_years_leave_the_earlier_ones_as_they_are() -> None:
    short, long = list_holidays(2014, 2015), list_holidays(2014, 2018)
    assert long.head(len(short)).equals(short)


def test_every_local_holiday_names_a_city() -> None:
    local = list_holidays(2015, 2015).filter(pl.col("locale") == "Local")
    assert local["locale_name"].str.len_chars().min() > 3
    assert local["locale_name"].n_unique() > 15


def factors(day: str) -> np.ndarray:
    return HolidayEffects(list_holidays(2013, 2017), STORES).find_factors(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        ("2015-06-10", 1.0),  # an ordinary day
        ("2016-05-27", 1.24),  # transfer
        ("2016-05-24", 0.96),  # moved away
        ("2015-05-10", 0.76),  # Mother's Day
        ("2015-05-01", 1.49),
        ("2015-12-23", 1.60),
        ("2016-04-18", 1.87),  # two days after the earthquake
        ("2016-04-28", 1.0),  # its aftermath is over
    ],
)
def test_a_national_day_moves_every_store_alike(day: str, factor: float) -> None:
    np.testing.assert_allclose(factors(day), factor)


def test_a_local_day_moves_its_city_and_a_regional_one_its_state() -> None:
    np.testing.assert_allclose(factors("2015-07-25"), [1.0, 1.03, 1.0])
    np.testing.assert_allclose(factors("2015-04-01"), [1.0, 1.0, 1.03])
