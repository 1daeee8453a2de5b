"""What holds of the quantiles and intervals of every model, whatever errors it made."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grocery_demand.core.intervals import INTERVAL, QUANTILES, Intervals
from grocery_demand.core.spread import SPREAD_FEATURES

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]

many = settings(max_examples=20)
seeds = st.integers(0, 10_000)


def make_known(source: np.random.Generator, step: np.ndarray) -> np.ndarray:
    """Return the features of the spread of each row; some are unknown."""
    others = source.gamma(2, 0.3, (len(step), len(SPREAD_FEATURES) - 1))
    others[source.random(others.shape) < 0.1] = np.nan
    return np.column_stack([step, others]).astype(np.float32)


@st.composite
def backtests(draw: st.DrawFn) -> Rows:
    """Draw actual and forecast (both as ln(1+units)) and known features of a backtest's rows.

    Units may be intermittent and heavy-tailed, forecasts biased, tied or exact, steps left out.
    """
    source = np.random.default_rng(draw(seeds))
    n_rows = draw(st.sampled_from([1, 2, 30, 299, 300, 1200, 2400]))
    forecast = source.gamma(draw(st.sampled_from([0.3, 2.0])), 1, n_rows)
    spread = draw(st.sampled_from([0.0, 1e-9, 0.3, 3.0]))
    error = source.standard_t(3, n_rows) * spread + draw(st.sampled_from([-2.0, 0.0, 0.5]))
    actual = np.maximum(forecast + error, 0) * (source.random(n_rows) < draw(st.floats(0, 1)))
    if draw(st.booleans()):
        forecast = np.round(forecast)
    steps = draw(st.lists(st.integers(1, 30), min_size=1, max_size=8))
    return actual, forecast, make_known(source, source.choice(steps, n_rows))


@st.composite
def wanted_rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw forecasts and known features of rows to give quantiles for."""
    pairs = st.tuples(st.floats(0, 12, width=32), st.integers(1, 366))
    forecast, step = np.array(draw(st.lists(pairs, min_size=1, max_size=20))).T
    return forecast, make_known(np.random.default_rng(draw(seeds)), step)


def make_continuous(seed: int, n_rows: int) -> Rows:
    """Return rows with normal errors and no two forecasts alike."""
    source = np.random.default_rng(seed)
    forecast = source.gamma(2, 1, n_rows)
    actual = np.maximum(forecast + source.normal(0, 1, n_rows), 0)
    return actual, forecast, make_known(source, source.integers(1, 17, n_rows))


@many
@given(backtests(), wanted_rows())
def test_quantiles_never_cross_and_are_never_below_zero(backtest, wanted):
    found = Intervals.fit(*backtest).predict(*wanted)
    assert found.shape == (len(wanted[0]), len(QUANTILES) + len(INTERVAL))
    assert (np.diff(found[:, :3], axis=1) >= 0).all()
    assert (found >= 0).all()
    assert np.isfinite(found).all()


@many
@given(backtests(), wanted_rows())
def test_an_interval_holds_the_middle_quantile(backtest, wanted):
    _, middle, _, low, high = Intervals.fit(*backtest).predict(*wanted).T
    assert (low <= middle).all()
    assert (middle <= high).all()


@many
@given(backtests(), wanted_rows(), st.floats(0.2, 0.25))
def test_what_leaves_out_a_fifth_or_more_lies_between_the_outer_quantiles(backtest, wanted, tail):
    lowest, _, highest, low, high = Intervals.fit(*backtest, tails=[tail]).predict(*wanted).T
    assert (lowest <= low).all()
    forecast = wanted[0].astype(np.float32)
    assert (high <= np.where(low > 0, highest, np.maximum(highest, forecast))).all()


@many
@given(backtests(), wanted_rows())
def test_an_interval_from_zero_holds_the_forecast(backtest, wanted):
    *_, low, high = Intervals.fit(*backtest).predict(*wanted).T
    assert (high >= wanted[0].astype(np.float32))[low == 0].all()


