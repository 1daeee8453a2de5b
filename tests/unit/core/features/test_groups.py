"""Groups of series: sums that add up."""

import numpy as np
import pandas as pd

from grocery_demand.core.features.groups import count_in_groups, group_codes


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
    assert codes["item"].tolist() == [0, 1, 0, 2]
    assert codes["class_store"].tolist() == [0, 0, 1, 2]
    assert codes["family_store"].tolist() == [0, 0, 1, 1]


def test_the_count_of_a_group_counts_its_members_only():
    values = np.array([[1, 0, 1, 1]], np.uint8)
    members = np.array([True, True, False, False])
    count, size = count_in_groups(values, members, np.array([0, 0, 0, 1]))
    np.testing.assert_array_equal(count, [[1, 0]])
    np.testing.assert_array_equal(size, [2, 0])
