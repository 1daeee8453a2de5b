"""Groups of series: sums that add up."""

import numpy as np

from grocery_demand.core.features.groups import add_up


def test_values_add_up_within_each_group():
    values = np.array([[1, 2, 4, 8], [0, 1, 1, 1]])
    np.testing.assert_array_equal(add_up(values, np.array([0, 0, 0, 1])), [[7, 8], [2, 1]])
