from dataclasses import replace

import numpy as np

from grocery_demand.core.late_days import merge_late_days, note_late_days, saw_other_sales
from small_sales import build

PANEL = build({(day, 1, 5): (1.0, None) for day in range(6)}, {})


def test_days_up_to_the_cutoff_are_late_and_later_ones_are_not():
    dates = [PANEL.date_of(day) for day in (7, 5, 2, 6)]
    assert note_late_days(PANEL, dates) == {"2017-01-03": "2017-01-06", "2017-01-06": "2017-01-06"}


def test_a_day_that_comes_again_counts_from_the_later_cutoff():
    former = {"2017-01-03": "2017-01-06", "2017-01-02": "2017-01-05"}
    merged = merge_late_days(former, {"2017-01-03": "2017-01-04", "2017-01-02": "2017-01-06"})
    assert list(merged.items()) == [("2017-01-02", "2017-01-06"), ("2017-01-03", "2017-01-06")]


def test_only_cutoffs_from_the_late_day_to_the_one_at_which_it_came_saw_other_sales():
    panel = replace(PANEL, late_days={"2017-01-03": "2017-01-05", "2017-01-01": "2017-01-01"})
    found = saw_other_sales(panel, np.arange(6))
    assert found.tolist() == [True, False, True, True, True, False]
