"""Settings that a library does not accept, or would ignore, are refused before any fit."""

from pathlib import Path

import pytest
import yaml

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.models.settings import require_settings

CONF = Path(__file__).parents[4] / "conf/base/parameters.yml"
GIVEN = yaml.safe_load(CONF.read_text())["model_settings"]


@pytest.mark.parametrize("name", [*GIVEN, "moving_average"])
def test_the_settings_of_the_project_are_accepted(name):
    require_settings(name, GIVEN.get(name, {}))


def test_other_names_that_lightgbm_knows_are_accepted():
    require_settings("lightgbm", {"n_estimators": 5, "reg_alpha": 0.5, "subsample": 0.5})


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("lightgbm", {"n_estimators": -3}, r"n_estimators` is -3; allowed: a whole number from 1"),
        ("lightgbm", {"rows_to_trust": 0}, r"rows_to_trust` is 0"),
        ("lightgbm", {"rows_to_stand_alone": 0.5}, r"rows_to_stand_alone` is 0\.5"),
        ("lightgbm", {"n_trees": 10}, r"n_trees` is no parameter of this model.* n_estimators"),
        ("lightgbm", {"learningrate": 0.1}, r"did you mean `learning_rate`"),
        ("lightgbm", {"learning_rate": "abc"}, r"model_settings\.lightgbm`.*abc"),
        ("lightgbm", {"bagging_fraction": 2.0}, r"bagging_fraction\) <= \(1\.0\)"),
        ("random_forest", {"foo": 3}, r"model_settings\.random_forest`.*'foo'"),
        ("random_forest", {"n_estimators": 0}, r"'n_estimators'.*Got 0"),
        ("adaboost", {"max_depth": -1}, r"'max_depth'.*Got -1"),
    ],
)
def test_what_cannot_be_used_is_named(name, wrong, told):
    with pytest.raises(ParameterError, match=told):
        require_settings(name, GIVEN[name] | wrong)
