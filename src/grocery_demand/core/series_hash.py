"""Numbers that look random and are the same for a series, on any day, in any panel."""

import numpy as np
import pandas as pd

from grocery_demand.core.panel import SERIES_KEY

_STORE, _ITEM, _DAY = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_MIX = 0xBF58476D1CE4E5B9
_BITS = 53


def hash_series(series: pd.DataFrame) -> np.ndarray:
    """Return a number for each series that depends on store_nbr and item_nbr alone, uint64."""
    store, item = (series[name].to_numpy().astype(np.uint64) for name in SERIES_KEY)
    return _mix(store * np.uint64(_STORE) + item * np.uint64(_ITEM))


def draw_uniform(hashes: np.ndarray, epoch_day: np.ndarray | int) -> np.ndarray:
    """Return a number from 0 to 1 for each series and day, float64, broadcast.

    Args:
        hashes: See `hash_series`.
        epoch_day: Days since 1970-01-01.
    """
    day = np.asarray(epoch_day).astype(np.uint64) * np.uint64(_DAY)
    mixed = _mix(_mix(hashes ^ day) + np.uint64(_STORE))
    return (mixed >> np.uint64(64 - _BITS)).astype(float) * 2.0**-_BITS


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread each bit over all others (the multiplications of Steele et al. 2014, SplitMix)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(_MIX)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
