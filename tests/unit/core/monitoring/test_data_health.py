import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from calm_sales import calm_panel
from grocery_demand.core.monitoring.check import HEALTH, Check, list_wrong_days
from grocery_demand.core.monitoring.data_health import accept_days, check_data_health
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


def add_stores(panel: Panel, n_stores: int) -> Panel:
    """Return the panel with more stores that each sell a product of the first one's as it does."""
    known = len(panel.stores)
    numbers = known + 1 + np.arange(n_stores)
    rows = panel.series.iloc[[0] * n_stores].assign(store_nbr=numbers)
    return replace(
        panel,
        series=pd.concat([panel.series, rows], ignore_index=True),
        stores=pd.DataFrame({"store_nbr": [*panel.stores["store_nbr"], *numbers]}),
        units=np.concatenate([panel.units, np.repeat(panel.units[:1] + 1, n_stores, axis=0)]),
        promotions=np.concatenate([panel.promotions, panel.promotions[[0] * n_stores]]),
        open_days=np.concatenate([panel.open_days, panel.open_days[[0] * n_stores]]),
    )


@pytest.mark.parametrize("seed", range(5))
def test_whole_sales_raise_nothing(seed):
    assert set(states(calm_panel(seed), CLEAN).values()) == {"ok"}


def test_a_day_without_any_sale_is_an_alarm():
    panel = close(calm_panel(), range(6), slice(-3, -2))
    assert states(panel)["days without sales"] == "alarm"
    assert list_wrong_days(check_data_health(panel, None)) == [str(panel.cutoff - 2)]


def test_a_day_that_is_closed_each_year_is_none():
    panel = calm_panel()
    last = panel.n_days - 3
    year_ago = panel.day_of(str(panel.date_of(last)).replace("2017-", "2016-"))
    closed = close(panel, range(6), slice(last, last + 1))
    closed = close(closed, range(6), slice(year_ago, year_ago + 1))
    assert str(panel.date_of(last)).startswith("2017-")
    assert states(closed)["days without sales"] == "ok"


def test_stores_that_send_nothing_are_an_alarm_and_one_closed_for_days_is_watched():
    two = close(calm_panel(), [0, 1], slice(-1, None))
    assert states(two)["stores gone silent"] == "alarm"
    assert list_wrong_days(check_data_health(two, None)) == [str(two.cutoff)]
    many = close(calm_panel(), [5], slice(-2, None))
    assert states(many)["stores gone silent"] == "alarm"


def test_a_store_that_hardly_ever_misses_a_day_is_watched_until_its_days_come():
    many = add_stores(calm_panel(), 24)
    health = {c.name: c for c in check_data_health(many, None, n_new=10)}["stores gone silent"]
    assert (health.state, health.detail) == ("ok", "Stores that sold in the last 28 days: 30.")
    back = close(many, [29], slice(-4, -2))
    health = {c.name: c for c in check_data_health(back, None, n_new=10)}["stores gone silent"]
    assert (health.state, health.days) == ("watch", ())
    assert "store 30 (2 days)" in health.detail
    last = back.n_days - 4
    year_ago = back.day_of(str(back.date_of(last)).replace("2017-", "2016-"))
    yearly = close(back, [29], slice(year_ago, year_ago + 2))
    assert states(yearly)["stores gone silent"] == "ok"
    now_and_then = close(back, [29], slice(0, None, 20))
    assert states(now_and_then)["stores gone silent"] == "ok"


def test_a_large_store_that_misses_days_is_an_alarm_until_they_are_accepted():
    many = close(add_stores(calm_panel(), 24), [5], slice(-4, -2))
    found = check_data_health(many, None, n_new=10)
    health = large_stores(found)
    days = tuple(str(many.cutoff - back) for back in (3, 2))
    assert (health.state, health.days) == ("alarm", days)
    assert f"store 6 (2 days, first on {days[0]}; usually" in health.detail
    units = many.units[:, -10 - 28 : -10].sum(axis=1, dtype=float)
    share = units[many.store_position == 5].sum() / units.sum()
    assert health.value == pytest.approx(share)
    accepted = accept_days(found, "2017-01-01", {}, days)
    assert large_stores(accepted).state == "watch"


