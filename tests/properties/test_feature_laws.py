"""What holds for every panel, cutoff and day ahead."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grocery_demand.core.features import FEATURE_SETS, Encoding, FeatureTables, Snapshot
from grocery_demand.core.panel import Panel
from naive_features import NaiveFeatures
from worlds import make_panel, panels, scramble_sales_after

FULL = FEATURE_SETS["full"]
STEPS = np.arange(1, 17)


def matrix_of(panel: Panel, day: int, steps: np.ndarray = STEPS, **wanted: object) -> np.ndarray:
    return Snapshot(panel, day).features(Encoding.fit(panel.series), steps, FULL, **wanted)


@given(panels(min_days=20), st.data())
def test_features_ignore_all_sales_after_the_cutoff(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 2))
    changed = scramble_sales_after(panel, day, data.draw(st.integers(0, 99)))
    np.testing.assert_array_equal(matrix_of(panel, day), matrix_of(changed, day))


@given(panels(min_days=20), st.data())
def test_features_of_the_panel_as_it_was_known_equal_those_of_the_whole_panel(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    np.testing.assert_array_equal(matrix_of(panel, day), matrix_of(panel.until(day), day))


@given(panels(max_days=60), st.data())
def test_a_promotion_more_than_16_days_ahead_is_unknown_on_every_step(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    promotions = panel.promotions.copy()
    promotions[:, day + 17 :] ^= 1
    changed = replace(panel, promotions=promotions)
    steps = np.arange(1, 40)
    np.testing.assert_array_equal(matrix_of(panel, day, steps), matrix_of(changed, day, steps))


def test_a_promotion_within_16_days_ahead_counts():
    panel = make_panel(seed=5)
    promotions = panel.promotions.copy()
    promotions[:, panel.n_days + 15] ^= 1
    changed = replace(panel, promotions=promotions)
    day = panel.n_days - 1
    differs = (matrix_of(panel, day) != matrix_of(changed, day)).reshape(-1, 16, len(FULL))
    promoted = FULL.index("onpromotion")
    assert differs[:, 15, promoted].all()
    assert not differs[:, :15, promoted].any()


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(panels(), st.data())
def test_every_feature_equals_a_naive_loop(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    steps = np.array(data.draw(st.lists(st.integers(1, 16), min_size=1, max_size=2, unique=True)))
    assert_equal_to_naive_loop(panel, day, steps)


@pytest.mark.parametrize("steps", [[1, 16, 17], [28, 362], [364, 366]])
def test_every_feature_equals_a_naive_loop_with_more_than_a_year_behind_it(steps):
    panel = make_panel(seed=3, n_stores=2, n_items=4, n_days=460)
    assert_equal_to_naive_loop(panel, panel.n_days - 1, np.array(steps))


def assert_equal_to_naive_loop(panel: Panel, day: int, steps: np.ndarray) -> None:
    encoding = Encoding.fit(panel.series)
    found = Snapshot(panel, day).features(encoding, steps, FULL)
    naive = NaiveFeatures(panel, day, encoding)
    expected = [naive.of(row, step) for row in range(len(panel.series)) for step in steps.tolist()]
    for i, name in enumerate(FULL):
        tolerance = 5e-3 if name.startswith("deviation") else 2e-4
        np.testing.assert_allclose(
            found[:, i], [row[name] for row in expected], rtol=0, atol=tolerance, err_msg=name
        )


@given(panels(), st.data())
def test_features_of_some_series_equal_their_rows_among_all(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    positions = st.integers(0, len(panel.series) - 1)
    rows = np.array(data.draw(st.lists(positions, min_size=1, max_size=5)))
    everything = matrix_of(panel, day).reshape(len(panel.series), len(STEPS), -1)
    some = matrix_of(panel, day, rows=rows).reshape(len(rows), len(STEPS), -1)
    np.testing.assert_array_equal(some, everything[rows])


@given(panels(max_days=400), st.data())
def test_features_of_a_step_do_not_depend_on_the_other_steps_asked_for(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    steps = np.array(data.draw(st.lists(st.integers(1, 366), min_size=2, max_size=6)))
    together = matrix_of(panel, day, steps).reshape(len(panel.series), len(steps), -1)
    for i, step in enumerate(steps):
        np.testing.assert_array_equal(together[:, i], matrix_of(panel, day, np.array([step])))


@given(panels())
def test_features_are_float32_and_finite_or_unknown(panel):
    matrix = matrix_of(panel, panel.n_days - 1)
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(panel.series) * len(STEPS), len(FULL))
    assert not np.isinf(matrix).any()


@given(panels(min_days=30), st.integers(1, 6))
def test_features_change_with_what_was_sold_on_the_last_day(panel, factor):
    day = panel.n_days - 1
    open_days = panel.open_days.copy()
    open_days[:, day] = True
    panel = replace(panel, open_days=open_days, series=panel.series.assign(first_sale=0))
    units = panel.units.copy()
    units[:, day] = units[:, day] * 2 + factor
    changed = replace(panel, units=units)
    before, after = (
        Snapshot(known, day).features(Encoding.fit(panel.series), np.array([1]), ("mean_1",))
        for known in (panel, changed)
    )
    assert (before < after).all()


@given(panels(min_days=20), st.data())
def test_a_promotion_assumed_for_a_day_equals_one_that_is_planned(panel, data):
    day = panel.n_days - 1
    row = data.draw(st.integers(0, len(panel.series) - 1))
    last_planned = min(panel.n_planned_days, 16)
    step = data.draw(st.integers(1, last_planned)) if last_planned else 1
    value = data.draw(st.integers(0, 1))
    promotions = np.pad(panel.promotions, ((0, 0), (0, 1)))
    promotions[row, day + step] = value
    changed = replace(panel, promotions=promotions)
    wanted = {"steps": np.array([step]), "rows": np.array([row])}
    assumed = matrix_of(panel, day, **wanted, what_if=np.array([[value]], np.int8))
    np.testing.assert_array_equal(assumed, matrix_of(changed, day, **wanted))


def test_a_promotion_assumed_beyond_the_plan_changes_nothing(panel):
    wanted = {"steps": np.array([17, 40]), "rows": np.array([3])}
    assumed = matrix_of(panel, panel.n_days - 1, **wanted, what_if=np.array([[1, 1]], np.int8))
    np.testing.assert_array_equal(assumed, matrix_of(panel, panel.n_days - 1, **wanted))


@given(panels(), st.data())
def test_features_of_single_pairs_equal_those_of_whole_grids(panel, data):
    day = data.draw(st.integers(0, panel.n_days - 1))
    encoding = Encoding.fit(panel.series)
    source = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows, steps = source.integers(0, len(panel.series), 9), source.integers(1, 40, 9)
    what_if = source.integers(-1, 2, 9).astype(np.int8)
    tables = FeatureTables(Snapshot(panel, day), encoding, FULL)
    expected = [
        matrix_of(panel, day, np.array([step]), rows=np.array([row]), what_if=np.array([[assumed]]))
        for row, step, assumed in zip(rows, steps, what_if, strict=True)
    ]
    found = tables.features(rows, steps, what_if)
    np.testing.assert_array_equal(found, np.concatenate(expected))
