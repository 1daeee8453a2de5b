import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.monitoring.parameters import MonitoringParameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_series", 99),
        ("history_days", 13),
        ("window_days", 2),
        ("window_days", 29),
        ("max_error_growth", 0.0),
        ("max_psi", -1.0),
        ("max_slice_bias", float("nan")),
        ("max_refused_share", 1.1),
        ("max_model_age_days", 0),
        ("min_days_between_trainings", -1),
        ("max_updates_without_day", 0),
        ("confidence", 1.0),
        ("accepted_days", ["2017-06-31"]),
        ("accepted_days", [20170601]),
        ("accepted_days", "2017-06-01"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(name, value):
    with pytest.raises(ParameterError, match=rf"`monitoring\.{name}` is "):
        MonitoringParameters(**{name: value})
