"""Which series a challenger takes: a share, by chance, for good."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from grocery_demand.core.rollout import Rollout, RolloutError, take_share

VERSIONS = st.integers(1, 10_000)
SHARES = st.floats(0.001, 1.0)


def rollout(version: int = 4, share: float = 0.1, mode: str = "canary") -> Rollout:
    return Rollout(version, None, mode, share, "2026-11-24T12:00:00+00:00")


def make_series(n_stores: int, n_items: int, first_item: int = 96_995) -> pd.DataFrame:
    stores, items = np.mgrid[1 : n_stores + 1, first_item : first_item + n_items]
    return pd.DataFrame({"store_nbr": stores.ravel(), "item_nbr": items.ravel()})


@settings(max_examples=60, derandomize=True)
@given(VERSIONS, SHARES, st.integers(1, 10**7))
def test_the_share_of_series_is_the_one_set_within_chance(version, share, first_item):
    series = make_series(20, 50, first_item)
    taken = int(take_share(series, rollout(version, share)).sum())
    low, high = binom.interval(1 - 1e-7, len(series), share)
    assert low <= taken <= high


@settings(max_examples=40, derandomize=True)
@given(VERSIONS, SHARES)
def test_a_series_stays_with_its_model_whatever_else_is_there(version, share):
    series = make_series(5, 40)
    taken = take_share(series, rollout(version, share))
    shuffled = series.sample(frac=1, random_state=version)
    again = take_share(shuffled[::2], rollout(version, share))
    np.testing.assert_array_equal(again, taken[shuffled.index[::2]])


@settings(max_examples=40, derandomize=True)
@given(VERSIONS, SHARES, SHARES)
def test_a_larger_share_keeps_the_series_of_a_smaller_one(version, one, other):
    series = make_series(5, 40)
    small, large = (take_share(series, rollout(version, s)) for s in sorted((one, other)))
    assert not (small & ~large).any()


def test_the_whole_share_takes_all_and_the_next_version_takes_others():
    series = make_series(20, 100)
    assert take_share(series, rollout(share=1.0)).all()
    both = take_share(series, rollout(4, 0.2)) & take_share(series, rollout(5, 0.2))
    low, high = binom.interval(1 - 1e-7, len(series), 0.04)
    assert low <= both.sum() <= high


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(RolloutError, match="above 0 and up to 1"):
        rollout(share=share)


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(RolloutError, match="shadow or canary, not blue-green"):
        rollout(mode="blue-green")
