"""The panel is what a loop over the rows makes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings

from grocery_demand.core.series_hash import draw_uniform, hash_series
from small_sales import START, STORES, build, plans, sales_rows


def share_promoted(sales: dict, item: int, day: int) -> float:
    """Return the share of an item's sales of a day that were on promotion."""
    flags = [
        promoted is True
        for key, (quantity, promoted) in sales.items()
        if key[0] == day and key[2] == item and quantity > 0
    ]
    return sum(flags) / len(flags) if flags else 0.0


def draw(store: int, item: int, day: int) -> float:
    keys = pd.DataFrame({"store_nbr": [store], "item_nbr": [item]})
    epoch_day = (START + timedelta(day)).toordinal() - date(1970, 1, 1).toordinal()
    return draw_uniform(hash_series(keys), epoch_day)[0]


@given(sales_rows, plans)
@settings(max_examples=200, deadline=None)
def test_the_panel_equals_a_naive_loop(sales, plan):
    panel = build(sales, plan)

    first, last = min(key[0] for key in sales), max(key[0] for key in sales)
    plan = {key: flag for key, flag in plan.items() if key[0] > last}
    series = sorted({key[1:] for key in (*sales, *plan)})
    n_days = last - first + 1
    n_all_days = max([last, *(key[0] for key in plan)]) - first + 1
    units = np.zeros((len(series), n_days), np.float32)
    promotions = np.zeros((len(series), n_all_days), np.uint8)
    open_days = np.zeros((len(STORES), n_days), bool)
    first_sale = [n_days] * len(series)
    for (day, store, item), (quantity, promoted) in sales.items():
        row = series.index((store, item))
        units[row, day - first] = max(quantity, 0)
        promotions[row, day - first] = promoted is True
        open_days[STORES.index(store), day - first] = True
        first_sale[row] = min(first_sale[row], day - first)
    for (day, store, item), promoted in plan.items():
        promotions[series.index((store, item)), day - first] = promoted is True

    for row, (store, item) in enumerate(series):
        for day in range(first_sale[row], n_days):
            has_row = (day + first, store, item) in sales
            if open_days[STORES.index(store), day] and not has_row:
                share = share_promoted(sales, item, day + first)
                promotions[row, day] = draw(store, item, day + first) < share

    keys = panel.series[["store_nbr", "item_nbr"]].itertuples(index=False, name=None)
    assert list(keys) == series
    assert panel.series["first_sale"].tolist() == first_sale
    np.testing.assert_array_equal(panel.units, units)
    np.testing.assert_array_equal(panel.promotions, promotions)
    np.testing.assert_array_equal(panel.open_days, open_days)
    assert panel.date_of(0) == np.datetime64(START + timedelta(first))