@many
@given(backtests(), wanted_rows())
def test_intervals_stay_the_same_through_json(backtest, wanted):
    intervals = Intervals.fit(*backtest)
    restored = Intervals.from_dict(json.loads(json.dumps(intervals.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(restored.predict(*wanted), intervals.predict(*wanted))


@many
@given(backtests(), wanted_rows())
def test_steps_beyond_those_learnt_are_like_the_last(backtest, wanted):
    last = backtest[2][:, 0].max()
    forecast, known = wanted
    beyond, of_last = known.copy(), known.copy()
    beyond[:, 0] += last
    of_last[:, 0] = last
    intervals = Intervals.fit(*backtest)
    np.testing.assert_array_equal(
        intervals.predict(forecast, beyond), intervals.predict(forecast, of_last)
    )


@many
@given(backtests(), wanted_rows())
def test_a_row_has_the_same_quantiles_alone_and_among_others(backtest, wanted):
    intervals = Intervals.fit(*backtest)
    together = intervals.predict(*wanted)
    for i, (forecast, known) in enumerate(zip(*wanted, strict=True)):
        alone = intervals.predict(np.array([forecast]), known[None])
        np.testing.assert_array_equal(alone[0], together[i])


@many
@given(seeds, st.sampled_from([1, 40, 199]), wanted_rows())
def test_of_few_rows_a_higher_forecast_has_higher_quantiles(seed, n_rows, wanted):
    """They know one spread and one bin alone."""
    forecast, known = wanted
    quantiles = Intervals.fit(*make_continuous(seed, n_rows)).predict(np.sort(forecast), known)
    assert (np.diff(quantiles, axis=0) >= 0).all()


@many
@given(seeds, st.sampled_from([40, 400]), st.floats(0.1, 10), wanted_rows())
def test_errors_stretched_by_a_factor_stretch_the_interval_by_it(seed, n_rows, factor, wanted):
    actual, forecast, known = make_continuous(seed, n_rows)
    one = Intervals.fit(actual, forecast, known, tails=[0.2])
    other = Intervals.fit(forecast + factor * (actual - forecast), forecast, known, tails=[0.2])
    high = wanted[0] + 1000, wanted[1]
    widths = [np.ptp(intervals.predict(*high), axis=1) for intervals in (one, other)]
    np.testing.assert_allclose(widths[1], factor * widths[0], rtol=0.1, atol=0.01)


@many
@given(seeds, wanted_rows())
def test_the_order_of_rows_of_different_forecasts_does_not_matter(seed, wanted):
    actual, forecast, known = make_continuous(seed, 150)
    order = np.random.default_rng(seed).permutation(150)
    one = Intervals.fit(actual, forecast, known)
    other = Intervals.fit(actual[order], forecast[order], known[order])
    np.testing.assert_allclose(other.predict(*wanted), one.predict(*wanted), rtol=1e-4, atol=1e-5)


@many
@given(seeds, st.sampled_from([150, 900]))
def test_four_fifths_of_the_rows_learnt_from_lie_in_the_interval(seed, n_rows):
    _, forecast, known = make_continuous(seed, n_rows)
    forecast = forecast + 50
    actual = forecast + np.random.default_rng(seed).normal(0, 1 + known[:, 0] / 16)
    low, high = Intervals.fit(actual, forecast, known).predict(forecast, known)[:, 3:].T
    inside = (actual >= low) & (actual <= high)
    assert inside.mean() == pytest.approx(0.8, abs=0.05)


def make_counts(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the chance of a day without a sale and the mean of the others, and counts of units.

    Units are zero with some chance, else one more than a geometric number; at most 80 % are zero.
    """
    source = np.random.default_rng(seed)
    unsold = source.uniform(0, 0.8, n_rows)
    mean = 1 + source.gamma(1, 6, n_rows)
    counts = np.where(source.random(n_rows) < unsold, 0, source.geometric(1 / mean))
    return unsold, mean, counts


def chance_of(
    low: np.ndarray, high: np.ndarray, unsold: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    """Return the chance that such counts lie from `low` to `high`, both included, exactly."""

    def up_to(count: np.ndarray) -> np.ndarray:
        sold = 1 - (1 - 1 / mean) ** np.maximum(count, 0)
        return np.where(count < 0, 0, unsold + (1 - unsold) * sold)

    return up_to(np.floor(high)) - up_to(np.ceil(low) - 1)


@settings(max_examples=5)
@given(seeds)
def test_of_counts_with_days_without_a_sale_four_fifths_lie_in_the_interval(seed):
    """The chance of each count is known, so that the coverage is, too, but for what was learnt."""
    unsold, mean, counts = make_counts(seed, 20_000)
    forecast = (1 - unsold) * np.log1p(mean)
    known = np.column_stack([np.ones(20_000), *[1 - unsold] * (len(SPREAD_FEATURES) - 1)])
    known = known.astype(np.float32)
    intervals = Intervals.fit(np.log1p(counts), forecast, known)
    low, high = np.expm1(intervals.predict(forecast, known)[:, 3:].astype(float)).T
    covered = chance_of(low, high, unsold, mean)
    assert 0.78 <= covered.mean() <= 0.82
    for least, most in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)):
        assert 0.7 <= covered[(unsold >= least) & (unsold < most)].mean() <= 0.9


@given(backtests(), wanted_rows())
def test_without_a_spread_the_errors_are_taken_as_they_are(backtest, wanted):
    intervals = replace(Intervals.fit(*backtest), spread=None)
    forecast, known = wanted
    shifts = intervals.predict(forecast + 1000, known) - (forecast[:, None] + 1000)
    columns = [0, 1, 2, 3, 5]
    lowest, highest = (limit(intervals.errors, axis=0)[columns] for limit in (np.min, np.max))
    assert (shifts >= lowest - 1e-3).all()
    assert (shifts <= highest + 1e-3).all()
