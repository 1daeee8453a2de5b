"""Two panels held against each other, to the bit."""

from dataclasses import fields

import numpy as np
import pandas as pd

from grocery_demand.core.panel import Panel


def assert_same(one: Panel, other: Panel) -> None:
    for field in fields(Panel):
        if field.name not in {"series", "stores", "calendar"}:
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name
    pd.testing.assert_frame_equal(one.series, other.series)
    pd.testing.assert_frame_equal(one.stores, other.stores)
    np.testing.assert_array_equal(one.calendar.local, other.calendar.local)
    np.testing.assert_array_equal(one.calendar.national, other.calendar.national)
