"""Small random panels with all that occurs in real sales, and ways to change their future."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from grocery_demand.core.calendar import DAYS_AHEAD, NATIONAL_KINDS, build_calendar
from grocery_demand.core.panel import Panel

CITIES = {"Quito": "Pichincha", "Guayaquil": "Guayas", "Manta": "Manabi"}
FAMILIES = ("BEVERAGES", "DAIRY", "GROCERY I")
START = np.datetime64("2015-06-01")

SMALL_MODELS = {
    "lightgbm": {"n_estimators": 15, "num_leaves": 15, "min_child_samples": 10},
    "decision_tree": {"max_depth": 6},
    "random_forest": {"n_estimators": 4, "min_samples_leaf": 5, "n_jobs": -1},
    "adaboost": {"n_estimators": 3, "max_depth": 4},
    "gradient_boosting": {"n_estimators": 5, "max_depth": 3, "subsample": 0.5},
    "seasonal_naive": {},
    "moving_average": {},
}
"""Settings of every model, small enough for tests."""


def make_panel(
    *,
    seed: int = 0,
    n_stores: int = 3,
    n_items: int = 6,
    n_days: int = 200,
    n_planned_days: int = 16,
    mean_units: float = 6.0,
) -> Panel:
    """Make a panel with closed stores, new, silent and missing series, promotions and holidays."""
    source = np.random.default_rng(seed)
    stores = _make_stores(source, n_stores)
    series = _make_series(source, stores, n_items)
    n_series = len(series)
    first_sale = np.where(
        source.random(n_series) < 0.5, 0, source.integers(0, n_days + 1, n_series)
    ).astype(np.int32)
    open_days = _make_open_days(source, n_stores, n_days)
    position = np.searchsorted(stores["store_nbr"], series["store_nbr"])
    started = np.flatnonzero(first_sale < n_days)
    open_days[position[started], first_sale[started]] = True
    observed = open_days[position] & (np.arange(n_days) >= first_sale[:, None])
    units = _make_units(source, observed, mean_units)
    promotions = np.zeros((n_series, n_days + n_planned_days), np.uint8)
    promotions[:, :n_days] = source.random((n_series, n_days)) < 0.15
    promotions[:, n_days:] = source.random((n_series, n_planned_days)) < 0.15
    calendar_days = n_days + max(DAYS_AHEAD, n_planned_days)
    return Panel(
        start_date=START,
        units=units,
        promotions=promotions,
        open_days=open_days,
        series=series.assign(first_sale=first_sale),
        stores=stores,
        calendar=build_calendar(
            _make_holidays(source, calendar_days), stores, START, calendar_days
        ),
        digest=f"made up by seed {seed}",
    )


@st.composite
def panels(draw: st.DrawFn, min_days: int = 8, max_days: int = 420) -> Panel:
    """Draw a random panel; of many lengths, most of them shorter than the longest window."""
    return make_panel(
        seed=draw(st.integers(0, 10_000)),
        n_stores=draw(st.integers(1, 3)),
        n_items=draw(st.integers(1, 4)),
        n_days=draw(st.integers(min_days, max_days)),
        n_planned_days=draw(st.sampled_from([0, 5, 16, 30])),
        mean_units=draw(st.sampled_from([0.3, 3.0, 200.0])),
    )


def scramble_sales_after(panel: Panel, day: int, seed: int = 0) -> Panel:
    """Replace all that the sales say after a day: units, open days, first sales, recorded plan.

    The promotions of the 16 days after it stay: they are known ahead.
    """
    source = np.random.default_rng(seed)
    units, open_days, promotions = (
        panel.units.copy(),
        panel.open_days.copy(),
        panel.promotions.copy(),
    )
    units[:, day + 1 :] = source.integers(0, 1000, units[:, day + 1 :].shape)
    open_days[:, day + 1 :] = source.random(open_days[:, day + 1 :].shape) < 0.5
    promotions[:, day + 17 :] = source.random(promotions[:, day + 17 :].shape) < 0.5
    first_sale = panel.series["first_sale"].to_numpy()
    other = source.integers(day + 1, panel.n_days + 1, len(first_sale))
    first_sale = np.where(first_sale > day, other, first_sale)
    later = np.arange(day + 1, panel.n_days)
    units[:, day + 1 :] *= open_days[panel.store_position][:, day + 1 :]
    units[:, day + 1 :] *= later >= first_sale[:, None]
    return replace(
        panel,
        units=units,
        open_days=open_days,
        promotions=promotions,
        series=panel.series.assign(first_sale=first_sale),
    )


def set_series(panel: Panel, row: int, **values: object) -> Panel:
    """Return the panel with other attributes of one series."""
    series = panel.series.copy()
    for column, value in values.items():
        series.loc[row, column] = value
    return replace(panel, series=series)


def _make_stores(source: np.random.Generator, n_stores: int) -> pd.DataFrame:
    city = source.choice(list(CITIES), n_stores)
    return pd.DataFrame(
        {
            "store_nbr": np.sort(source.choice(np.arange(1, 55), n_stores, replace=False)),
            "city": city,
            "state": [CITIES[name] for name in city],
            "type": source.choice(list("ABCDE"), n_stores),
            "cluster": source.integers(1, 18, n_stores),
        }
    )


def _make_series(source: np.random.Generator, stores: pd.DataFrame, n_items: int) -> pd.DataFrame:
    """Cross stores and items, and leave out some pairs."""
    family = source.integers(0, len(FAMILIES), n_items)
    items = pd.DataFrame(
        {
            "item_nbr": np.sort(source.choice(np.arange(100, 2_200_000), n_items, replace=False)),
            "family": np.array(FAMILIES)[family],
            "class": 1000 + 10 * family + source.integers(0, 2, n_items),
            "perishable": (family == FAMILIES.index("DAIRY")).astype(int),
        }
    )
    pairs = stores[["store_nbr"]].merge(items, how="cross").merge(stores, on="store_nbr")
    kept = source.random(len(pairs)) < 0.85
    kept[0] = True
    return pairs[kept].reset_index(drop=True)


def _make_open_days(source: np.random.Generator, n_stores: int, n_days: int) -> np.ndarray:
    """Close every store on a few days, and one of them for weeks."""
    open_days = source.random((n_stores, n_days)) < 0.96
    start = source.integers(0, n_days)
    open_days[source.integers(n_stores), start : start + source.integers(5, 60)] = False
    return open_days


def _make_units(source: np.random.Generator, observed: np.ndarray, mean_units: float) -> np.ndarray:
    """Draw intermittent, heavy-tailed units; some series sell nothing, some by weight."""
    n_series, n_days = observed.shape
    level = mean_units * source.lognormal(0, 1, (n_series, 1))
    week = source.lognormal(0, 0.3, (n_series, 7))[:, np.arange(n_days) % 7]
    units = source.gamma(1.5, level * week / 1.5) * (source.random((n_series, n_days)) < 0.7)
    by_weight = source.random((n_series, 1)) < 0.2
    units = np.where(by_weight, np.round(units, 3), np.ceil(units))
    units[source.random(n_series) < 0.1] = 0
    return (units * observed).astype(np.float32)


def _make_holidays(source: np.random.Generator, n_days: int) -> pd.DataFrame:
    count = max(n_days // 25, 1)
    locale = source.choice(["National", "Local", "Regional"], count)
    city = source.choice(list(CITIES), count)
    place = [CITIES[c] if kind == "Regional" else c for c, kind in zip(city, locale, strict=True)]
    return pd.DataFrame(
        {
            "date": START + source.integers(0, n_days, count),
            "type": source.choice([*NATIONAL_KINDS[1:], "Transfer"], count),
            "locale": locale,
            "locale_name": np.where(locale == "National", "Ecuador", place),
            "description": "made up",
            "transferred": source.random(count) < 0.1,
        }
    )
