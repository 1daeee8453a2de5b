"""A wrong parameter says which, what and what is allowed."""

import dataclasses

import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import GroceryDemandError, ParameterError
from grocery_demand.core.parameters import parameters, require, require_choice, suggestion


@parameters("shop")
class ShopParameters:
    """One field of each kind."""

    name: str
    area: float = 10.0
    shelves: int = 3
    is_open: bool = True
    sizes: list[int] = dataclasses.field(default_factory=list)
    colours: dict[str, str] = dataclasses.field(default_factory=dict)
    owner: str | None = None


def test_defaults_fill_what_is_not_given():
    shop = ShopParameters(name="corner")
    assert (shop.area, shop.shelves, shop.sizes) == (10.0, 3, [])


def test_a_whole_number_where_a_float_is_asked_for_becomes_one():
    area = ShopParameters(name="corner", area=4).area
    assert (area, type(area)) == (4.0, float)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"shelves": True},
            "Parameter `shop.shelves` is True (bool); allowed: a value of type int",
        ),
        ({"shelves": "3"}, "Parameter `shop.shelves` is '3' (str); allowed: a value of type int"),
        ({"shelves": 3.0}, "`shop.shelves` is 3.0 (float); allowed: a value of type int"),
        ({"area": "wide"}, "`shop.area` is 'wide' (str); allowed: a value of type float"),
        ({"area": True}, "`shop.area` is True (bool); allowed: a value of type float"),
        ({"is_open": 1}, "`shop.is_open` is 1 (int); allowed: a value of type bool"),
        ({"name": None}, "`shop.name` is None (NoneType); allowed: a value of type str"),
        (
            {"sizes": "12"},
            "`shop.sizes` is '12' (str); allowed: a value of type list, such as [12]",
        ),
        ({"colours": ["red"]}, "`shop.colours` is ['red'] (list); allowed: a value of type dict"),
        ({"owner": 5}, "`shop.owner` is 5 (int); allowed: a value of type str or NoneType"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(values, said):
    with pytest.raises(ParameterError) as refusal:
        ShopParameters(**{"name": "corner"} | values)
    assert said in str(refusal.value)


def test_an_unknown_name_is_refused_with_the_name_that_was_meant():
    with pytest.raises(ParameterError) as refusal:
        ShopParameters(name="corner", shelfs=4)
    assert str(refusal.value) == (
        "Unknown parameter `shop.shelfs` (did you mean `shelves`?). Known in `shop`: "
        "name, area, shelves, is_open, sizes, colours, owner."
    )


def test_a_name_like_no_other_is_refused_without_a_guess():
    with pytest.raises(ParameterError, match=r"`shop\.zzz`\. Known in `shop`"):
        ShopParameters(name="corner", zzz=4)


def test_a_missing_parameter_is_named_with_the_place_to_set_it():
    with pytest.raises(ParameterError, match=r"`shop\.name` is missing; set it in conf/base"):
        ShopParameters()


def test_parameters_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ShopParameters(name="corner").shelves = 9


def test_a_changed_copy_is_checked_as_well():
    shop = ShopParameters(name="corner")
    assert dataclasses.replace(shop, shelves=4).shelves == 4
    with pytest.raises(ParameterError):
        dataclasses.replace(shop, shelves="4")


def test_a_parameter_error_is_one_that_the_user_can_mend():
    assert issubclass(ParameterError, GroceryDemandError)


def test_a_condition_that_does_not_hold_says_what_is_allowed():
    require(True, "shop.shelves", 3, "a positive number")
    with pytest.raises(ParameterError) as refusal:
        require(False, "shop.shelves", -3, "a positive number")
    assert str(refusal.value) == "Parameter `shop.shelves` is -3; allowed: a positive number."


def test_a_choice_that_is_none_lists_the_choices():
    require_choice("shop.colour", "red", ["red", "blue"])
    with pytest.raises(ParameterError, match=r"allowed: red, blue \(did you mean `red`\?\)"):
        require_choice("shop.colour", "rad", ["red", "blue"])


def test_a_word_far_from_all_known_gets_no_suggestion():
    assert suggestion("xylophone", ["red", "blue"]) == ""


def test_the_shipped_defaults_of_training_are_allowed():
    assert TrainingParameters().model == "lightgbm"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": "lightgmb"}, "did you mean `lightgbm`?"),
        ({"feature_set": "fall"}, "allowed: full, workshop"),
        ({"horizon": 0}, "`training.horizon` is 0; allowed: a whole number from 1 to 366"),
        ({"horizon": 367}, "a whole number from 1 to 366"),
        ({"backtest_folds": 0}, "training.backtest_folds"),
        ({"max_training_rows": 10}, "a whole number from 1000 to"),
        ({"max_training_cutoffs": 0}, "training.max_training_cutoffs"),
        ({"min_training_cutoffs": 0}, "training.min_training_cutoffs"),
        ({"seed": -1}, "training.seed"),
    ],
)
def test_a_value_that_makes_no_sense_for_training_is_refused(values, said):
    with pytest.raises(ParameterError) as refusal:
        TrainingParameters(**values)
    assert said in str(refusal.value)