def large_stores(checks: list[Check]) -> Check:
    return next(check for check in checks if check.name == "large stores missing")


def test_many_silent_stores_do_not_hide_a_large_one():
    many = close(add_stores(calm_panel(), 24), range(6, 20), slice(-8, -7))
    found = check_data_health(close(many, [5], slice(-4, -2)), None, n_new=10)
    assert [check.days for check in found if check.state == "alarm"] == [
        (str(many.cutoff - 7),),
        (str(many.cutoff - 3), str(many.cutoff - 2)),
    ]


def test_a_large_store_that_opened_late_is_missed():
    late = close(close(calm_panel(), [5], slice(0, 300)), [5], slice(-2, None))
    assert str(late.date_of(300)) < "2016-11"
    assert large_stores(check_data_health(late, None, n_new=10)).state == "alarm"


def test_a_small_store_or_one_with_few_products_is_no_large_one():
    many = close(add_stores(calm_panel(), 24), [29], slice(-4, -2))
    assert large_stores(check_data_health(many, None, n_new=10)).state == "ok"
    calm = calm_panel()
    rows = np.flatnonzero((calm.store_position != 5) | (np.arange(len(calm.series)) % 5 == 0))
    few = close(calm.select(rows), [5], slice(-4, -2))
    assert np.bincount(few.store_position)[5] == 4
    assert large_stores(check_data_health(few, None, n_new=10)).state == "ok"


def test_a_large_store_that_stays_closed_is_accepted_by_its_first_day():
    shut = close(calm_panel(), [5], slice(-6, None))
    first = str(shut.cutoff - 5)
    assert large_stores(check_data_health(shut, None, n_new=10)).state == "alarm"
    assert large_stores(check_data_health(shut, None, n_new=10, accepted=[first])).state == "ok"


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
    of_earlier_version = CLEAN | {"files": [file], "rows_quarantined": 20}
    found = {check.name: check for check in check_data_health(calm_panel(), of_earlier_version)}
    assert found["files refused"].state == "alarm"
    assert "train-2017-06-01.csv" in found["files refused"].detail
    assert found["rows set aside"].state == "alarm"


def recent(name: str, day: str, aside: int) -> dict:
    counts = {"rows_read": 100, "rows_quarantined": aside}
    return {"table": "train", "file": name, "dates": [day]} | counts


def with_files(panel: Panel, files: list[dict]) -> Panel:
    """Return the panel as if it had taken these files in."""
    return replace(panel, taken_in={file["file"]: "0" * 64 for file in files})


def test_files_of_other_names_are_watched():
    report = CLEAN | {"other_files": ["Train-2017-06-06.csv"]}
    found = {c.name: c for c in check_data_health(calm_panel(), report)}["files refused"]
    assert (found.state, "Train-2017-06-06.csv" in found.detail) == ("watch", True)


def test_files_of_other_names_are_told_beside_those_refused():
    file = {"file": "train-2017-06-05.csv", "status": "refused", "reason": "no column date"}
    report = CLEAN | {"files": [file], "other_files": ["Train-2017-06-06.csv"]}
    found = {c.name: c for c in check_data_health(calm_panel(), report)}["files refused"]
    assert found.state == "alarm"
    assert "Train-2017-06-06.csv" in found.detail
    assert "train-2017-06-05.csv" in found.detail


