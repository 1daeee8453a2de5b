"""Small holdout tables whose forecasts are off by known errors."""

import numpy as np
import pandas as pd

_ITEMS = pd.DataFrame(
    {"item_nbr": [10, 20], "family": ["GROCERY I", "DAIRY"], "perishable": [0, 1]}
)


def make_holdout(
    n_stores: int = 4, n_days: int = 3, **errors: float | list[float] | np.ndarray
) -> pd.DataFrame:
    """Make a holdout of a grocery and a dairy item in stores of the types A and B.

    Args:
        n_stores: Number of stores; the first half is of type A, the second of type B.
        n_days: Days of each series.
        errors: ln(1+forecast) − ln(1+units) by the forecast's column: one for all rows, or one
            for each series [2 x n_stores] (the stores in order, groceries before dairy).

    Returns:
        One row per series and day: the key, family, type, perishable, unit_sales (1 to 10) and
        the forecasts in units.
    """
    halves = np.where(np.arange(n_stores) < (n_stores + 1) // 2, "A", "B")
    stores = pd.DataFrame({"store_nbr": np.arange(1, n_stores + 1), "type": halves})
    series = stores.merge(_ITEMS, how="cross")
    holdout = series.loc[np.repeat(series.index, n_days)].reset_index(drop=True)
    units = 1.0 + (7 * holdout.index.to_numpy()) % 10
    forecasts = {
        name: (1 + units) * np.exp(np.repeat(np.broadcast_to(error, len(series)), n_days)) - 1
        for name, error in errors.items()
    }
    return holdout.assign(unit_sales=units, **forecasts)
