import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.promotion_filling import PromotionFilling
from grocery_demand.core.series_hash import draw_uniform, hash_series

STORES, ITEMS = range(1, 61), (5, 7, 9)
SERIES = pd.DataFrame(
    [(store, item) for store in STORES for item in ITEMS], columns=["store_nbr", "item_nbr"]
)
DAY = 17_000


def fill(promotions, sold, wanted=None, series=SERIES, day=DAY) -> np.ndarray:
    filled = np.array(promotions, np.uint8)
    wanted = ~sold if wanted is None else wanted
    PromotionFilling(series).fill_day(filled, sold, wanted, day)
    return filled


@pytest.fixture
def day_of_sales() -> tuple[np.ndarray, np.ndarray]:
    """Promotions and what was sold: item 5 is promoted in half of the stores that sold it."""
    generator = np.random.default_rng(1)
    sold = generator.random(len(SERIES)) < 0.6
    promoted = sold & (SERIES["item_nbr"] == 5).to_numpy() & (generator.random(len(SERIES)) < 0.5)
    return promoted.astype(np.uint8), sold


def test_what_is_recorded_stays(day_of_sales):
    promotions, sold = day_of_sales
    assert (fill(promotions, sold)[sold] == promotions[sold]).all()


def test_items_that_were_nowhere_on_promotion_are_not_filled(day_of_sales):
    promotions, sold = day_of_sales
    filled = fill(promotions, sold)
    assert not filled[SERIES["item_nbr"] != 5].any()


def test_unsold_series_are_promoted_as_often_as_those_that_sold(day_of_sales):
    promotions, sold = day_of_sales
    item = (SERIES["item_nbr"] == 5).to_numpy()
    share = promotions[item & sold].mean()
    days = [fill(promotions, sold, day=DAY + i)[item & ~sold].mean() for i in range(400)]
    assert np.mean(days) == pytest.approx(share, abs=0.02)


def test_an_item_promoted_wherever_it_sold_is_promoted_everywhere():
    sold = np.arange(len(SERIES)) % 2 == 0
    filled = fill(sold, sold)
    assert filled.all()


def test_series_that_are_not_wanted_stay_as_they_are(day_of_sales):
    promotions, sold = day_of_sales
    assert (fill(promotions, sold, wanted=np.zeros_like(sold)) == promotions).all()


def test_the_draw_depends_on_store_item_and_date_alone(day_of_sales):
    promotions, sold = day_of_sales
    order = np.random.default_rng(2).permutation(len(SERIES))
    shuffled = fill(
        promotions[order], sold[order], series=SERIES.iloc[order].reset_index(drop=True)
    )
    assert (shuffled == fill(promotions, sold)[order]).all()
    assert (fill(promotions, sold, day=DAY + 1) != fill(promotions, sold)).any()


def test_filling_by_series_gives_what_filling_by_day_gives(day_of_sales):
    promotions, sold = day_of_sales
    rows = np.flatnonzero(~sold)
    by_series = promotions[:, None].repeat(3, axis=1)
    units = sold[:, None].repeat(3, axis=1).astype(np.float32)
    filling = PromotionFilling(SERIES)
    for day in range(3):
        days = np.full(len(rows), day)
        filling.fill_series(by_series, units, rows, days, DAY + days)
    for day in range(3):
        assert (by_series[:, day] == fill(promotions, sold, day=DAY + day)).all()


def test_draws_are_spread_evenly_and_independent_of_each_other():
    draws = draw_uniform(hash_series(SERIES)[:, None], np.arange(16_000, 17_000)[None, :])
    assert draws.min() >= 0
    assert draws.max() < 1
    assert np.histogram(draws, 10, (0, 1))[0] == pytest.approx(draws.size / 10, rel=0.03)
    assert abs(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]) < 0.02
