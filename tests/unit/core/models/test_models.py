"""Every model by name: fits, forecasts, is kept as plain files, and is the same again."""

import numpy as np
import pytest

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.models import (
    BASELINES,
    MODELS,
    PointModel,
    feature_names_of,
    fit_model,
    needs_fitting,
    restore_model,
)
from grocery_demand.core.models.fit_plan import count_boosters, draw_fewer_rows, trust_in
from grocery_demand.core.models.scikit_learn import SCIKIT_MODELS
from worlds import SMALL_MODELS

NAMES = ("step", "weekday", MOVING_AVERAGE, "mean_7", "item_nbr")
LEARNERS = [name for name in MODELS if needs_fitting(name)]


def make_rows(n_rows: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make rows of the shape that training gives: column-major, with unknowns."""
    source = np.random.default_rng(seed)
    matrix = np.asfortranarray(source.normal(1, 1, (n_rows, len(NAMES))).astype(np.float32))
    matrix[source.random(matrix.shape) < 0.1] = np.nan
    matrix[:, 2] = np.abs(np.nan_to_num(matrix[:, 2]))
    target = np.maximum(matrix[:, 2] + 0.3 * source.normal(size=n_rows), 0).astype(np.float32)
    return matrix, target, np.where(source.random(n_rows) < 0.3, 1.25, 1).astype(np.float32)


def fit(name: str, seed: int = 7) -> PointModel:
    names = NAMES if needs_fitting(name) else (name,)
    return fit_model(name, names, *make_rows(), SMALL_MODELS[name], seed)


def read_columns(model: PointModel, matrix: np.ndarray) -> np.ndarray:
    return matrix[:, : len(model.feature_names)]


@pytest.mark.parametrize("name", MODELS)
def test_forecasts_are_float32_and_never_below_zero(name):
    matrix = read_columns(fit(name), make_rows(seed=1)[0])
    if name in BASELINES:
        matrix = np.abs(np.nan_to_num(matrix))
    forecast = fit(name).predict(matrix)
    assert forecast.dtype == np.float32
    assert forecast.shape == (len(matrix),)
    assert (forecast >= 0).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_what_was_learnt_is_better_than_the_mean(name):
    matrix, target, _ = make_rows(seed=1)
    error = np.mean((fit(name).predict(matrix) - target) ** 2)
    assert error < 0.6 * np.var(target)


@pytest.mark.parametrize("name", MODELS)
def test_fitting_twice_gives_the_same_bytes(name):
    assert fit(name).to_files() == fit(name).to_files()


@pytest.mark.parametrize("name", ["lightgbm", "random_forest", "gradient_boosting"])
def test_another_seed_gives_another_model(name):
    settings = SMALL_MODELS[name] | {"lightgbm": {"feature_fraction": 0.5}}.get(name, {})
    one, other = (fit_model(name, NAMES, *make_rows(), settings, seed) for seed in (1, 2))
    assert one.to_files() != other.to_files()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_restored_from_its_files_forecasts_the_same_and_has_the_same_bytes(name):
    model = fit(name)
    restored = restore_model(name, model.feature_names, model.to_files())
    matrix = read_columns(model, make_rows(seed=1)[0])
    np.testing.assert_array_equal(restored.predict(matrix), model.predict(matrix))
    np.testing.assert_array_equal(restored.importance(), model.importance())
    assert restored.to_files() == model.to_files()


@pytest.mark.parametrize("name", MODELS)
def test_a_row_is_forecast_alone_as_among_others(name):
    model = fit(name)
    matrix = read_columns(model, make_rows(seed=1)[0])
    together = model.predict(matrix)
    for row in (0, 7, len(matrix) - 1):
        assert model.predict(matrix[[row]]).tobytes() == together[[row]].tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_the_layout_of_the_matrix_in_memory_does_not_matter(name):
    model = fit(name)
    matrix = np.ascontiguousarray(read_columns(model, make_rows(seed=1)[0]))
    before = matrix.copy()
    np.testing.assert_array_equal(model.predict(matrix), model.predict(np.asfortranarray(matrix)))
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("name", MODELS)
def test_importances_are_shares_of_all_features(name):
    model = fit(name)
    importance = model.importance()
    assert importance.shape == (len(model.feature_names),)
    assert importance.sum() == pytest.approx(1)
    if name in SCIKIT_MODELS:
        assert NAMES[int(importance.argmax())] == MOVING_AVERAGE


def test_lightgbm_forecasts_the_same_from_any_number_of_cores():
    matrix = make_rows(seed=1)[0]
    forecasts = [
        fit_model(
            "lightgbm", NAMES, *make_rows(), SMALL_MODELS["lightgbm"] | {"num_threads": cores}, 7
        ).predict(matrix)
        for cores in (1, 2)
    ]
    np.testing.assert_array_equal(*forecasts)


def test_lightgbm_learns_the_difference_to_the_moving_average_where_it_knows_it():
    """So a level that no training row had is still forecast near."""
    matrix, target, weight = make_rows()
    model = fit("lightgbm")
    far = matrix[:50].copy()
    far[:, 2] += 10
    assert (model.predict(far) > 8).all()
    without = [i for i, name in enumerate(NAMES) if name != MOVING_AVERAGE]
    names = tuple(NAMES[i] for i in without)
    absolute = fit_model(
        "lightgbm", names, matrix[:, without], target, weight, SMALL_MODELS["lightgbm"], 7
    )
    assert absolute.predict(matrix[:50, without]).max() < 5


def test_settings_are_not_changed_by_fitting():
    for name in LEARNERS:
        settings = dict(SMALL_MODELS[name])
        fit_model(name, NAMES, *make_rows(), settings, 7)
        assert settings == SMALL_MODELS[name]


def test_a_baseline_reads_its_own_feature_and_others_the_set():
    assert feature_names_of("seasonal_naive", "full") == ("seasonal_naive",)
    assert "family" in feature_names_of("decision_tree", "workshop")
    assert "mean_7" not in feature_names_of("decision_tree", "workshop")


def test_a_model_text_that_is_damaged_or_reads_other_features_is_refused():
    files = fit("lightgbm").to_files()
    text = files["model.lgb"]
    with pytest.raises(ModelFileError, match="cannot be read by LightGBM"):
        restore_model("lightgbm", NAMES, {"model.lgb": text[:40]})
    with pytest.raises(ModelFileError, match=r"reads \d+ features, but 1 are named"):
        restore_model("lightgbm", NAMES[:1], files)


def test_of_many_rows_a_tree_is_given_so_many_as_are_allowed():
    few = {"bagging_fraction": 0.7, "max_rows_per_tree": 100, "max_bin": 63}
    assert draw_fewer_rows(few, 50) == {"bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 63}
    assert draw_fewer_rows(few, 400)["bagging_fraction"] == 0.25
    assert draw_fewer_rows({"max_rows_per_tree": 100}, 400)["bagging_fraction"] == 0.25
    assert draw_fewer_rows({"max_rows_per_tree": None, "num_leaves": 7}, 400) == {"num_leaves": 7}


def test_rows_are_drawn_for_several_trees_at_once_only_where_fewer_are_allowed():
    settings = {"bagging_fraction": 0.7, "bagging_freq": 2, "max_rows_per_tree": 100}
    settings["trees_per_draw"] = 5
    assert draw_fewer_rows(settings, 400) == {"bagging_fraction": 0.25, "bagging_freq": 5}
    assert draw_fewer_rows(settings, 140) == {"bagging_fraction": 0.7, "bagging_freq": 2}
    assert draw_fewer_rows({"trees_per_draw": 5, "bagging_freq": 2}, 400) == {"bagging_freq": 2}
    for unset in ({}, {"trees_per_draw": 0}):
        drawn = draw_fewer_rows({"bagging_freq": 2, "max_rows_per_tree": 100} | unset, 400)
        assert drawn == {"bagging_fraction": 0.25, "bagging_freq": 2}


def test_corrections_are_trusted_the_more_the_more_rows_they_were_learnt_from():
    assert [trust_in(n, 100) for n in (0, 50, 99, 100, 10**6)] == [0.6, 0.8, 0.996, 1, 1]
    assert trust_in(5, None) == 1


def test_of_few_rows_a_share_of_the_corrections_is_applied():
    rows = make_rows(600)
    base = rows[0][:, NAMES.index("moving_average")]
    full, shrunk = (
        fit_model("lightgbm", NAMES, *rows, SMALL_MODELS["lightgbm"] | more, 7).predict(rows[0])
        for more in ({}, {"rows_to_trust": 1200})
    )
    above = (full > 0) & (shrunk > 0)
    assert above.mean() > 0.5
    np.testing.assert_allclose((shrunk - base)[above], 0.8 * (full - base)[above], atol=1e-4)


def test_as_many_boosters_as_make_up_the_rows_are_averaged_three_at_most():
    counted = [count_boosters(n, 100) for n in (0, 1, 34, 49, 50, 99, 100, 10**6)]
    assert counted == [3, 3, 3, 3, 2, 2, 1, 1]
    assert count_boosters(5, None) == 1


def test_the_boosters_of_few_rows_forecast_their_mean():
    rows = make_rows(600)
    settings = SMALL_MODELS["lightgbm"] | {"bagging_fraction": 0.5, "bagging_freq": 1}
    alone = [fit_model("lightgbm", NAMES, *rows, settings, seed) for seed in (7, 8)]
    blended = fit_model("lightgbm", NAMES, *rows, settings | {"rows_to_stand_alone": 1200}, 7)
    first, second = (model.predict(rows[0]) for model in alone)
    above = np.minimum(first, second) > 0
    assert np.abs(first - second).mean() > 0.03
    mean = (first + second)[above] / 2
    np.testing.assert_allclose(blended.predict(rows[0])[above], mean, atol=1e-6)
    gains = sum(model.boosters[0].feature_importance("gain") for model in alone)
    np.testing.assert_allclose(blended.importance(), gains / gains.sum(), rtol=1e-6)
    restored = restore_model("lightgbm", NAMES, blended.to_files())
    np.testing.assert_array_equal(restored.predict(rows[0]), blended.predict(rows[0]))


def test_a_booster_that_is_missing_or_damaged_is_named():
    settings = SMALL_MODELS["lightgbm"] | {"rows_to_stand_alone": 10**6}
    files = fit_model("lightgbm", NAMES, *make_rows(600), settings, 7).to_files()
    assert list(files) == ["model.lgb", "model_2.lgb", "model_3.lgb"]
    with pytest.raises(ModelFileError, match=r"model_3\.lgb cannot be read"):
        restore_model("lightgbm", NAMES, files | {"model_3.lgb": files["model.lgb"][:40]})
    del files["model_2.lgb"]
    with pytest.raises(ModelFileError, match=r"model_2\.lgb is missing"):
        restore_model("lightgbm", NAMES, files)


@pytest.mark.parametrize("name", ["seed", "random_state"])
def test_a_seed_among_the_settings_is_the_one_that_is_used(name):
    settings = SMALL_MODELS["lightgbm"] | {"bagging_fraction": 0.5, "bagging_freq": 1}
    given, passed = (
        fit_model("lightgbm", NAMES, *make_rows(600), settings | more, seed).to_files()
        for more, seed in (({name: 99}, 7), ({}, 99))
    )
    assert given == passed


def test_fewer_rows_per_tree_give_the_model_of_the_smaller_fraction():
    fits = [
        fit_model("lightgbm", NAMES, *make_rows(), SMALL_MODELS["lightgbm"] | settings, 7)
        for settings in ({"max_rows_per_tree": 150}, {"bagging_fraction": 0.25, "bagging_freq": 1})
    ]
    strip = [fit.to_files()["model.lgb"].split(b"parameters:")[0] for fit in fits]
    assert strip[0] == strip[1]