def test_rows_set_aside_count_as_long_as_their_day_is_new():
    panel = calm_panel()
    days = [str(panel.date_of(panel.n_days - 20 + i)) for i in range(20)]
    files = [recent(f"train-{day}.csv", day, 12 * (i == 4)) for i, day in enumerate(days)]
    report, panel = CLEAN | {"recent_files": files}, with_files(panel, files)
    found = {n: check_data_health(panel, report, n_new=n) for n in (20, 16, 15, 3)}
    rows = {n: next(c for c in f if c.name == "rows set aside") for n, f in found.items()}
    assert {n: check.state for n, check in rows.items()} == {
        20: "alarm", 16: "alarm", 15: "ok", 3: "ok",
    }  # fmt: skip
    assert f"Too many of train-{days[4]}.csv (12.0%)." in rows[20].detail
    assert "12 of 2,000 new rows were set aside (0.60%), of 20 files." in rows[20].detail
    assert (rows[20].value, rows[15].value) == (0.12, 0.0)
    assert list_wrong_days(found[20]) == [days[4]]
    assert list_wrong_days(found[15]) == []


def test_a_few_rows_set_aside_of_a_small_file_make_no_day_wrong():
    panel = calm_panel()
    day = str(panel.date_of(panel.n_days - 2))
    states = {}
    for n_aside in (9, 10):
        files = [recent(f"train-{day}.csv", day, n_aside)]
        report = CLEAN | {"recent_files": files}
        found = check_data_health(with_files(panel, files), report, n_new=5)
        states[n_aside] = next(c for c in found if c.name == "rows set aside").state
    assert states == {9: "ok", 10: "alarm"}


def test_rows_of_files_that_are_no_longer_in_the_panel_do_not_count():
    panel = calm_panel()
    day = str(panel.date_of(panel.n_days - 2))
    plan = recent(f"test-{day}.csv", day, 12) | {"table": "test"}
    gone = [recent(f"train-{day}.csv", day, 12), plan]
    stays = recent("train-stays.csv", day, 0)
    report = CLEAN | {"recent_files": [*gone, stays]}
    found = {c.name: c for c in check_data_health(with_files(panel, [stays]), report, n_new=5)}
    assert found["rows set aside"].state == "ok"
    told = "0 of 100 new rows were set aside (0.00%), of 1 file."
    assert found["rows set aside"].detail == told
    plans = found["rows of the plan set aside"]
    assert (plans.state, plans.detail) == ("ok", "No plan was taken in yet.")


def test_too_few_days_are_unknown():
    panel = calm_panel().until(20)
    assert [check.state for check in check_data_health(panel, None)] == ["unknown"]


@pytest.mark.parametrize("n_days", [35, 55, 56, 57, 62, 63, 90])
def test_sales_of_some_weeks_are_checked_as_far_as_they_go(n_days):
    found = states(calm_panel().until(n_days - 1))
    assert found["volume by store"] == ("unknown" if n_days < 63 else "ok")
    assert {found[name] for name in ("days without sales", "stores gone silent")} == {"ok"}


def damaged(damage: str, day: int) -> Panel:
    panel = calm_panel()
    units = panel.units.copy()
    if damage == "a thousandfold in two of six stores":
        units[np.isin(panel.store_position, [1, 4]), day] *= 1000
    elif damage == "all doubled":
        units[:, day] *= 2
    elif damage == "two rows of five missing":
        units[np.flatnonzero(np.arange(120) % 5 < 2), day] = 0
    elif damage == "a family missing":
        units[(panel.series["family"] == "DAIRY").to_numpy(), day] = 0
    return replace(panel, units=units)


@pytest.mark.parametrize(
    ("damage", "check", "told"),
    [
        ("a thousandfold in two of six stores", "volume by store", "more"),
        ("all doubled", "volume of all sales", "all stores .* more units"),
        ("two rows of five missing", "volume of all sales", "all stores .* fewer "),
        ("a family missing", "volume by family", "DAIRY .* fewer rows"),
    ],
)
def test_a_wrong_day_is_an_alarm_until_it_is_corrected_or_learnt_from(damage, check, told):
    panel = damaged(damage, -20)
    checks = check_data_health(panel, None, n_new=25)
    found = {c.name: c for c in checks}[check]
    assert found.state == "alarm"
    assert list_wrong_days(checks) == [str(panel.date_of(panel.n_days - 20))]
    assert re.search(told, found.detail)
    assert str(panel.date_of(panel.n_days - 20)) in found.detail
    assert {c.state for c in check_data_health(calm_panel(), None, n_new=25)} == {"ok"}
    assert {c.state for c in check_data_health(panel, None, n_new=15)} == {"ok"}


