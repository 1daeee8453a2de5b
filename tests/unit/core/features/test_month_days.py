"""What a day of the month usually brings."""

from dataclasses import replace

import numpy as np
import pytest

from grocery_demand.core.features.month_days import MonthDays
from grocery_demand.core.panel import Panel
from worlds import make_panel

N_DAYS = 460


def make_steady_panel(on_the_first: float, n_days: int = N_DAYS) -> Panel:
    """Every series sells 9 units each day, so that 1+units are 10, and others on the first."""
    panel = make_panel(seed=4, n_days=n_days)
    is_first = panel.calendar.day_features()["day_of_month"][:n_days] == 1
    units = np.where(is_first, on_the_first, 9).astype(np.float32)
    return replace(
        panel,
        units=np.tile(units, (len(panel.series), 1)),
        open_days=np.ones_like(panel.open_days),
        series=panel.series.assign(first_sale=0),
    )


def profile_of(panel: Panel, day: int = N_DAYS - 1) -> np.ndarray:
    return MonthDays.of(panel, [day]).at(day)


def test_a_payday_lies_above_the_weeks_around_it():
    found = profile_of(make_steady_panel(on_the_first=14))
    np.testing.assert_allclose(found[:, 0], np.log(15 / 10), atol=1e-6)
    # Of other days it is one of the eight that they are held against.
    assert (np.abs(found[:, 1:]) <= np.log(15 / 10) / 8 + 1e-6).all()


def test_a_day_of_the_month_moves_by_a_factor_of_e_at_most():
    found = profile_of(make_steady_panel(on_the_first=9_999))
    np.testing.assert_allclose(found[:, 0], 1)


def test_the_last_four_weeks_do_not_count():
    panel = make_steady_panel(on_the_first=9)
    units = panel.units.copy()
    units[:, -1] += 50
    day_of_month = int(panel.calendar.day_features()["day_of_month"][N_DAYS - 1])
    found = profile_of(replace(panel, units=units))
    assert (found[:, day_of_month - 1] == 0).all()
    assert (found < 0).any()


def test_a_cutoff_that_was_not_asked_for_is_refused():
    months = MonthDays.of(make_panel(seed=4, n_days=N_DAYS), [N_DAYS - 1])
    with pytest.raises(ValueError, match="cutoff 300"):
        months.at(300)


@pytest.mark.parametrize(("n_days", "is_known"), [(167 + 28, False), (168 + 28, True)])
def test_what_fewer_than_six_months_tell_is_unknown(n_days, is_known):
    """The panel begins on 1 June: the fifteenth comes five or six times up to four weeks ago."""
    panel = make_steady_panel(on_the_first=14, n_days=n_days)
    found = profile_of(panel, n_days - 1)
    assert np.isfinite(found[:, 14]).all() == is_known


def test_one_cutoff_among_others_says_what_it_says_alone():
    panel = make_panel(seed=6, n_days=1_000)
    cutoffs = [430, 437, 999]
    together = MonthDays.of(panel, cutoffs)
    for cutoff in cutoffs:
        np.testing.assert_array_equal(together.at(cutoff), profile_of(panel, cutoff))
