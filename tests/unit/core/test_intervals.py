"""Quantiles and intervals learnt from known errors."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from grocery_demand.core.intervals import INTERVAL, LEVELS, QUANTILES, Intervals
from grocery_demand.core.spread import SPREAD_FEATURES

ERRORS = np.linspace(-1, 1, 101)
"""Errors whose quantiles are known: −0.8, 0 and 0.8."""


def make_known(n_rows: int, **features: object) -> np.ndarray:
    """Return features of the spread that say nothing but what is given."""
    told = {"step": 1} | features
    columns = [np.broadcast_to(told.get(name, 0.5), n_rows) for name in SPREAD_FEATURES]
    return np.column_stack(columns).astype(np.float32)


def learn(error: np.ndarray, forecast: object = 5.0, **features: object) -> Intervals:
    forecast = np.broadcast_to(forecast, len(error)).astype(float)
    return Intervals.fit(forecast + error, forecast, make_known(len(error), **features))


def quantiles_of(intervals: Intervals, forecast: float, **features: object) -> np.ndarray:
    return predict(intervals, forecast, **features)[:3]


def interval_of(intervals: Intervals, forecast: float, **features: object) -> np.ndarray:
    return predict(intervals, forecast, **features)[3:]


def predict(intervals: Intervals, forecast: float, **features: object) -> np.ndarray:
    return intervals.predict(np.array([forecast]), make_known(1, **features))[0]


def make_errors(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return errors that are skewed and grow with forecast and step; forecasts; features."""
    source = np.random.default_rng(seed)
    forecast = source.gamma(2, 1, n_rows)
    step = source.integers(1, 17, n_rows)
    error = (source.gamma(2, 0.2, n_rows) - 0.4) * (0.5 + forecast) * np.sqrt(step)
    return error, forecast, make_known(n_rows, step=step)


def test_the_quantiles_are_named_by_their_levels():
    assert LEVELS == (0.1, 0.5, 0.9)
    assert QUANTILES == ("quantile_0.1", "quantile_0.5", "quantile_0.9")


def test_the_quantiles_are_the_forecast_and_the_quantiles_of_the_errors():
    np.testing.assert_allclose(quantiles_of(learn(ERRORS), 5.0), [4.2, 5, 5.8], rtol=1e-5)


def test_a_forecast_that_is_always_too_low_is_put_right():
    np.testing.assert_allclose(quantiles_of(learn(ERRORS + 2), 5.0), [6.2, 7, 7.8], rtol=1e-5)


def test_quantiles_below_no_units_are_none():
    np.testing.assert_allclose(quantiles_of(learn(ERRORS), 0.5), [0, 0.5, 1.3], rtol=1e-5)
    np.testing.assert_array_equal(quantiles_of(learn(ERRORS - 2), 0.5), [0, 0, 0])


def test_less_than_a_tenth_of_a_unit_is_none():
    never_wrong = learn(np.zeros(50))
    for units, expected in ((0.09, 0), (0.11, 0.11)):
        found = np.expm1(predict(never_wrong, np.log1p(units)))
        np.testing.assert_allclose(found, [expected] * 4 + [units], rtol=1e-5)


def test_an_interval_above_zero_leaves_out_a_tenth_on_each_side():
    np.testing.assert_allclose(interval_of(learn(ERRORS), 5.0), [4.2, 5.8], atol=0.02)


def test_an_interval_from_zero_leaves_out_a_fifth_above():
    """A tenth of the sales would lie below zero, were that possible."""
    actual = np.maximum(0.7 + ERRORS, 0)
    intervals = Intervals.fit(actual, np.full(101, 0.7), make_known(101))
    low, high = interval_of(intervals, 0.7)
    assert low == 0
    assert np.mean(actual <= high) == pytest.approx(0.8, abs=0.02)
    assert quantiles_of(intervals, 0.7)[2] == pytest.approx(1.5, abs=0.02)


