"""Scores worked out by hand, and by loops that spell out their formulas."""

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from grocery_demand.core.metrics import (
    bias,
    coverage,
    log1p_units,
    nwrmsle,
    pinball_loss,
    r2_score,
    wape,
)

LN2 = math.log(2)


def make_sales(seed: int = 0, n_rows: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return units with zeros and returns, forecasts of them (some below zero), and weights."""
    source = np.random.default_rng(seed)
    actual = np.round(source.lognormal(1, 1, n_rows)) * (source.random(n_rows) < 0.7)
    actual[source.random(n_rows) < 0.05] *= -1
    forecast = source.lognormal(1, 1, n_rows) - 0.5
    return actual, forecast, source.choice([1.0, 1.25], n_rows)


def test_nwrmsle_weighs_the_squared_errors_of_the_logarithms():
    actual, forecast = np.array([0.0, 3.0]), np.array([1.0, 0.0])
    weight = np.array([1.25, 1.0])
    expected = math.sqrt((1.25 * LN2**2 + 1.0 * (2 * LN2) ** 2) / 2.25)
    assert nwrmsle(actual, forecast, weight) == pytest.approx(expected)


def test_nwrmsle_equals_a_naive_loop():
    actual, forecast, weight = make_sales()
    squares = weights = 0.0
    for units, guess, w in zip(actual, forecast, weight, strict=True):
        squares += w * (math.log(1 + max(guess, 0)) - math.log(1 + max(units, 0))) ** 2
        weights += w
    assert nwrmsle(actual, forecast, weight) == pytest.approx(math.sqrt(squares / weights))


def test_nwrmsle_of_a_perfect_forecast_is_zero():
    actual, _, weight = make_sales()
    assert nwrmsle(actual, actual, weight) == 0


def test_nwrmsle_counts_units_below_zero_as_zero():
    weight = np.ones(2)
    assert nwrmsle(np.array([-5.0, 0.0]), np.array([0.0, -3.0]), weight) == 0
    with_returns = nwrmsle(np.array([-5.0, 3.0]), np.array([1.0, -1.0]), weight)
    assert with_returns == nwrmsle(np.array([0.0, 3.0]), np.array([1.0, 0.0]), weight)


def test_nwrmsle_depends_on_the_ratio_of_the_weights_alone():
    actual, forecast, weight = make_sales()
    one, other = (nwrmsle(actual, forecast, w) for w in (weight, 8 * weight))
    assert other == pytest.approx(one)


def test_nwrmsle_is_the_unweighted_error_where_all_weights_are_equal():
    actual, forecast, _ = make_sales()
    error = sklearn_metrics.root_mean_squared_log_error(np.maximum(actual, 0), forecast.clip(0))
    assert nwrmsle(actual, forecast, np.full(len(actual), 1.25)) == pytest.approx(error)


def test_r2_is_the_share_of_the_spread_that_the_forecast_explains():
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    assert r2_score(actual, np.array([1.0, 2.0, 3.0, 5.0])) == pytest.approx(1 - 1 / 5)
    assert r2_score(actual, actual) == 1
    assert r2_score(actual, np.full(4, 2.5)) == 0
    assert r2_score(actual, actual[::-1]) == pytest.approx(1 - 20 / 5)


def test_r2_equals_that_of_scikit_learn():
    actual, forecast, _ = make_sales()
    expected = sklearn_metrics.r2_score(actual, forecast)
    assert r2_score(actual, forecast) == pytest.approx(expected)


@pytest.mark.parametrize("actual", [[0.0, 0.0, 0.0], [7.0, 7.0, 7.0], [3.0]])
def test_r2_is_unknown_where_the_actual_is_constant(actual):
    assert math.isnan(r2_score(np.array(actual), np.full(len(actual), 2.0)))


def test_r2_takes_whole_numbers_of_small_types():
    actual = np.array([0, 100, 200], np.uint8)
    assert r2_score(actual, np.array([0, 100, 250], np.uint8)) == pytest.approx(1 - 2500 / 20_000)


def test_wape_and_bias_are_shares_of_all_units_sold():
    actual, forecast = np.array([4.0, 0.0, 6.0]), np.array([5.0, 1.0, 3.0])
    assert wape(actual, forecast) == pytest.approx(5 / 10)
    assert bias(actual, forecast) == pytest.approx(-1 / 10)


def test_wape_and_bias_equal_naive_loops():
    actual, forecast, _ = make_sales()
    pairs = list(zip(actual, forecast, strict=True))
    sold = sum(units for units, _ in pairs)
    assert wape(actual, forecast) == pytest.approx(sum(abs(f - a) for a, f in pairs) / sold)
    assert bias(actual, forecast) == pytest.approx(sum(f - a for a, f in pairs) / sold)


def test_bias_is_above_zero_for_forecasts_too_high_and_below_for_those_too_low():
    actual = np.array([2.0, 8.0])
    assert bias(actual, 1.5 * actual) == pytest.approx(0.5)
    assert bias(actual, 0.5 * actual) == pytest.approx(-0.5)
    assert bias(actual, actual[::-1]) == 0


def test_wape_and_bias_take_returns_off_the_units_sold():
    actual, forecast = np.array([5.0, -1.0]), np.array([4.0, 0.0])
    assert wape(actual, forecast) == pytest.approx(2 / 4)
    assert bias(actual, forecast) == 0


@pytest.mark.parametrize("score", [wape, bias])
@pytest.mark.parametrize("actual", [[0.0, 0.0], [3.0, -3.0]])
def test_wape_and_bias_are_unknown_where_nothing_was_sold(score, actual):
    assert math.isnan(score(np.array(actual), np.array([1.0, 2.0])))


def test_wape_and_bias_never_wrap_around_in_small_types():
    actual, forecast = np.array([200, 100], np.uint8), np.array([100, 200], np.uint8)
    assert wape(actual, forecast) == pytest.approx(200 / 300)
    assert bias(actual, forecast) == 0


def test_wape_and_bias_lose_no_unit_of_large_single_precision_totals():
    actual = np.array([2**24, 1, 1], np.float32)
    assert wape(actual, np.zeros(3, np.float32)) == 1
    assert bias(actual, np.zeros(3, np.float32)) == -1


@pytest.mark.parametrize(
    ("level", "forecast", "loss"),
    [(0.9, 8, 1.8), (0.9, 12, 0.2), (0.1, 8, 0.2), (0.1, 12, 1.8), (0.5, 7, 1.5), (0.5, 10, 0)],
)
def test_pinball_loss_charges_each_side_by_the_level(level, forecast, loss):
    assert pinball_loss(np.array([10]), np.array([forecast]), level) == pytest.approx(loss)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_pinball_loss_equals_that_of_scikit_learn(level):
    actual, forecast, _ = make_sales()
    expected = sklearn_metrics.mean_pinball_loss(actual, forecast, alpha=level)
    assert pinball_loss(actual, forecast, level) == pytest.approx(expected)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_no_constant_has_a_lower_pinball_loss_than_the_quantile_itself(level):
    actual = np.random.default_rng(1).gamma(2, 3, 101)
    least = pinball_loss(actual, np.full(101, np.quantile(actual, level)), level)
    losses = [pinball_loss(actual, np.full(101, units), level) for units in np.linspace(0, 20, 401)]
    assert min(losses) >= least - 1e-12


def test_pinball_loss_never_wraps_around_in_small_types():
    assert pinball_loss(np.array([1], np.uint8), np.array([3], np.uint8), 0.9) == pytest.approx(0.2)


def test_coverage_counts_both_bounds_in():
    actual = np.array([1.0, 3.0, 2.0, 0.9, 3.1])
    assert coverage(actual, np.full(5, 1.0), np.full(5, 3.0)) == pytest.approx(3 / 5)


def test_coverage_is_one_of_what_is_always_between_and_zero_of_what_never_is():
    actual = np.array([1.0, 2.0])
    assert coverage(actual, actual, actual) == 1
    assert coverage(actual, actual + 1, actual + 2) == 0


def test_logarithms_of_units_are_exact_and_never_below_zero():
    units = np.array([-2.0, 0.0, 1.0, np.e - 1], np.float32)
    found = log1p_units(units)
    np.testing.assert_allclose(found, [0, 0, LN2, 1], rtol=1e-7)
    assert found.dtype == np.float64
