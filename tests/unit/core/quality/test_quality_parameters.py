import pytest

from grocery_demand.core.errors import ParameterError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_bad_share": 1.5}, "`quality.max_bad_share` is 1.5; allowed: a share from 0 to 1"),
        ({"max_bad_share": float("nan")}, "`quality.max_bad_share` is nan"),
        ({"max_units": 0.0}, "`quality.max_units` is 0.0; allowed: a number above 0"),
        ({"max_units": float("inf")}, "`quality.max_units` is inf"),
        (
            {"first_date": "2017-02-30"},
            "is '2017-02-30'; allowed: an ISO date",
        ),
        ({"first_date": "2017-02"}, "`quality.first_date` is '2017-02'"),
        ({"last_date": "today"}, "`quality.last_date` is 'today'"),
        ({"last_date": "1990-01-01"}, "allowed: 2000-01-01 or later"),
        ({"max_gap_days": 0}, "`quality.max_gap_days` is 0; allowed: a whole number of days"),
        ({"max_bad_shar": 0.5}, "did you mean `max_bad_share`"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(make_bounds, changes, message):
    with pytest.raises(ParameterError) as error:
        make_bounds(**changes)

    assert message in str(error.value)


def test_whole_numbers_are_fine_where_a_number_is_asked_for(make_bounds):
    assert make_bounds(max_units=5000, max_bad_share=0).max_units == 5000.0
