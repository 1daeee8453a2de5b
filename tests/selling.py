"""Random checked sales with the tables beside them, larger than a property test's."""

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.panel_in_parts import SmallTables
from worlds import make_panel


def make_sales(
    *, n_stores: int, n_items: int, n_days: int, seed: int = 3
) -> tuple[pl.DataFrame, SmallTables]:
    """Return sales in the order of days, and a plan of 16 days; the last store sells nothing."""
    panel = make_panel(seed=seed, n_stores=n_stores, n_items=n_items, n_days=n_days)
    source = np.random.default_rng(seed)
    series = panel.series
    silent = series["store_nbr"].to_numpy() == panel.stores["store_nbr"].max()
    sold = (panel.units > 0) & (source.random(panel.units.shape) < 0.8) & ~silent[:, None]
    day, row = np.nonzero(sold.T)
    dates = panel.start_date + np.arange(panel.promotions.shape[1])
    sales = pl.DataFrame(
        {
            "date": pl.Series(dates[day]).cast(pl.Date),
            "store_nbr": series["store_nbr"].to_numpy()[row].astype(np.int32),
            "item_nbr": series["item_nbr"].to_numpy()[row].astype(np.int32),
            "unit_sales": panel.units[row, day].astype(float),
            "onpromotion": panel.promotions[row, day] > 0,
        }
    )
    ahead, row = np.nonzero(source.random((16, len(series))) < 0.5)
    plan = pd.DataFrame(
        {
            "date": pd.to_datetime(dates[n_days + ahead]),
            "store_nbr": series["store_nbr"].to_numpy()[row],
            "item_nbr": series["item_nbr"].to_numpy()[row],
            "onpromotion": pd.array(source.random(len(row)) < 0.3, dtype="boolean"),
        }
    )
    items = series[["item_nbr", "family", "class", "perishable"]].drop_duplicates("item_nbr")
    holidays = pd.DataFrame(
        {
            "date": pd.to_datetime(dates[[5, 40]]),
            "type": ["Holiday", "Holiday"],
            "locale": ["National", "Local"],
            "locale_name": ["Ecuador", panel.stores["city"].iloc[0]],
            "transferred": [False, False],
        }
    )
    return sales, SmallTables(plan, items.reset_index(drop=True), panel.stores, holidays)
