import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grocery_demand.core.monitoring.distance import (
    count_bins,
    find_edges,
    largest_gap,
    stability_index,
)

counts = arrays(float, 5, elements=st.integers(1, 1000).map(float))


@given(counts, counts)
def test_the_index_is_the_sum_over_bins_and_symmetric(first, second):
    p, q = first / first.sum(), second / second.sum()
    expected = sum((a - b) * np.log(a / b) for a, b in zip(p, q, strict=True))
    assert stability_index(second, first) == pytest.approx(expected, abs=1e-12)
    assert stability_index(first, second) == pytest.approx(expected, abs=1e-12)


@given(counts, st.integers(2, 100))
def test_the_index_of_the_same_distribution_is_zero(some, factor):
    assert stability_index(some, some * factor) == pytest.approx(0, abs=1e-12)


def test_an_empty_bin_does_not_make_the_index_infinite():
    assert np.isfinite(stability_index(np.array([1.0, 0.0]), np.array([1.0, 1.0])))


def test_bins_hold_the_values_between_edges_and_unknown_ones_last():
    found = count_bins(np.array([0.0, 1.0, 1.5, 2.0, 9.0, np.nan]), np.array([1.0, 2.0]))
    assert found.tolist() == [2, 2, 1, 1]


def test_edges_divide_into_even_parts():
    values = np.random.default_rng(1).normal(size=10_000)
    assert count_bins(values, find_edges(values))[:-1] == pytest.approx(np.full(10, 1000), rel=0.01)
    assert len(find_edges(np.full(3, np.nan))) == 0


def test_the_largest_gap_is_that_of_the_distribution_functions():
    source = np.random.default_rng(2)
    first, second = source.normal(size=70), source.normal(0.5, size=90)
    expected = max(abs((first <= x).mean() - (second <= x).mean()) for x in (*first, *second))
    assert largest_gap(np.append(first, np.nan), second) == pytest.approx(expected)
    assert np.isnan(largest_gap(np.array([np.nan]), second))