def test_a_day_that_the_champion_has_learnt_is_watched_even_among_the_newest_three():
    panel = damaged("all doubled", -2)
    day = str(panel.date_of(panel.n_days - 2))
    found = check_data_health(panel, None)
    assert list_wrong_days(found) == [day]
    learnt = {c.name: c for c in accept_days(found, day, {})}
    assert learnt["volume of all sales"].state == "watch"
    assert f"accepted, as they are: {day}" in learnt["volume of all sales"].detail
    assert "alarm" not in {check.state for check in learnt.values()}
    before = str(panel.date_of(panel.n_days - 3))
    assert accept_days(found, before, {}) == found
    assert accept_days(found, before, {}, [day]) == list(learnt.values())
    later = str(panel.cutoff)
    assert accept_days(found, day, {day: later}) == found
    assert accept_days(found, day, {day: day}) == list(learnt.values())


def test_of_days_that_are_wrong_those_after_the_training_stay_an_alarm():
    days = ("2017-05-01", "2017-05-02")
    both = Check(HEALTH, "rows set aside", "alarm", "told", "mend", days=days)
    (left,) = accept_days([both], "2017-05-01", {})
    assert (left.state, left.days) == ("alarm", ("2017-05-02",))
    assert left.detail == "told Learnt, or accepted, as they are: 2017-05-01."
    (named,) = accept_days([both], "", {}, ["2017-05-02"])
    assert (named.state, named.days) == ("alarm", ("2017-05-01",))


def test_rows_of_a_plan_are_an_alarm_of_their_own_that_accepted_days_do_not_end():
    panel = calm_panel()
    day = str(panel.date_of(panel.n_days - 2))
    plan = recent(f"test-{day}.csv", day, 12) | {"table": "test"}
    files = [recent(f"train-{day}.csv", day, 12), plan]
    report = CLEAN | {"recent_files": files}
    found = check_data_health(with_files(panel, files), report, n_new=5)
    before = {check.name: check for check in found}
    after = {check.name: check for check in accept_days(found, "", {}, [day])}
    assert before["rows set aside"].state == "alarm"
    assert after["rows set aside"].state == "watch"
    assert after["rows of the plan set aside"].state == "alarm"
    assert "accepted_days" not in after["rows of the plan set aside"].mend


def test_a_family_that_is_no_longer_sold_is_accepted_by_its_first_day_without_a_sale():
    panel = calm_panel()
    units, family = panel.units.copy(), panel.series["family"].iloc[0]
    units[(panel.series["family"] == family).to_numpy(), -10:] = 0
    gone = replace(panel, units=units)
    name, since = "families gone silent", str(panel.date_of(panel.n_days - 10))
    found = {c.name: c for c in check_data_health(gone, None)}[name]
    assert (found.state, f"{family} (since {since})" in found.detail) == ("alarm", True)
    assert "monitoring.accepted_days" in found.mend
    accepted = check_data_health(gone, None, accepted=[since])
    assert {c.name: c for c in accepted}[name].state == "ok"


def test_all_stores_concerned_are_named_or_counted():
    panel = calm_panel()
    units = panel.units.copy()
    units[:, -1] *= 1000
    found = {c.name: c for c in check_data_health(replace(panel, units=units), None)}
    assert "and 1 more" in found["volume by store"].detail
    assert found["volume by store"].detail.count("store ") == 5


@pytest.mark.parametrize(("updates", "state"), [(0, "ok"), (1, "watch"), (2, "alarm")])
def test_a_feed_that_stops_is_watched_and_then_an_alarm(updates, state):
    report = CLEAN | {"updates_without_new_day": updates}
    assert states(calm_panel(), report)["new days"] == state
