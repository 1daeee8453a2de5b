from dataclasses import replace

import numpy as np
import pytest

from calm_sales import calm_panel
from grocery_demand.core.monitoring.sample import choose_series, describe_series
from grocery_demand.core.panel import SERIES_KEY
from worlds import make_panel


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=9, n_stores=3, n_items=80, n_days=70)


def keys_of(panel, rows) -> set[tuple[int, int]]:
    return set(panel.series[SERIES_KEY].iloc[rows].itertuples(index=False, name=None))


def test_all_series_are_chosen_if_there_is_room(panel):
    assert choose_series(panel, len(panel.series)).tolist() == list(range(len(panel.series)))


def test_so_many_series_are_chosen_in_their_order(panel):
    rows = choose_series(panel, 100)
    assert len(rows) == 100
    assert (np.diff(rows) > 0).all()


def test_the_choice_depends_on_store_and_item_alone(panel):
    shuffled = panel.select(np.random.default_rng(1).permutation(len(panel.series)))
    assert keys_of(panel, choose_series(panel, 100)) == keys_of(
        shuffled, choose_series(shuffled, 100)
    )


def test_new_series_take_few_places(panel):
    fewer = panel.select(np.arange(0, len(panel.series) - 5))
    before, after = (keys_of(p, choose_series(p, 100)) for p in (fewer, panel))
    assert len(before - after) <= 5


def test_the_choice_holds_every_store_about_alike(panel):
    chosen = panel.series["store_nbr"].iloc[choose_series(panel, 120)]
    share = 120 / len(panel.series)
    for store, number in panel.series["store_nbr"].value_counts().items():
        assert (chosen == store).sum() == pytest.approx(share * number, abs=15)


def with_attributes(panel):
    series = panel.series.assign(type="A", city="Quito", cluster=7)
    return replace(panel, series=series)


def test_sizes_are_thirds_of_what_sold_in_the_eight_weeks_before():
    calm = calm_panel()
    day = calm.n_days - 20
    units = calm.units * (1 + np.arange(120))[:, None].astype(np.float32)
    units[:, day + 1 :] = units[::-1, day + 1 :]
    units[:, : day - 55] = 0
    table = describe_series(with_attributes(replace(calm, units=units)), day)
    mean = units[:, day - 55 : day + 1].mean(axis=1)
    ranks = np.argsort(np.argsort(mean))
    expected = np.array(["small", "medium", "large"])[ranks // 40]
    assert table["size"].to_list() == expected.tolist()


@pytest.mark.parametrize("day", [-30, -1, 0, 69])
def test_every_series_belongs_to_one_value_of_each_slice(panel, day):
    table = describe_series(panel, day)
    assert table["position"].to_list() == list(range(len(panel.series)))
    assert table.null_count().sum_horizontal().item() == 0
    assert set(table["size"]) <= {"small", "medium", "large"}
