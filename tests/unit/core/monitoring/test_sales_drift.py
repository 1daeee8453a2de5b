from dataclasses import replace

import numpy as np
import pytest

from calm_sales import N_DAYS, calm_panel
from grocery_demand.core.monitoring.sales_drift import check_sales_drift, measure_sales_drift
from grocery_demand.core.panel import Panel

WEEKS_SINCE = 4


def drift_of(panel: Panel) -> dict[str, str]:
    cutoff = str(panel.date_of(panel.n_days - 1 - 7 * WEEKS_SINCE))
    table = measure_sales_drift(panel, np.arange(len(panel.series)), cutoff, 0.25)
    return dict(zip(table["column"], table["state"], strict=True))


def change(panel: Panel, rows, factor: float, days=slice(-7 * WEEKS_SINCE, None)) -> Panel:
    units = panel.units.copy()
    units[np.ix_(rows, np.arange(panel.n_days)[days])] *= factor
    return replace(panel, units=units)


@pytest.mark.parametrize("seed", range(5))
def test_calm_sales_do_not_drift(seed):
    assert set(drift_of(calm_panel(seed)).values()) == {"ok"}


def test_a_family_that_takes_over_is_found_and_named():
    panel = calm_panel()
    moved = change(panel, np.flatnonzero(panel.series["family"] == "EGGS"), 6)
    assert drift_of(moved)["family"] == "alarm"
    assert drift_of(moved)["store_nbr"] == "ok"


def test_a_store_that_takes_over_is_found():
    panel = calm_panel()
    moved = change(panel, np.flatnonzero(panel.series["store_nbr"] == 3), 8)
    assert drift_of(moved)["store_nbr"] == "alarm"


def test_levels_that_change_everywhere_are_found():
    panel = calm_panel()
    assert drift_of(change(panel, np.arange(120), 3))["unit_sales"] == "alarm"


def test_promotions_that_multiply_are_found():
    panel = calm_panel()
    promotions = panel.promotions.copy()
    promotions[:, panel.n_days - 7 * WEEKS_SINCE : panel.n_days] |= (
        np.random.default_rng(1).random((120, 7 * WEEKS_SINCE)) < 0.5
    )
    assert drift_of(replace(panel, promotions=promotions))["onpromotion"] == "alarm"


def test_what_came_a_year_ago_at_the_same_time_is_no_drift():
    panel = calm_panel()
    rows = np.flatnonzero(panel.series["family"] == "EGGS")
    days = N_DAYS - 7 * WEEKS_SINCE
    once = change(panel, rows, 6)
    each_year = change(once, rows, 6, slice(days - 364, N_DAYS - 364))
    assert drift_of(once)["family"] == "alarm"
    assert drift_of(each_year)["family"] == "ok"


def test_series_that_the_model_never_saw_are_counted():
    panel = calm_panel()
    first_sale = panel.series["first_sale"].to_numpy().copy()
    first_sale[:40] = N_DAYS - 10
    units = panel.units.copy()
    units[:40, : N_DAYS - 10] = 0
    new = replace(panel, units=units, series=panel.series.assign(first_sale=first_sale))
    assert drift_of(new)["new series"] == "alarm"
    # Items 100 … 119 are sold by the other four stores for long.
    assert drift_of(new)["new items"] == "ok"


def test_items_that_no_store_ever_sold_are_counted():
    panel = calm_panel()
    new = panel.series["item_nbr"].to_numpy() < 104
    first_sale = np.where(new, N_DAYS - 10, 0)
    units = panel.units.copy()
    units[new, : N_DAYS - 10] = 0
    found = replace(panel, units=units, series=panel.series.assign(first_sale=first_sale))
    table = measure_sales_drift(found, np.arange(120), str(found.cutoff - 28), 0.25)
    share = units[new, -28:].sum() / units[:, -28:].sum()
    for name in ("new series", "new items"):
        row = table.filter(column=name).to_dicts()[0]
        assert row["value"] == pytest.approx(share)
        assert (row["state"], row["statistic"]) == ("alarm", "share")


