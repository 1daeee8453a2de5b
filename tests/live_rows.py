"""Live forecasts beside sales, as `core.monitoring.live_error.join_sales` gives them."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.group_scores import add_errors

START = date(2017, 6, 1)


def make_live(
    n_series: int = 60, n_days: int = 21, noise: float = 0.4, seed: int = 0, **bias: float
) -> pl.DataFrame:
    """Return one forecast per series and day, good but for noise.

    Args:
        n_series: In six families, two types and ten stores.
        n_days: From `START` on.
        noise: Standard deviation of the error on the log scale.
        seed: Of what is drawn.
        **bias: By family, a factor on its forecasts.
    """
    source = np.random.default_rng(seed)
    series, day = (each.ravel() for each in np.mgrid[:n_series, :n_days])
    level = np.exp(source.normal(1.5, 0.7, n_series))[series]
    units = np.round(level * np.exp(source.normal(0, noise, len(series))))
    family = np.array([f"FAMILY{s % 6}" for s in range(n_series)])[series]
    factor = np.ones(len(series))
    for name, value in bias.items():
        factor[family == name] = value
    point = level * factor
    rows = pl.DataFrame(
        {
            "store_nbr": 1 + series % 10,
            "item_nbr": 100 + series,
            "date": [START + timedelta(int(d)) for d in day],
            "step": np.full(len(series), 1, np.int16),
            "unit_sales": units,
            "point": point,
            "interval_low": point * 0.5,
            "interval_high": point * 2.0,
            "seasonal_naive": level * np.exp(source.normal(0, 3 * noise, len(series))),
            "moving_average": level * np.exp(source.normal(0, 2 * noise, len(series))),
            "weight": np.where(series % 3 == 0, 1.25, 1.0),
            "type": np.array(["A", "B"])[series % 2],
            "city": np.array(["Quito", "Manta"])[series % 2],
            "cluster": (series % 4).astype(str),
            "family": family,
            "perishable": np.array(["perishable", "not perishable"])[series % 2],
            "size": np.array(["small", "medium", "large"])[series % 3],
        }
    )
    return add_errors(rows)
