import itertools
import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import norm

from grocery_demand.core.features import FEATURE_SETS, Encoding, Snapshot
from grocery_demand.core.late_days import saw_other_sales
from grocery_demand.core.monitoring.check import Check
from grocery_demand.core.monitoring.feature_skew import (
    PLANNED_FEATURES,
    gap_of_index,
    measure_skew,
)
from grocery_demand.core.monitoring.served_features import ServedFeatures
from grocery_demand.core.monitoring.skew_checks import check_skew
from worlds import make_panel

NAMES = FEATURE_SETS["full"]
N_EVENTS = 600


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=2, n_stores=3, n_items=30, n_days=500)


def serve(panel, days=None) -> ServedFeatures:
    """Features as they are served, of random series and days ahead."""
    source = np.random.default_rng(1)
    days = np.full(N_EVENTS, panel.n_days - 1) if days is None else np.asarray(days)
    encoding = Encoding.fit(panel.series)
    started = np.flatnonzero(panel.series["first_sale"].to_numpy() < 300)
    rows, steps = source.choice(started, N_EVENTS), source.integers(1, 17, N_EVENTS)
    what_if = source.integers(-1, 2, N_EVENTS).astype(np.int8)
    matrix = np.empty((N_EVENTS, len(NAMES)), np.float32)
    for day in np.unique(days):
        at = days == day
        known = Snapshot(panel, int(day))
        matrix[at] = known.features(encoding, steps[at, None], NAMES, rows[at], what_if[at, None])
    changed = saw_other_sales(panel, days)
    return ServedFeatures(NAMES, matrix, rows, steps, days, what_if, encoding, changed)


def measure(served, panel, trained=None) -> pd.DataFrame:
    trained = panel.n_days - 1 if trained is None else trained
    table = measure_skew(served, lambda day: Snapshot(panel, day), trained, 0.25)
    return table.to_pandas().set_index("feature")


def test_features_served_as_the_panel_gives_them_are_in_order(panel):
    table = measure(serve(panel), panel)
    assert set(table["state"]) <= {"ok", "watch"}
    assert (table.drop(list(PLANNED_FEATURES))["differing_share"] == 0).all()


def test_a_feature_served_wrongly_is_found_and_named(panel):
    served = serve(panel)
    served.matrix[:, NAMES.index("moving_average")] *= 1.1
    skew = measure(served, panel)
    assert skew["state"]["moving_average"] == "alarm"
    assert (skew["state"] == "alarm").sum() == 1


def test_a_few_corrected_values_are_no_alarm(panel):
    served = serve(panel)
    served.matrix[:3, NAMES.index("moving_average")] += 1
    assert measure(served, panel)["state"]["moving_average"] == "ok"


