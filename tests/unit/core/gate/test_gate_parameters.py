import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.gate import GateParameters


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_nwrmsle", 0.0, "above 0 and finite"),
        ("max_nwrmsle", -0.1, "above 0 and finite"),
        ("max_nwrmsle", float("nan"), "above 0 and finite"),
        ("min_r2_score", 1.0, "below 1 and finite"),
        ("min_r2_score", 1.5, "below 1 and finite"),
        ("min_r2_score", float("nan"), "below 1 and finite"),
        ("max_nwrmsle", float("inf"), "above 0 and finite"),
        ("min_r2_score", float("-inf"), "below 1 and finite"),
        ("champion_tolerance", -0.001, "0 to 1"),
        ("champion_tolerance", 1.001, "0 to 1"),
        ("champion_tolerance", float("nan"), "0 to 1"),
        ("max_slice_loss", -0.001, "0 to 1"),
        ("max_slice_loss", 1.001, "0 to 1"),
        ("max_slice_loss", float("nan"), "0 to 1"),
        ("confidence", 0.5, "above 0.5 and below 1"),
        ("confidence", 1.0, "above 0.5 and below 1"),
        ("confidence", 95.0, "above 0.5 and below 1"),
        ("confidence", float("nan"), "above 0.5 and below 1"),
    ],
)
def test_a_bar_that_makes_no_sense_is_refused_by_name(name, value, allowed):
    with pytest.raises(ParameterError) as refusal:
        GateParameters(**{name: value})
    assert str(refusal.value) == f"Parameter `gate.{name}` is {value!r}; allowed: {allowed}."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_nwrmsle", 1e-9),
        ("min_r2_score", -100.0),
        ("min_r2_score", 0.999),
        ("champion_tolerance", 0.0),
        ("champion_tolerance", 1.0),
        ("max_slice_loss", 0.0),
        ("max_slice_loss", 1.0),
        ("confidence", 0.501),
        ("confidence", 0.999),
    ],
)
def test_a_bar_at_the_edge_of_what_is_allowed_is_kept(name, value):
    assert getattr(GateParameters(**{name: value}), name) == value


def test_a_bar_of_an_unknown_name_is_refused_with_the_one_that_was_meant():
    with pytest.raises(ParameterError, match="did you mean `max_nwrmsle`"):
        GateParameters(max_nwrmsl=0.5)


def test_the_bars_that_are_not_given_have_sensible_values():
    gate = GateParameters()
    assert 0 < gate.max_nwrmsle <= 1
    assert gate.champion_tolerance < gate.max_slice_loss
    assert gate.min_r2_score >= 0
    assert gate.confidence >= 0.9