def test_there_is_one_row_of_single_precision_per_forecast():
    found = learn(ERRORS).predict(np.array([1, 2, 3], np.float32), make_known(3, step=[1, 2, 9]))
    assert found.shape == (3, len(QUANTILES) + len(INTERVAL))
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("n_rows", "n_bins"), [(1, 1), (299, 1), (300, 2), (3599, 23), (3600, 24), (9000, 24)]
)
def test_there_are_as_many_bins_as_the_rows_allow(n_rows, n_bins):
    error, forecast, known = make_errors(0, n_rows)
    intervals = Intervals.fit(forecast + error, forecast, known)
    assert intervals.centres.shape == (n_bins,)
    assert intervals.errors.shape == (n_bins, len(intervals.levels))


def naive_quantiles(
    error: np.ndarray,
    forecast: np.ndarray,
    spread: np.ndarray,
    wanted: float,
    scale: float,
    levels: Sequence[float] = LEVELS,
) -> list[float]:
    """Return quantiles for one forecast of a given spread, by loops over bins and levels."""
    rows = sorted(zip(forecast, error / spread, strict=True))
    bins = np.array_split(np.array(rows), max(min(len(rows) // 150, 24), 1))
    centres = [np.median(part[:, 0]) for part in bins]
    quantiles = []
    for level in levels:
        shifts = [np.quantile(part[:, 1], level) for part in bins]
        after = sum(centre <= wanted for centre in centres)
        if after in (0, len(bins)):
            shift = shifts[0 if after == 0 else -1]
        else:
            way = (wanted - centres[after - 1]) / (centres[after] - centres[after - 1])
            shift = (1 - way) * shifts[after - 1] + way * shifts[after]
        units = np.expm1(wanted + scale * shift)
        quantiles.append(np.log1p(units) if units >= 0.1 else 0.0)
    return quantiles


@pytest.mark.parametrize("n_rows", [40, 1000, 5000])
def test_quantiles_and_interval_equal_those_of_a_naive_loop(n_rows):
    error, forecast, known = make_errors(1, n_rows)
    intervals = Intervals.fit(forecast + error, forecast, known)
    spread = intervals.spread.predict(forecast, known)
    for wanted in (0.0, 0.4, 1.0, 2.5, 9.0, 99.0):
        for step in (1, 16):
            scale = intervals.spread.predict(np.array([wanted]), make_known(1, step=step))[0]
            expected = naive_quantiles(error, forecast, spread, wanted, scale)
            found = quantiles_of(intervals, wanted, step=step)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
            for tail in (0.2, 0.24):
                given = Intervals.fit(forecast + error, forecast, known, (tail,))
                ends = (tail / 2, 1 - tail, 1 - tail / 2)
                low, *high = naive_quantiles(error, forecast, spread, wanted, scale, ends)
                expected = [low, high[0] if low == 0 else high[1]]
                found = interval_of(given, wanted, step=step)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_rows_of_equal_forecast_share_their_quantiles_in_whatever_order_they_come():
    generator = np.random.default_rng(5)
    forecast = np.full(1200, 5.0)
    error = generator.normal(0, np.repeat([0.5, 0.1], 600))
    known = make_known(1200)
    one = Intervals.fit(forecast + error, forecast, known)
    assert one.centres.tolist() == [5.0]
    *_, low, high = one.predict(forecast[:1], known[:1])[0]
    actual = forecast + error
    assert np.mean((actual >= low) & (actual <= high)) == pytest.approx(0.8, abs=0.01)


def test_small_and_large_forecasts_have_quantiles_of_their_own():
    """Both kinds of errors are of the same size, so that the spread cannot tell them apart."""
    forecast = np.repeat([2.0, 8.0], 150)
    intervals = learn(np.repeat([-1.0, 1.0], 150), forecast)
    for wanted, shift in ((0.5, -1), (2, -1), (3.5, -0.5), (5, 0), (6.5, 0.5), (8, 1), (50, 1)):
        expected = [max(wanted + shift, 0)] * 3
        np.testing.assert_allclose(quantiles_of(intervals, wanted), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("feature", SPREAD_FEATURES)
def test_where_errors_are_twice_as_large_the_interval_is_twice_as_wide(feature):
    values = np.repeat([1.0, 2.0], len(ERRORS))
    intervals = learn(values * np.tile(ERRORS, 2), **{feature: values})
    near, far = (np.ptp(quantiles_of(intervals, 5.0, **{feature: value})) for value in (1, 2))
    assert near == pytest.approx(1.6, rel=0.05)
    assert far == pytest.approx(3.2, rel=0.05)


def test_steps_beyond_those_learnt_have_the_quantiles_of_the_last():
    step = np.repeat([1.0, 2.0], len(ERRORS))
    intervals = learn(step * np.tile(ERRORS, 2), step=step)
    last = quantiles_of(intervals, 5.0, step=2)
    assert (last != quantiles_of(intervals, 5.0, step=1))[[0, 2]].all()
    for later in (3, 16, 366):
        np.testing.assert_array_equal(quantiles_of(intervals, 5.0, step=later), last)


def test_a_forecast_never_wrong_has_an_interval_of_no_width():
    np.testing.assert_array_equal(quantiles_of(learn(np.zeros(50)), 5.0), [5, 5, 5])


def test_intervals_that_are_not_known_yet_have_no_width():
    found = Intervals.unknown().predict(np.array([-0.5, 0, 3]), make_known(3, step=[1, 2, 366]))
    np.testing.assert_array_equal(found, [[0] * 5, [0] * 5, [3] * 5])


def test_four_fifths_of_later_sales_lie_in_the_interval_and_a_tenth_on_each_side():
    """Errors are continuous and exchangeable, so the shares are known but for chance."""
    error, forecast, known = make_errors(2, 20_000)
    forecast += 50
    past, later = slice(0, 10_000), slice(10_000, None)
    intervals = Intervals.fit((forecast + error)[past], forecast[past], known[past])
    quantiles = intervals.predict(forecast[later], known[later])[:, :3]
    below = (forecast + error)[later, None] <= quantiles
    np.testing.assert_allclose(below.mean(axis=0), LEVELS, atol=0.02)


@pytest.mark.parametrize("groups", ["by step", "by forecast"])
def test_the_interval_holds_for_each_step_and_each_size_of_forecast(groups):
    error, forecast, known = make_errors(3, 20_000)
    forecast += 50
    *_, low, high = Intervals.fit(forecast + error, forecast, known).predict(forecast, known).T
    inside = (forecast + error >= low) & (forecast + error <= high)
    values = known[:, 0] if groups == "by step" else forecast
    group = np.digitize(values, np.quantile(values, [0.25, 0.5, 0.75]))
    shares = [inside[group == i].mean() for i in range(4)]
    np.testing.assert_allclose(shares, 0.8, atol=0.03)


def test_intervals_written_as_json_and_read_again_are_the_same():
    error, forecast, known = make_errors(4, 1000)
    for intervals in (Intervals.fit(forecast + error, forecast, known), Intervals.unknown()):
        restored = Intervals.from_dict(json.loads(json.dumps(intervals.to_dict(), allow_nan=False)))
        assert restored.spread == intervals.spread
        np.testing.assert_array_equal(restored.centres, intervals.centres)
        np.testing.assert_array_equal(restored.errors, intervals.errors)
        np.testing.assert_array_equal(
            restored.predict(forecast, known), intervals.predict(forecast, known)
        )


@pytest.mark.parametrize(("n_unsold", "expected"), [(0, 0.8), (500, 0.79), (9000, 0.75)])
def test_series_that_surely_sell_nothing_narrow_the_other_intervals_within_limits(
    n_unsold, expected
):
    """Of 10,000 rows 8,000 are to be covered, and those without a sale are in any case."""
    error, forecast, known = make_errors(5, 10_000)
    forecast, actual = forecast + 50, forecast + 50 + error
    forecast[:n_unsold] = actual[:n_unsold] = 0
    low, high = Intervals.fit(actual, forecast, known).predict(forecast, known)[:, 3:].T
    inside = (actual >= low) & (actual <= high)
    assert inside[:n_unsold].all()
    assert inside[n_unsold:].mean() == pytest.approx(expected, abs=0.01)
