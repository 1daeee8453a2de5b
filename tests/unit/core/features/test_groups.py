"""Groups of series: sums that add up."""

import numpy as np
import pandas as pd

from grocery_demand.core.features.groups import add_up, group_codes


def test_series_share_a_group_where_its_columns_agree():
    series = pd.DataFrame(
        {
            "store_nbr": [1, 1, 2, 2],
            "item_nbr": [10, 20, 10, 30],
            "class": [7, 7, 7, 8],
            "family": ["A", "A", "A", "A"],
        }
    )
    codes = group_codes(series)
    assert codes["class_store"].tolist() == [0, 0, 1, 2]
    assert codes["family_store"].tolist() == [0, 0, 1, 1]


def test_values_add_up_within_each_group():
    values = np.array([[1, 2, 4, 8], [0, 1, 1, 1]])
    np.testing.assert_array_equal(add_up(values, np.array([0, 0, 0, 1])), [[7, 8], [2, 1]])
