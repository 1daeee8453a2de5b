"""Groups summed up day by day say what their members' histories say, to the bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grocery_demand.core.features.group_days import GroupDays
from grocery_demand.core.features.groups import GROUPS, GroupSums, group_codes
from grocery_demand.core.features.history import summarise_history
from worlds import make_panel, panels


def check_all_groups(panel, cutoffs):
    by_day = GroupDays.of(panel, cutoffs, GROUPS)
    for cutoff in cutoffs:
        history, found = summarise_history(panel, cutoff), by_day.at(cutoff)
        assert set(found) == set(GROUPS)
        for name, code in group_codes(panel).items():
            expected = GroupSums.of(history, code)
            for field, values in vars(expected).items():
                np.testing.assert_array_equal(getattr(found[name], field), values, err_msg=name)


@given(panels(), st.data())
def test_groups_are_those_of_their_members_histories(panel, data):
    days = st.integers(0, panel.n_days - 1)
    check_all_groups(panel, data.draw(st.lists(days, min_size=1, max_size=4, unique=True)))


def test_groups_that_span_chunks_of_series_are_added_up_whole():
    panel = make_panel(seed=3, n_stores=3, n_items=220, n_days=600, n_planned_days=0)
    assert len(panel.series) > 4 * 128
    check_all_groups(panel, [599, 592, 300, 20])


def test_only_the_groupings_wanted_are_added_up():
    panel = make_panel(n_stores=2, n_items=2, n_days=30)
    assert set(GroupDays.of(panel, [20], ["item"]).at(20)) == {"item"}
