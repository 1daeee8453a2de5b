"""The panel: units and promotions of every series on every day, as dense arrays."""

from calendar import isleap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.calendar import Calendar
from grocery_demand.core.parts import Answer, PanelParts, cut_evenly

_MONTH = 28

SERIES_KEY = ["store_nbr", "item_nbr"]
ITEM_ATTRIBUTES = ["family", "class", "perishable"]
STORE_ATTRIBUTES = ["city", "state", "type", "cluster"]

STORE_GROUPS: dict[str, list[str]] = {
    "class_store": ["class", "store_nbr"],
    "family_store": ["family", "store_nbr"],
}
"""Groups of series within a store by name, with the columns that define them."""

PERISHABLE_WEIGHT = 1.25
"""Weight of perishable items in the metric (Kaggle's evaluation page); others weigh 1."""


@dataclass(frozen=True)
class Panel(PanelParts):
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
    def start_day(self) -> int:
        """Day 0 as days since 1970-01-01."""
        return int(self.start_date.astype("datetime64[D]").astype(int))

    @property
    def n_days(self) -> int:
        """Days with known sales."""
        return self.units.shape[1]

    @property
    def n_planned_days(self) -> int:
        """Days after the cutoff for which promotions are known."""
        return self.promotions.shape[1] - self.n_days

    @cached_property
    def first_sale(self) -> np.ndarray:
        """Day of the first row of each series; `n_days` if it has none, int [series]."""
        return self.series["first_sale"].to_numpy()

    @cached_property
    def items(self) -> tuple[np.ndarray, np.ndarray]:
        """Each series' position among the items, int [series], and these, ascending, int [item]."""
        return pd.factorize(self.series["item_nbr"].to_numpy(), sort=True)

    @cached_property
    def store_groups(self) -> dict[str, np.ndarray]:
        """The group within its store of each series, int [series], by name of the grouping."""
        return {
            name: self.series.groupby(columns, sort=True).ngroup().to_numpy()
            for name, columns in STORE_GROUPS.items()
        }

    @property
    def bounds(self) -> np.ndarray:
        """Bounds of the only part: the panel itself."""
        return np.array([0, len(self.series)])

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask the only part: the panel itself."""
        return [function(self, *shared) if own is None else function(self, own[0], *shared)]

    def tabulate(
        self,
        function: Callable[..., pd.DataFrame],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> pd.DataFrame:
        """Return the table of the only part: the panel itself."""
        return self.map(function, *shared, own=own)[0]

    @cached_property
    def store_position(self) -> np.ndarray:
        """Row of `stores` of each series, int [series]."""
        return np.searchsorted(self.stores["store_nbr"], self.series["store_nbr"])

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight of each series in the metric, float32 [series]."""
        perishable = self.series["perishable"].to_numpy() == 1
        return np.where(perishable, PERISHABLE_WEIGHT, 1).astype(np.float32)

    def closed_years(self, store_nbr: int, date: str) -> list[int]:
        """Return in which earlier years a store was closed on the same date.

        Only years in which it sold something in the four weeks before count.

        Args:
            store_nbr: The store.
            date: ISO date, which may lie after the panel; 29 February is that of leap years alone.
        """
        store = int(np.searchsorted(self.stores["store_nbr"], store_nbr))
        found = []
        for year in range(int(str(self.start_date)[:4]), int(date[:4])):
            if date.endswith("02-29") and not isleap(year):
                continue
            day = self.day_of(f"{year}{date[4:]}")
            if not _MONTH <= day < self.n_days or self.open_days[store, day]:
                continue
            if self.open_days[store, day - _MONTH : day].any():
                found.append(year)
        return found

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

    def select_stores(self, stores: slice) -> "Panel":
        """Return the panel of some consecutive stores only; days stay.

        Args:
            stores: Rows of `stores`.
        """
        kept = self.stores.iloc[stores].reset_index(drop=True)
        store_nbr = self.series["store_nbr"].to_numpy()
        first = np.searchsorted(store_nbr, kept["store_nbr"].min())
        after = np.searchsorted(store_nbr, kept["store_nbr"].max(), side="right")
        return replace(
            self,
            units=self.units[first:after],
            promotions=self.promotions[first:after],
            open_days=self.open_days[stores],
            series=self.series.iloc[first:after].reset_index(drop=True),
            stores=kept,
            calendar=replace(self.calendar, local=self.calendar.local[stores]),
        )

    def cut_stores(self, n_parts: int) -> list[slice]:
        """Return rows of `stores`, cut into parts of about equally many series, none without any.

        Args:
            n_parts: Parts wanted; there may be fewer, as no store is cut.
        """
        return cut_evenly(np.bincount(self.store_position, minlength=len(self.stores)), n_parts)
