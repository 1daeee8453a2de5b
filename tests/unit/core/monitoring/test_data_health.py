from dataclasses import replace

import numpy as np
import pytest

from calm_sales import calm_panel
from grocery_demand.core.monitoring.data_health import _volume_ratios, check_data_health
from grocery_demand.core.panel import Panel

CLEAN = {"files": [], "rows_read": 1000, "rows_quarantined": 0}


def states(panel: Panel, report: dict | None = None) -> dict[str, str]:
    return {check.name: check.state for check in check_data_health(panel, report)}


def close(panel: Panel, stores, days) -> Panel:
    open_days, units = panel.open_days.copy(), panel.units.copy()
    days = np.arange(panel.n_days)[days]
    open_days[np.ix_(stores, days)] = False
    units[np.ix_(np.flatnonzero(np.isin(panel.store_position, stores)), days)] = 0
    return replace(panel, open_days=open_days, units=units)


@pytest.mark.parametrize("seed", range(5))
def test_whole_sales_raise_nothing(seed):
    assert set(states(calm_panel(seed), CLEAN).values()) == {"ok"}


def test_a_day_without_any_sale_is_an_alarm():
    assert states(close(calm_panel(), range(6), slice(-3, -2)))["days without sales"] == "alarm"


def test_a_day_that_is_closed_each_year_is_none():
    panel = calm_panel()
    last = panel.n_days - 3
    year_ago = panel.day_of(str(panel.date_of(last)).replace("2017-", "2016-"))
    closed = close(panel, range(6), slice(last, last + 1))
    closed = close(closed, range(6), slice(year_ago, year_ago + 1))
    assert str(panel.date_of(last)).startswith("2017-")
    assert states(closed)["days without sales"] == "ok"


def test_stores_that_send_nothing_are_an_alarm_and_one_closed_for_days_is_watched():
    assert states(close(calm_panel(), [0, 1], slice(-1, None)))["stores gone silent"] == "alarm"
    many = close(calm_panel(), [5], slice(-2, None))
    assert states(many)["stores gone silent"] == "alarm"


def test_a_store_that_closed_for_good_is_forgotten():
    gone = close(calm_panel(), [5], slice(-60, None))
    assert states(gone)["stores gone silent"] == "ok"


def test_a_family_that_is_missing_is_an_alarm():
    panel = calm_panel()
    units = panel.units.copy()
    units[panel.series["family"] == "EGGS", -3:] = 0
    assert states(replace(panel, units=units))["families gone silent"] == "alarm"


def test_units_a_thousandfold_are_an_alarm_and_a_single_large_sale_is_none():
    panel = calm_panel()
    wrong, bulk = panel.units.copy(), panel.units.copy()
    wrong[panel.store_position == 2, -1] *= 1000
    bulk[0, -1] = 10_000
    assert states(replace(panel, units=wrong))["volume by store"] == "alarm"
    assert states(replace(panel, units=bulk))["volume by store"] == "ok"


def test_half_of_the_rows_missing_are_an_alarm():
    panel = calm_panel()
    units = panel.units.copy()
    units[np.flatnonzero(panel.store_position == 2)[::2], -1] = 0
    assert states(replace(panel, units=units))["volume by store"] == "alarm"


def test_refused_files_and_many_bad_rows_are_alarms():
    file = {"file": "train-2017-06-01.csv", "status": "refused", "reason": "no column date"}
    checks = check_data_health(calm_panel(), CLEAN | {"files": [file], "rows_quarantined": 20})
    found = {check.name: check for check in checks}
    assert found["files refused"].state == "alarm"
    assert "train-2017-06-01.csv" in found["files refused"].detail
    assert found["rows set aside"].state == "alarm"


def test_too_few_days_are_unknown():
    panel = calm_panel().until(20)
    assert [check.state for check in check_data_health(panel, None)] == ["unknown"]


@pytest.mark.parametrize("n_days", [35, 55, 56, 57, 62, 90])
def test_sales_of_some_weeks_are_checked_as_far_as_they_go(n_days):
    found = states(calm_panel().until(n_days - 1))
    assert found["volume by store"] == ("unknown" if n_days <= 56 else "ok")
    assert {found[name] for name in ("days without sales", "stores gone silent")} == {"ok"}


def naive_ratio(panel: Panel, store: int, day: int) -> float:
    def level(at: int) -> float:
        units = panel.units[panel.store_position == store, at]
        value = float(np.log1p(units).sum()) if panel.open_days[store, at] else 0.0
        return value if value > 0 else np.nan

    before = [level(day - 7 * week) for week in range(1, 9) if day >= 56]
    enough = np.isfinite(before).sum() >= 4
    return np.log(level(day) / np.nanmedian(before)) if enough else np.nan


def test_a_stores_level_is_held_against_its_weekdays_before_as_by_a_loop():
    panel = close(calm_panel().until(150), [1], slice(90, 140))
    found = _volume_ratios(panel)
    expected = [[naive_ratio(panel, store, day) for day in range(151)] for store in range(6)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(found[1, 143])
    assert np.isfinite(found[:, 60]).all()
