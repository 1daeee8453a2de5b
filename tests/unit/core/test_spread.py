"""The expected size of an error, learnt from errors whose size is known."""

import json

import numpy as np
import pytest

from grocery_demand.core.spread import SPREAD_FEATURES, Spread


def make_known(n_rows: int, **features: object) -> np.ndarray:
    """Return features that say nothing but what is given."""
    told = {"step": 1} | features
    columns = [np.broadcast_to(told.get(name, 0.5), n_rows) for name in SPREAD_FEATURES]
    return np.column_stack(columns).astype(np.float32)


def make_errors(size: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return errors on both sides, whose expected absolute value is the size."""
    return np.random.default_rng(seed).normal(0, size * np.sqrt(np.pi / 2))


def spread_at(spread: Spread, forecast: float = 1.0, **features: object) -> float:
    return float(spread.predict(np.array([forecast]), make_known(1, **features))[0])


def test_of_few_rows_the_spread_is_the_mean_absolute_error_of_all():
    error = np.array([-3.0, -1.0, 0.0, 4.0])
    spread = Spread.fit(error, np.array([0.0, 1, 5, 9]), make_known(4, step=[1, 2, 3, 16]))
    for forecast, step in ((0.0, 1), (9.0, 16), (99.0, 366)):
        assert spread_at(spread, forecast, step=step) == pytest.approx(2)


@pytest.mark.parametrize("feature", ["forecast", *SPREAD_FEATURES])
def test_the_spread_follows_each_feature_that_tells_of_it(feature):
    values = np.tile([1.0, 2.0, 4.0], 2000)
    forecast, known = np.ones(6000), make_known(6000)
    if feature == "forecast":
        forecast = values
    else:
        known = make_known(6000, **{feature: values})
    spread = Spread.fit(make_errors(values / 4), forecast, known)
    found = [spread_at(spread, **{feature: value}) for value in (1.0, 2.0, 4.0)]
    assert found == pytest.approx([0.25, 0.5, 1.0], rel=0.1)


def test_days_ahead_beyond_those_learnt_are_like_the_last():
    step = np.tile(np.arange(1, 17), 250)
    spread = Spread.fit(make_errors(0.1 * step), np.ones(4000), make_known(4000, step=step))
    assert spread_at(spread, step=16) > 2 * spread_at(spread, step=2)
    for later in (17, 60, 366):
        assert spread_at(spread, step=later) == spread_at(spread, step=16)


def test_the_spread_is_never_below_a_tenth_of_the_mean():
    steady = np.repeat([0.0, 1.0], 500)
    error = np.repeat([0.0, 2.0], 500)
    spread = Spread.fit(error, np.ones(1000), make_known(1000, deviation_28=steady))
    assert spread_at(spread, deviation_28=0.0) == pytest.approx(0.1)
    assert spread_at(spread, deviation_28=1.0) == pytest.approx(2, rel=0.05)


def test_where_no_error_was_ever_made_the_spread_is_still_above_zero():
    spread = Spread.fit(np.zeros(300), np.ones(300), make_known(300))
    assert 0 < spread_at(spread) <= 1e-6


def test_a_series_of_which_nothing_is_known_has_a_spread():
    unrest = np.where(np.arange(2000) % 4 == 0, np.nan, 0.5)
    error = make_errors(np.where(np.isnan(unrest), 2.0, 0.5))
    spread = Spread.fit(error, np.ones(2000), make_known(2000, deviation_28=unrest))
    assert spread_at(spread, deviation_28=np.nan) == pytest.approx(2, rel=0.2)
    assert spread_at(spread, deviation_28=0.5) == pytest.approx(0.5, rel=0.2)


def test_the_sign_of_the_errors_does_not_matter():
    step = np.tile([1, 2], 500)
    error, known = make_errors(0.5 * step), make_known(1000, step=step)
    one, other = (Spread.fit(e, np.ones(1000), known) for e in (error, -error))
    assert one == other


def test_the_same_errors_give_the_same_spread_again_also_through_json():
    step = np.tile(np.arange(1, 17), 100)
    error, known = make_errors(0.1 * step), make_known(1600, step=step)
    one, again = (Spread.fit(error, np.ones(1600), known) for _ in range(2))
    restored = Spread(**json.loads(json.dumps(one.to_dict(), allow_nan=False)))
    assert one == again == restored
    for spread in (again, restored):
        np.testing.assert_array_equal(
            spread.predict(np.ones(1600), known), one.predict(np.ones(1600), known)
        )


def test_of_very_many_rows_a_share_is_learnt_from_that_follows_no_pattern_of_theirs():
    """Every second row has a large error, and rows come in periods of 16 steps."""
    n_rows = 1_600_000
    error = np.where(np.arange(n_rows) % 2 == 0, 1.0, 9.0)
    spread = Spread.fit(error, np.ones(n_rows), make_known(n_rows))
    assert spread_at(spread) == pytest.approx(5, rel=0.02)
    assert spread.least == pytest.approx(0.5)
