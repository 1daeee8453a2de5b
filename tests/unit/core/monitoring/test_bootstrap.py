import numpy as np
import pytest

from grocery_demand.core.monitoring.bootstrap import (
    Draws,
    compare_shares,
    group_series,
    nearest_index,
    set_threshold,
)
from grocery_demand.core.monitoring.distance import stability_index


def test_draws_are_the_same_each_time_and_draw_as_many_groups_as_there_are():
    one, again = Draws.make(25, 53), Draws.make(25, 53)
    np.testing.assert_array_equal(one.times, again.times)
    np.testing.assert_array_equal(one.which, again.which)
    assert set(one.times.sum(axis=1)) == {25}
    assert set(one.which) == set(range(53))


def test_a_draw_adds_its_groups_of_its_comparison_up_as_a_loop_does():
    counts = np.random.default_rng(0).random((4, 3, 5))
    draws = Draws.make(4, 3)
    expected = [
        sum(times[group] * counts[group, which] for group in range(4))
        for times, which in zip(draws.times, draws.which, strict=True)
    ]
    np.testing.assert_allclose(draws.sum_up(counts), expected)


def test_a_threshold_is_at_least_what_counts_as_no_change():
    assert set_threshold(np.full(500, 0.01), 0.1, 1.25) == 0.1
    assert set_threshold(np.array([np.nan, np.nan]), 0.1, 1.25) == 0.1
    assert set_threshold(np.full(500, 0.2), 0.1, 1.25) == pytest.approx(0.25)
    one_of_a_hundred = np.repeat([0.2, 0.4], [495, 5])
    assert set_threshold(one_of_a_hundred, 0.1, 1.25) == pytest.approx(0.5)


def test_history_that_never_moved_but_for_its_groups_gives_what_chance_makes_of_them():
    """Each group alike: nothing to draw. One group of another kind: draws differ."""
    alike = np.ones((25, 10, 2))
    uneven = alike.copy()
    uneven[0, :, 0] = 100
    found = []
    for counts in (alike, uneven):
        draws = Draws.make(25, 10)
        found.append(nearest_index([alike.sum(axis=0)[:1]], draws.sum_up(counts)).std())
    assert found[0] == 0
    assert found[1] > 0


def test_the_nearest_of_the_known_references_counts():
    found, near, far = np.array([[4.0, 6.0]]), np.array([[5.0, 5.0]]), np.array([[9.0, 1.0]])
    nothing = np.zeros((1, 2))
    assert nearest_index([far, near], found) == stability_index(near, found)
    assert nearest_index([far, nothing], found) == stability_index(far, found)
    assert np.isnan(nearest_index([nothing, nothing], found)).all()


def test_shares_that_lie_furthest_apart_count():
    reference, found = np.array([[1.0, 1.0, 2.0]]), np.array([[0.0, 4.0, 4.0]])
    assert compare_shares(reference, found) == pytest.approx(0.25)
    assert np.isnan(compare_shares(reference, np.zeros((1, 3)))).all()


@pytest.mark.parametrize("n_items", [25, 100, 200, 4096])
def test_groups_are_of_about_the_same_size_and_cut_across_items(n_items):
    positions = np.arange(10 * n_items)
    groups = group_series(positions)
    counts = np.bincount(groups, minlength=25)
    assert counts.min() > 0.6 * counts.mean()
    assert counts.max() < 1.6 * counts.mean()
    same_item = groups.reshape(10, n_items)
    assert np.mean([len(set(column)) for column in same_item.T]) > 6
