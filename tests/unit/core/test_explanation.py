"""What moved a forecast adds up to it."""

import numpy as np
import pytest

from grocery_demand.core.explanation import ALL_DRIVERS, RECENT, SIMILAR, Explanation, driver_of
from grocery_demand.core.features import FEATURE_SETS, MOVING_AVERAGE
from grocery_demand.core.models import fit_model
from worlds import SMALL_MODELS


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(3)
    matrix = source.normal(2, 1, (600, 4)).astype(np.float32)
    matrix[source.random(600) < 0.1, 1] = np.nan
    target = matrix[:, 0] + 0.8 * (matrix[:, 2] > 2) + source.normal(0, 0.1, 600)
    return matrix, np.maximum(target, 0).astype(np.float32)


NAMES = (MOVING_AVERAGE, "mean_7_relative", "onpromotion", "store_nbr")


def explain(rows, names=NAMES, **more):
    matrix, target = rows
    weight, settings = np.ones(len(target), np.float32), SMALL_MODELS["lightgbm"] | more
    model = fit_model("lightgbm", names, matrix, target, weight, settings, 1)
    return model, Explanation.of(model)


@pytest.mark.parametrize("n_boosters", [1, 3])
def test_contributions_add_up_to_the_forecast(rows, n_boosters):
    more = {"rows_to_stand_alone": 600 * n_boosters, "feature_fraction": 0.6}
    model, explanation = explain(rows, **more)
    assert len(model.boosters) == n_boosters
    moved = explanation.contributions(rows[0]).sum(axis=1)
    expected = np.maximum(rows[0][:, 0] + explanation.expected + moved, 0)
    np.testing.assert_allclose(model.predict(rows[0]), expected, rtol=1e-5, atol=1e-6)


def test_a_feature_moves_its_own_group_only(rows):
    _, explanation = explain(rows)
    moved = explanation.contributions(rows[0])
    used = {ALL_DRIVERS[i] for i in np.flatnonzero(np.abs(moved).sum(axis=0))}
    assert "promotion" in used
    assert used <= {"promotion", "store", RECENT}


def test_a_promotion_that_raises_sales_is_said_to_raise_them(rows):
    _, explanation = explain(rows)
    promoted, not_promoted = rows[0][:1].repeat(2, axis=0)
    promoted[2], not_promoted[2] = 3, 1
    moved = explanation.contributions(np.stack([promoted, not_promoted]))
    promotion = moved[:, ALL_DRIVERS.index("promotion")]
    assert promotion[0] > promotion[1]


def test_trees_of_one_leaf_move_nothing(rows):
    matrix, _ = rows
    model, explanation = explain((matrix, np.ones(len(matrix), np.float32)), ("a", "b", "c", "d"))
    assert (explanation.contributions(matrix[:5]) == 0).all()
    np.testing.assert_allclose(model.predict(matrix[:5]), explanation.expected, rtol=1e-5)


def test_models_without_trees_of_ours_are_not_explained(rows):
    matrix, target = rows
    weight = np.ones(len(target), np.float32)
    other = fit_model("decision_tree", NAMES, matrix, target, weight, {"max_depth": 2}, 1)
    assert Explanation.of(other) is None


def test_every_feature_has_a_group_of_its_meaning():
    groups = {name: driver_of(name) for name in FEATURE_SETS["full"]}
    assert set(groups.values()) == set(ALL_DRIVERS)
    assert groups["class_store_mean_28"] == groups["item_weekday_mean"] == SIMILAR
    assert groups["promotions_28"] == groups["mean_promoted_relative"] == "promotion"
    assert groups["moving_average"] == groups["change_7_28"] == RECENT