def test_events_of_several_cutoffs_are_compared_each_with_its_own(panel):
    days = np.repeat([panel.n_days - 3, panel.n_days - 1], N_EVENTS // 2)
    table = measure(serve(panel, days), panel)
    assert (table.drop(list(PLANNED_FEATURES))["differing_share"] == 0).all()


def test_plans_are_not_compared_as_they_are_corrected(panel):
    served = serve(panel)
    served.matrix[:, NAMES.index("onpromotion")] = 1
    assert np.isnan(measure(served, panel)["differing_share"]["onpromotion"])


def test_a_distribution_beyond_what_history_had_is_watched(panel):
    served = serve(panel)
    served.matrix[:, NAMES.index("sale_share_28")] = 0.01
    row = measure(served, panel).loc["sale_share_28"]
    assert row["psi"] > row["threshold"]
    assert row["ks"] > 0.5


def test_words_that_training_did_not_know_are_watched(panel):
    served = serve(panel)
    served.matrix[:100, NAMES.index("family")] = np.nan
    table = measure(served, panel)
    assert table["served_missing_share"]["family"] == pytest.approx(100 / N_EVENTS)
    assert table["training_missing_share"]["family"] == 0
    distances = checks_of(served, panel)["distribution against training"]
    assert distances.state == "watch"
    assert "family" in distances.detail


def test_a_few_unknown_words_are_not_watched(panel):
    served = serve(panel)
    served.matrix[:20, NAMES.index("family")] = np.nan
    assert checks_of(served, panel)["distribution against training"].state == "ok"


def test_features_of_history_that_training_never_had_have_no_index():
    young = make_panel(seed=2, n_stores=3, n_items=30, n_days=340)
    served = serve(young)
    served.matrix[:, NAMES.index("year_ago_relative")] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = measure(served, young).loc["year_ago_relative"]
    assert row["training_missing_share"] == 1
    assert np.isnan(row["psi"])


def test_distances_are_those_of_the_values_by_a_loop(panel):
    served, trained = serve(panel), panel.n_days - 1
    name = "mean_28_relative"
    cutoffs = [trained + 1 - 7 * weeks for weeks in (1, 3, 5, 7, 51, 52, 53)]
    past = [
        Snapshot(panel, day).features(
            served.encoding, served.steps[:, None], (name,), served.rows
        )[:, 0]
        for day in cutoffs
    ]  # fmt: skip
    known = np.concatenate([values[~np.isnan(values)] for values in past])
    found = served.matrix[:, NAMES.index(name)]
    found = found[~np.isnan(found)]
    edges = [-np.inf, *np.unique(np.quantile(known, np.arange(0.1, 0.95, 0.1))), np.inf]
    expected = 0.0
    for low, high in itertools.pairwise(edges):
        p = max(np.mean((found > low) & (found <= high)), 1e-4)
        q = max(np.mean((known > low) & (known <= high)), 1e-4)
        expected += (p - q) * np.log(p / q)
    row = measure(served, panel).loc[name]
    assert row["psi"] == pytest.approx(expected, rel=0.02, abs=1e-3)
    gaps = [abs((found <= x).mean() - (known <= x).mean()) for x in (*found, *known)]
    assert row["ks"] == pytest.approx(max(gaps))


def test_both_statistics_have_a_threshold_and_history_stays_within_it(panel):
    """What is served as at any one of the past cutoffs is no change."""
    trained = panel.n_days - 1
    for weeks in (1, 7, 52):
        table = measure(serve(panel, np.full(N_EVENTS, trained + 1 - 7 * weeks)), panel, trained)
        measured = table.dropna(subset=["psi"])
        assert len(measured) > 20
        assert (measured["psi"] <= measured["threshold"]).all()
        assert (measured["ks"] <= measured["ks_threshold"]).all()
        assert (measured["threshold"] >= 0.25).all()
        assert (measured["ks_threshold"] >= gap_of_index(0.25)).all()
        assert table.loc["step", ["psi", "threshold", "ks", "ks_threshold"]].isna().all()


@pytest.mark.parametrize(
    ("psi", "ks", "state", "shown"),
    [
        (0.1, 0.1, "ok", (0.1, 0.2)),
        (0.2, 0.1, "ok", (0.2, 0.25)),
        (0.3, 0.1, "watch", (0.3, 0.25)),
        (0.1, 0.3, "watch", (0.3, 0.2)),
        (None, 0.3, "watch", (0.3, 0.2)),
    ],
)
def test_either_statistic_beyond_its_threshold_is_watched_and_the_further_one_shown(
    psi, ks, state, shown
):
    calm = dict.fromkeys(("served_missing_share", "training_missing_share", "differing_share"), 0.0)
    row = {"feature": "moving_average", "psi": psi, "threshold": 0.25, "ks": ks}
    table = pl.DataFrame([row | {"ks_threshold": 0.2} | calm])
    check = check_skew(table)[1]
    assert (check.state, (check.value, check.threshold)) == (state, shown)


@pytest.mark.parametrize("psi", [0.01, 0.1, 0.25, 1.0])
def test_the_least_gap_is_that_of_a_shifted_normal_of_the_same_index(psi):
    grid = np.linspace(-9, 9, 20_001)
    shifted, standard = norm.pdf(grid, np.sqrt(psi)), norm.pdf(grid)
    index = np.trapezoid((shifted - standard) * np.log(shifted / standard), grid)
    assert index == pytest.approx(psi, rel=1e-3)
    gap = np.abs(norm.cdf(grid, np.sqrt(psi)) - norm.cdf(grid)).max()
    assert gap_of_index(psi) == pytest.approx(gap, rel=1e-4)


def take_in_late_day(panel, day: int, known: int):
    """Return the panel as it was served without a day's sales, and the one that got them late."""
    units, open_days = panel.units.copy(), panel.open_days.copy()
    units[:, day], open_days[:, day] = 0, False
    late = {str(panel.date_of(day)): str(panel.date_of(known))}
    return replace(panel, units=units, open_days=open_days), replace(panel, late_days=late)


def test_forecasts_made_before_a_late_day_came_are_left_out_and_counted(panel):
    last = panel.n_days - 1
    before, after = take_in_late_day(panel, day=last - 3, known=last - 1)
    days = np.repeat([last - 1, last], N_EVENTS // 2)
    served = serve(before, days)
    served.matrix[days == last] = serve(panel, days).matrix[days == last]
    assert checks_of(served, panel)["served values against the panel's"].state == "alarm"
    kept = replace(served, changed=saw_other_sales(after, days))
    check = checks_of(kept, after)["served values against the panel's"]
    assert check.state == "ok"
    assert f"Left out: {N_EVENTS // 2} forecasts" in check.detail


def test_a_late_day_hides_no_feature_served_wrongly_after_it(panel):
    last = panel.n_days - 1
    _, after = take_in_late_day(panel, day=last - 3, known=last - 1)
    served = serve(after)
    served.matrix[:, NAMES.index("moving_average")] *= 1.1
    check = checks_of(served, after)["served values against the panel's"]
    assert (check.state, "Left out" in check.detail) == ("alarm", False)


def test_nothing_is_said_if_a_late_day_leaves_too_few_forecasts(panel):
    last = panel.n_days - 1
    before, after = take_in_late_day(panel, day=last, known=last)
    served = replace(serve(before), changed=saw_other_sales(after, serve(before).days))
    check = checks_of(served, after)["served values against the panel's"]
    assert check.state == "unknown"
    assert f"Left out: {N_EVENTS} forecasts" in check.detail


def checks_of(served, panel) -> dict[str, Check]:
    skew = pl.from_pandas(measure(served, panel).reset_index())
    checks = check_skew(skew, int(served.changed.sum()))
    return {check.name: check for check in checks}


def test_too_few_events_say_nothing():
    assert [check.state for check in check_skew(None)] == ["unknown"]


def test_events_are_read_from_the_log(panel):
    class Model:
        class final:  # noqa: N801
            encoding = Encoding.fit(panel.series)

    class Champion:
        number, model = 3, Model

    keys = panel.series.iloc[np.arange(N_EVENTS) % len(panel.series)]
    events = pd.DataFrame(
        {
            "model_version": 3,
            "long_range": False,
            "store_nbr": keys["store_nbr"].to_numpy(),
            "item_nbr": keys["item_nbr"].to_numpy(),
            "cutoff": str(panel.cutoff),
            "step": 5,
            "promotion_assumed": np.arange(N_EVENTS) % 2 == 0,
            "onpromotion": True,
            "features": json.dumps({"moving_average": 1.5, "mean_7": None}),
        }
    )
    events.loc[0, "model_version"] = 2
    events.loc[1, "long_range"] = True
    events.loc[2, "store_nbr"] = 9999
    late = {str(panel.date_of(3)): str(panel.cutoff)}
    served = ServedFeatures.of(events, panel, Champion)
    assert not served.changed.any()
    assert ServedFeatures.of(events, replace(panel, late_days=late), Champion).changed.all()
    assert served.names == ("moving_average", "mean_7")
    assert len(served.rows) == N_EVENTS - 3
    assert np.isnan(served.matrix[:, 1]).all()
    assert served.what_if.tolist()[:3] == [-1, 1, -1]
    assert ServedFeatures.of(events.head(100), panel, Champion) is None
