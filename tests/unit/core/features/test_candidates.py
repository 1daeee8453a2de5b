"""Features that are tried: equal to a plain loop, and blind to the future."""

import math

import numpy as np
import pytest

from grocery_demand.core.features import FEATURE_SETS, Ahead, Encoding, Snapshot
from grocery_demand.core.features.candidates import CANDIDATES
from worlds import make_panel, scramble_sales_after

STEPS = np.array([1, 5, 16, 17, 40])


def values_of(name, panel, day):
    rows = np.arange(len(panel.series))
    ahead = Ahead(rows, STEPS[None, :])
    found = CANDIDATES[name](Snapshot(panel, day), ahead)
    return np.broadcast_to(found, (len(rows), len(STEPS)))


def share_of_rivals(panel, day, row, step):
    series = panel.series
    rivals = [
        other
        for other in range(len(series))
        if other != row
        and series["class"][other] == series["class"][row]
        and series["store_nbr"][other] == series["store_nbr"][row]
        and series["first_sale"][other] <= day
    ]
    if not rivals:
        return math.nan
    if step > 16:
        return 0.0
    return sum(int(panel.promotions[other, day + step]) for other in rivals) / len(rivals)


@pytest.mark.parametrize("seed", [1, 2])
def test_rivals_on_promotion_equal_a_plain_loop(seed):
    panel = make_panel(seed=seed, n_stores=2, n_items=8)
    day = panel.n_days - 60
    expected = [
        [share_of_rivals(panel, day, row, step) for step in STEPS]
        for row in range(len(panel.series))
    ]
    found = values_of("rivals_on_promotion", panel, day)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.nanmax(found) > 0


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_ignores_all_sales_after_the_cutoff(name):
    panel = make_panel(seed=3, n_items=8)
    day = panel.n_days - 60
    changed = scramble_sales_after(panel, day)
    np.testing.assert_array_equal(values_of(name, panel, day), values_of(name, changed, day))


def test_a_snapshot_gives_candidates_beside_the_features_it_knows():
    panel = make_panel(seed=3, n_items=8)
    day = panel.n_days - 60
    names = (*FEATURE_SETS["full"], *CANDIDATES)
    encoding = Encoding.fit(panel.series)
    matrix = Snapshot(panel, day, CANDIDATES).features(encoding, STEPS, names)
    for name in CANDIDATES:
        expected = values_of(name, panel, day).ravel()
        np.testing.assert_array_equal(matrix[:, names.index(name)], expected)
        assert name not in FEATURE_SETS["full"]
