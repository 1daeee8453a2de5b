"""A panel in parts says what the whole panel says, to the bit."""

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from grocery_demand.core.features import FEATURE_SETS, Encoding, Snapshot, sum_items
from grocery_demand.core.pairs import find_day_span
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_building import Draft, Frame
from grocery_demand.core.parts import combine_pairs
from grocery_demand.core.promotion_filling import PromotionCounts
from parted import PartedPanel
from small_sales import (
    STORES,
    build,
    holidays,
    items,
    plans,
    sales_rows,
    stores,
    to_plan,
    to_table,
)
from worlds import make_panel, panels

FULL = FEATURE_SETS["full"]
STEPS = np.array([1, 7, 16, 17, 40])


@st.composite
def cut_panels(draw: st.DrawFn, **limits: int) -> tuple[Panel, PartedPanel]:
    """Draw a panel and cut it between some of its stores."""
    panel = draw(panels(**limits))
    inner = st.sets(st.integers(1, len(panel.stores) - 1)) if len(panel.stores) > 1 else st.just([])
    return panel, PartedPanel(panel, sorted(draw(inner)))


def features_of_parts(parted: PartedPanel, day: int, encoding: Encoding) -> np.ndarray:
    items = sum_items(parted, [day])[0]
    matrices = [
        Snapshot(part, day, all_stores=items).features(encoding, STEPS, FULL)
        for part in parted.parts
    ]
    return np.concatenate(matrices)


@given(cut_panels(), st.data())
def test_features_of_parts_equal_those_of_the_whole_panel_to_the_bit(cut, data):
    panel, parted = cut
    day = data.draw(st.integers(0, panel.n_days - 1))
    encoding = Encoding.fit(panel.series)
    whole = Snapshot(panel, day).features(encoding, STEPS, FULL)
    np.testing.assert_array_equal(features_of_parts(parted, day, encoding), whole)


def test_items_of_many_stores_with_huge_and_tiny_sales_add_up_to_the_same_bits():
    panel = make_panel(seed=8, n_stores=40, n_items=3, n_days=150, mean_units=20_000.0)
    units = np.round(panel.units * np.float32(1e-7), 3)
    units[::2] = panel.units[::2]
    panel = Panel(**{**vars(panel), "units": units})
    encoding = Encoding.fit(panel.series)
    whole = Snapshot(panel, 149).features(encoding, STEPS, FULL)
    parted = PartedPanel(panel, range(1, 40))
    np.testing.assert_array_equal(features_of_parts(parted, 149, encoding), whole)


def test_without_the_item_sums_of_all_stores_parts_would_say_something_else():
    panel = make_panel(seed=8, n_stores=4, n_items=5)
    encoding = Encoding.fit(panel.series)
    day = panel.n_days - 1
    whole = Snapshot(panel, day).features(encoding, STEPS, FULL)
    parts = PartedPanel(panel, [2]).parts
    alone = np.concatenate([Snapshot(part, day).features(encoding, STEPS, FULL) for part in parts])
    same = np.isclose(alone, whole, rtol=0, atol=0, equal_nan=True)
    differs = {FULL[i] for i in np.flatnonzero(~same.all(axis=0))}
    assert differs >= {"item_mean_28", "item_weekday_mean", "item_share_promoted"}
    assert not any(name.startswith(("class_store", "family_store")) for name in differs)


@given(cut_panels())
def test_the_vocabulary_of_parts_is_that_of_the_whole_panel(cut):
    panel, parted = cut
    assert Encoding.fit_parts(parted) == Encoding.fit_parts(panel) == Encoding.fit(panel.series)


@given(cut_panels(), st.data())
def test_every_position_belongs_to_one_part_which_finds_the_same_series_there(cut, data):
    panel, parted = cut
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(panel.series) - 1)))), int)
    keys = [
        part.series[["store_nbr", "item_nbr"]].to_numpy()[own]
        for part, own in zip(parted.parts, parted.split(rows), strict=True)
    ]
    expected = panel.series[["store_nbr", "item_nbr"]].to_numpy()[rows]
    np.testing.assert_array_equal(np.concatenate(keys), expected)
    np.testing.assert_array_equal(parted.first_sale, panel.first_sale)


@given(sales_rows, plans, st.integers(1, len(STORES) - 1))
@settings(max_examples=30)
def test_a_panel_made_in_parts_is_the_whole_panel_cut(sales, plan, cut):
    table, planned, whole = to_table(sales), to_plan(plan), build(sales, plan)
    frame = Frame.of(find_day_span(table["date"]), planned)
    drafts = [
        Draft.of(
            table.filter(pl.col("store_nbr").is_in(own["store_nbr"].to_list())),
            planned[planned["store_nbr"].isin(own["store_nbr"])],
            items,
            own,
            frame,
        )
        for own in (stores.iloc[:cut], stores.iloc[cut:])
    ]
    counts = PromotionCounts.add_up([draft.count_promotions() for draft in drafts])
    for draft, rows in zip(drafts, (slice(0, cut), slice(cut, None)), strict=True):
        part, expected = draft.finish(holidays, "d", counts), whole.select_stores(rows)
        for name in ("units", "promotions", "open_days"):
            np.testing.assert_array_equal(getattr(part, name), getattr(expected, name), name)
        pd.testing.assert_frame_equal(part.series, expected.series, check_dtype=False)
        np.testing.assert_array_equal(part.calendar.local, expected.calendar.local)


def test_item_sums_are_brought_together_two_by_two_and_never_gathered():
    class Scattered(PartedPanel):
        """Parts whose answers do not leave them, but for one."""

        def reduce(self, function, combine, *shared, own=None):
            def combine_two(answers):
                assert len(answers) == 2
                return combine(answers)

            return combine_pairs(super().map(function, *shared, own=own), combine_two)

        def map(self, *arguments, **named):
            raise AssertionError(arguments)

    panel = make_panel(seed=8, n_stores=7, n_items=5)
    sums = sum_items(Scattered(panel, range(1, 7)), [150, 199])
    for found, day in zip(sums, [150, 199], strict=True):
        whole = Snapshot(panel, day).surroundings.items
        np.testing.assert_array_equal(found.past.weekday_sums, whole.past.weekday_sums)
        np.testing.assert_array_equal(found.promoted, whole.promoted)
