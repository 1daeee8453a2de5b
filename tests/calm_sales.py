"""Sales that go on as they always did: nothing in them is wrong, nothing drifts."""

from dataclasses import replace

import numpy as np
import pandas as pd

from grocery_demand.core.panel import Panel
from worlds import make_panel

N_DAYS = 7 * 130


def calm_panel(seed: int = 0) -> Panel:
    """Six stores with twenty items each that sell alike all the time, promoted now and then."""
    made = make_panel(seed=seed, n_stores=2, n_items=3, n_days=N_DAYS)
    source = np.random.default_rng(seed)
    store, item = (each.ravel() for each in np.mgrid[:6, :20])
    series = pd.DataFrame(
        {
            "store_nbr": store + 1,
            "item_nbr": item + 100,
            "family": np.array(["DAIRY", "EGGS", "MEATS", "BEAUTY"])[item % 4],
            "class": 1,
            "perishable": 0,
            "first_sale": 0,
        }
    )
    stores = pd.DataFrame({"store_nbr": range(1, 7)})
    promoted = source.random((120, N_DAYS + 16)) < 0.1
    return replace(
        made,
        series=series,
        stores=stores,
        units=source.poisson(4, (120, N_DAYS)).astype(np.float32),
        promotions=promoted.astype(np.uint8),
        open_days=np.ones((6, N_DAYS), bool),
    )
