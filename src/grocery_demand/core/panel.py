"""The panel: units and promotions of every series on every day, as dense arrays."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from grocery_demand.core.calendar import Calendar

SERIES_KEY = ["store_nbr", "item_nbr"]
ITEM_ATTRIBUTES = ["family", "class", "perishable"]
STORE_ATTRIBUTES = ["city", "state", "type", "cluster"]

PERISHABLE_WEIGHT = 1.25
"""Weight of perishable items in the metric (Kaggle's evaluation page); others weigh 1."""


@dataclass(frozen=True)
class Panel:
    """Units sold and promotions, dense by series and day, zero where no row was recorded.

    Attributes:
        start_date: Day 0, `datetime64[D]`; the cutoff is the last day of `units`.
        units: Units sold, float32 [series, day]; returns count as zero.
        promotions: 1 on promotion, uint8 [series, day]; goes on to the end of the known plan.
        open_days: Whether the store sold anything, bool [store, day].
        series: One row per series, sorted by store_nbr and item_nbr: the key, the attributes of
            its item and store, `first_sale` (day of the first row; days of `units` if none), and
            `last_planned` (last day with a row in the plan; -1 if none).
        stores: One row per store, sorted by store_nbr: the order of `open_days`.
        calendar: Holidays, up to a year after the cutoff.
        digest: SHA-256 of the raw files that the panel was made from.
        simulated: Whether any of these files said that they are simulated.
        taken_in: SHA-256 by name of the files of new days that joined the panel since; kept with
            it, so that each is taken in once.
        late_days: Days that came, or came anew, when later ones were known, as ISO dates: the
            cutoff that stood when each came last. See `core.late_days`.
    """

    start_date: np.datetime64
    units: np.ndarray
    promotions: np.ndarray
    open_days: np.ndarray
    series: pd.DataFrame
    stores: pd.DataFrame
    calendar: Calendar
    digest: str
    simulated: bool = False
    taken_in: dict[str, str] = field(default_factory=dict)
    late_days: dict[str, str] = field(default_factory=dict)

    @property
    def n_days(self) -> int:
        """Days with known sales."""
        return self.units.shape[1]

    @property
    def n_planned_days(self) -> int:
        """Days after the cutoff for which promotions are known."""
        return self.promotions.shape[1] - self.n_days

    @property
    def cutoff(self) -> np.datetime64:
        """The last day with known sales."""
        return self.date_of(self.n_days - 1)

    @cached_property
    def store_position(self) -> np.ndarray:
        """Row of `stores` of each series, int [series]."""
        return np.searchsorted(self.stores["store_nbr"], self.series["store_nbr"])

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight of each series in the metric, float32 [series]."""
        perishable = self.series["perishable"].to_numpy() == 1
        return np.where(perishable, PERISHABLE_WEIGHT, 1).astype(np.float32)

    def date_of(self, day: int) -> np.datetime64:
        """Return the date of a day."""
        return self.start_date + np.timedelta64(int(day), "D")

    def dates_of(self, days: np.ndarray) -> tuple[str, ...]:
        """Return the ISO dates of days."""
        return tuple(str(self.date_of(day)) for day in days)

    def day_of(self, date: str) -> int:
        """Return the day of an ISO date, which may lie outside the panel."""
        return int((np.datetime64(date, "D") - self.start_date).astype(int))

    def until(self, day: int) -> "Panel":
        """Return the panel as it was known at the end of a day; promotions and calendar stay."""
        first_sale = np.minimum(self.series["first_sale"], day + 1)
        return replace(
            self,
            units=self.units[:, : day + 1],
            open_days=self.open_days[:, : day + 1],
            series=self.series.assign(first_sale=first_sale),
        )

    def select(self, rows: np.ndarray) -> "Panel":
        """Return the panel of some series only; stores and days stay."""
        return replace(
            self,
            units=self.units[rows],
            promotions=self.promotions[rows],
            series=self.series.iloc[rows].reset_index(drop=True),
        )