@pytest.mark.parametrize("column", ["class", "perishable"])
def test_a_mix_of_classes_or_of_what_perishes_that_changes_is_found(column):
    """Not by family: each of them holds both values alike."""
    panel = calm_panel()
    half = (panel.series["item_nbr"].to_numpy() // 4) % 2
    panel = replace(panel, series=panel.series.assign(**{column: half}))
    assert drift_of(panel)[column] == "ok"
    moved = drift_of(change(panel, np.flatnonzero(half), 6))
    assert moved[column] == "alarm"
    assert moved["family"] == "ok"


def test_nothing_is_said_before_a_week_has_passed():
    panel = calm_panel()
    table = measure_sales_drift(panel, np.arange(120), str(panel.date_of(N_DAYS - 5)), 0.25)
    assert table.is_empty()
    assert check_sales_drift(table)[0].state == "unknown"


def test_little_history_warns_at_most():
    panel = calm_panel().until(7 * 14 - 1)
    moved = change(panel, np.flatnonzero(panel.series["family"] == "EGGS"), 6)
    assert drift_of(moved)["family"] == "watch"


def without_sales(panel: Panel, days: slice) -> Panel:
    units = panel.units.copy()
    units[:, days] = 0
    return replace(panel, units=units)


def weeks_ago(first: int, last: int) -> slice:
    return slice(N_DAYS - 7 * first, N_DAYS - 7 * last)


@pytest.mark.parametrize(
    "gap",
    [weeks_ago(57, 51), weeks_ago(WEEKS_SINCE + 9, WEEKS_SINCE), weeks_ago(24, 18)],
    ids=["a year ago", "before the training", "in between"],
)
def test_weeks_without_any_sale_in_the_past_hide_no_change(gap):
    panel = without_sales(calm_panel(), gap)
    assert drift_of(panel)["family"] == "ok"
    moved = change(panel, np.flatnonzero(panel.series["family"] == "EGGS"), 6)
    assert drift_of(moved)["family"] == "alarm"


def test_a_gap_in_the_past_does_not_forget_what_history_did():
    panel = calm_panel()
    eggs = np.flatnonzero(panel.series["family"] == "EGGS")
    for start in range(0, 72, 16):
        panel = change(panel, eggs, 6, weeks_ago(start + 8, start))
    assert drift_of(panel)["family"] == "ok"
    assert drift_of(without_sales(panel, weeks_ago(17, 4)))["family"] == "ok"


def test_nothing_sold_any_more_is_unknown():
    panel = without_sales(calm_panel(), weeks_ago(WEEKS_SINCE, 0))
    found = drift_of(panel)
    assert found["family"] == "unknown"
    assert found["sold at all"] == "alarm"


def test_the_furthest_column_is_one_whose_index_is_known():
    panel = without_sales(calm_panel(), weeks_ago(WEEKS_SINCE, 0))
    cutoff = str(panel.date_of(panel.n_days - 1 - 7 * WEEKS_SINCE))
    check = check_sales_drift(measure_sales_drift(panel, np.arange(120), cutoff, 0.25))[0]
    assert check.state == "alarm"
    assert np.isfinite(check.value)


def naive_index(found: list[float], reference: list[float]) -> float:
    total = 0.0
    for counted, expected in zip(found, reference, strict=True):
        p, q = max(counted / sum(found), 1e-4), max(expected / sum(reference), 1e-4)
        total += (p - q) * np.log(p / q)
    return total


def test_the_index_is_the_nearer_of_the_weeks_before_and_those_a_year_earlier():
    panel = change(calm_panel(), np.arange(20), 2)
    cutoff = panel.n_days - 1 - 7 * WEEKS_SINCE

    def sold(first: int, n_weeks: int) -> list[float]:
        days = slice(first, first + 7 * n_weeks)
        stores = range(1, 7)
        return [float(panel.units[panel.series["store_nbr"] == s, days].sum()) for s in stores]

    newest = sold(cutoff + 1, WEEKS_SINCE)
    before, year_ago = sold(cutoff + 1 - 56, 8), sold(cutoff + 1 - 364, WEEKS_SINCE)
    table = measure_sales_drift(panel, np.arange(120), str(panel.date_of(cutoff)), 0.25)
    expected = min(naive_index(newest, before), naive_index(newest, year_ago))
    assert table.filter(column="store_nbr")["value"].item() == pytest.approx(expected)


def test_a_model_trained_on_later_sales_than_there_are_says_nothing():
    panel = calm_panel()
    later = str(panel.date_of(N_DAYS + 30))
    assert measure_sales_drift(panel, np.arange(120), later, 0.25).is_empty()


@pytest.mark.parametrize("weeks", [1, 4])
def test_a_wrong_day_is_left_out_with_its_weekday(weeks):
    panel = calm_panel()
    eggs, wrong = np.flatnonzero(panel.series["family"] == "EGGS"), panel.n_days - 3
    moved = change(panel, eggs, 1000, slice(wrong, wrong + 1))
    cutoff = str(panel.date_of(panel.n_days - 1 - 7 * weeks))
    without, with_it = (
        measure_sales_drift(moved, np.arange(120), cutoff, 0.25, days)
        for days in ([str(panel.date_of(wrong))], [])
    )
    assert set(without["state"]) == {"ok"}
    assert set(with_it.filter(column="family")["state"]) == {"alarm"}
    told = check_sales_drift(without, [str(panel.date_of(wrong))])[0].detail
    assert told.endswith(f"that they are wrong: {panel.date_of(wrong)}.")


def test_the_same_weekdays_are_compared_if_some_are_left_out():
    panel = change(calm_panel(), np.arange(20), 2)
    cutoff = panel.n_days - 1 - 7 * WEEKS_SINCE
    wrong = [cutoff + 3, cutoff + 13, cutoff + 10]

    def sold(first: int, n_weeks: int) -> list[float]:
        days = [first + i for i in range(7 * n_weeks) if i % 7 not in (2, 5)]
        stores = range(1, 7)
        return [float(panel.units[panel.series["store_nbr"] == s][:, days].sum()) for s in stores]

    newest = sold(cutoff + 1, WEEKS_SINCE)
    before, year_ago = sold(cutoff + 1 - 56, 8), sold(cutoff + 1 - 364, WEEKS_SINCE)
    dates = [str(panel.date_of(day)) for day in wrong]
    table = measure_sales_drift(panel, np.arange(120), str(panel.date_of(cutoff)), 0.25, dates)
    expected = min(naive_index(newest, before), naive_index(newest, year_ago))
    assert table.filter(column="store_nbr")["value"].item() == pytest.approx(expected)


def test_a_window_whose_every_weekday_is_wrong_says_nothing():
    panel = calm_panel()
    wrong = [str(panel.date_of(panel.n_days - 1 - i)) for i in range(7)]
    cutoff = str(panel.date_of(panel.n_days - 8))
    table = measure_sales_drift(panel, np.arange(120), cutoff, 0.25, wrong)
    assert table.is_empty()
    assert check_sales_drift(table, wrong)[0].state == "unknown"


def test_wrong_days_before_the_newest_window_are_history():
    panel = calm_panel()
    cutoff = str(panel.date_of(panel.n_days - 1 - 7 * WEEKS_SINCE))
    earlier = [str(panel.date_of(panel.n_days - 40))]
    tables = [measure_sales_drift(panel, np.arange(120), cutoff, 0.25, d) for d in ((), earlier)]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize("left", [0, 0.05])
def test_a_holiday_on_which_nearly_all_were_closed_hides_no_change_of_weekdays(left):
    calm = calm_panel(2)
    units, open_days = calm.units.copy(), calm.open_days.copy()
    for day in (N_DAYS - 200, N_DAYS - 193):
        units[:, day] *= left
        open_days[:, day] = left > 0
    shifted = units.copy()
    shifted[:, -7:-5] *= 3
    cutoff = str(calm.date_of(N_DAYS - 8))
    tables = [
        measure_sales_drift(
            replace(calm, units=u, open_days=open_days), np.arange(120), cutoff, 0.25
        )
        for u in (units, shifted)
    ]
    rows = [table.filter(column="weekday").to_dicts()[0] for table in tables]
    assert [row["state"] for row in rows] == ["ok", "alarm"]
    assert rows[0]["threshold"] < 0.2


@pytest.mark.parametrize("left", [0, 0.05])
def test_a_holiday_of_late_is_no_change_of_weekdays(left):
    calm = calm_panel(2)
    units, open_days = calm.units.copy(), calm.open_days.copy()
    units[:, -3] *= left
    open_days[:, -3] = left > 0
    cutoff = str(calm.date_of(N_DAYS - 8))
    panel = replace(calm, units=units, open_days=open_days)
    table = measure_sales_drift(panel, np.arange(120), cutoff, 0.25)
    assert table.filter(column="weekday")["state"].to_list() == ["ok"]


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_a_weekday_that_always_sells_little_is_looked_at_like_any_other(share):
    calm = calm_panel(2)
    units = calm.units.copy()
    units[:, (N_DAYS - 3) % 7 :: 7] *= share
    grown = units.copy()
    grown[:, N_DAYS - 3] *= 12
    cutoff = str(calm.date_of(N_DAYS - 8))
    tables = [
        measure_sales_drift(replace(calm, units=u), np.arange(120), cutoff, 0.25)
        for u in (units, grown)
    ]
    rows = [table.filter(column="weekday").to_dicts()[0] for table in tables]
    assert [row["state"] for row in rows] == ["ok", "alarm"]
