import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.calendar import NATIONAL_KINDS, build_calendar

START = np.datetime64("2016-12-30", "D")
STORES = pd.DataFrame(
    {
        "store_nbr": [1, 2, 44],
        "city": ["Quito", "Cuenca", "Quito"],
        "state": ["Pichincha", "Azuay", "Pichincha"],
    }
)


def _holidays(*rows) -> pd.DataFrame:
    columns = ["date", "type", "locale", "locale_name", "transferred"]
    table = pd.DataFrame(list(rows), columns=columns)
    return table.assign(
        date=pd.to_datetime(table["date"]), transferred=table["transferred"].astype(bool)
    )


def _kinds(calendar) -> list[str]:
    return [NATIONAL_KINDS[code] for code in calendar.national]


def test_national_days_are_placed_by_kind():
    calendar = build_calendar(
        _holidays(
            ("2016-12-30", "Bridge", "National", "Ecuador", False),
            ("2017-01-01", "Holiday", "National", "Ecuador", False),
            ("2017-01-02", "Work Day", "National", "Ecuador", False),
        ),
        STORES, START, 5,
    )  # fmt: skip

    assert _kinds(calendar) == ["Bridge", "none", "Holiday", "Work Day", "none"]
    assert calendar.local.sum() == 0


def test_a_transferred_holiday_is_kept_on_the_day_it_was_celebrated_only():
    calendar = build_calendar(
        _holidays(
            ("2016-12-30", "Holiday", "National", "Ecuador", True),
            ("2017-01-02", "Transfer", "National", "Ecuador", False),
        ),
        STORES, START, 5,
    )  # fmt: skip

    assert _kinds(calendar) == ["none", "none", "none", "Holiday", "none"]


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_kinds_on_one_day_the_first_kind_counts(order):
    rows = [
        ("2016-12-31", "Event", "National", "Ecuador", False),
        ("2016-12-31", "Holiday", "National", "Ecuador", False),
        ("2016-12-31", "Additional", "National", "Ecuador", False),
    ]

    assert _kinds(build_calendar(_holidays(*rows[::order]), STORES, START, 2))[1] == "Holiday"


def test_local_and_regional_holidays_count_in_their_city_or_state():
    calendar = build_calendar(
        _holidays(
            ("2016-12-30", "Holiday", "Local", "Quito", False),
            ("2016-12-31", "Holiday", "Regional", "Azuay", False),
            ("2017-01-01", "Holiday", "Local", "Atlantis", False),
        ),
        STORES, START, 3,
    )  # fmt: skip

    assert calendar.local.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert _kinds(calendar) == ["none"] * 3


def test_days_outside_the_span_are_left_out():
    calendar = build_calendar(
        _holidays(
            ("2016-12-29", "Holiday", "National", "Ecuador", False),
            ("2017-01-02", "Holiday", "Local", "Quito", False),
        ),
        STORES, START, 3,
    )  # fmt: skip

    assert calendar.national.sum() == calendar.local.sum() == 0


def test_day_features_are_distances_and_positions():
    calendar = build_calendar(
        _holidays(("2017-01-01", "Holiday", "National", "Ecuador", False)), STORES, START, 20
    )

    features = calendar.day_features()

    assert all(values.dtype == np.float32 for values in features.values())
    assert features["weekday"][:3].tolist() == [4, 5, 6]
    assert features["day_of_month"][:3].tolist() == [30, 31, 1]
    assert features["days_to_month_end"][:3].tolist() == [1, 0, 30]
    assert features["month"][:3].tolist() == [12, 12, 1]
    assert features["day_of_year"][:3].tolist() == [365, 366, 1]
    assert features["national_day"][:3].tolist() == [0, 0, 1]
    assert features["days_to_holiday"][:4].tolist() == [2, 1, 0, 15]
    assert features["days_since_holiday"].tolist() == [15, 15, *range(15), 15, 15, 15]


def test_the_dates_are_those_of_the_days():
    calendar = build_calendar(_holidays(), STORES, START, 3)

    assert calendar.dates.astype(str).tolist() == ["2016-12-30", "2016-12-31", "2017-01-01"]
