"""Features laid out so that a few of them are found at once: for the web app."""

import numpy as np

from grocery_demand.core.features.ahead import AHEAD_FEATURES, CALENDAR_FEATURES, Ahead
from grocery_demand.core.features.encoding import ATTRIBUTES, Encoding
from grocery_demand.core.features.matrix import RELATIVE, Snapshot

_OF_DAY = {*CALENDAR_FEATURES, "step"} - {"local_holiday"}


class FeatureTables:
    """What `Snapshot.features` gives, for single pairs of series and day.

    What depends on the series, or on series and weekday, is computed once by the same function
    and then looked up; what depends on the day and the plan is computed by it for each pair.

    Attributes:
        names: The features, in the order of the columns.
        encoding: The vocabulary by which attributes became numbers.
    """

    def __init__(self, snapshot: Snapshot, encoding: Encoding, names: tuple[str, ...]) -> None:
        """Compute the tables.

        Args:
            snapshot: What is known at the cutoff.
            encoding: The model's vocabulary.
            names: The features wanted.
        """
        self.names = names
        self._snapshot = snapshot
        self.encoding = encoding
        kinds = np.array([self._kind_of(name) for name in names])
        self._ahead, self._of_weekday, self._of_series, self._of_day = (
            np.flatnonzero(kinds == kind) for kind in ("ahead", "weekday", "series", "day")
        )
        everything = np.arange(len(snapshot.panel.series))
        last_step = len(snapshot.panel.calendar.national) - 1 - snapshot.day
        self._series_table = self._tabulate(self._of_series, everything, 1)[:, 0]
        self._weekday_table = self._tabulate(self._of_weekday, everything, 7)
        self._day_table = self._tabulate(self._of_day, everything[:1], last_step)[0]
        # What the snapshot finds at first use is found now, not at the first request.
        self.features(everything[:1], np.ones(len(everything[:1]), int))

    def features(
        self, rows: np.ndarray, steps: np.ndarray, what_if: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the features of pairs of series and day, float32 [pair, feature].

        Args:
            rows: Positions of the series, int [pair].
            steps: Days ahead of the cutoff, int [pair].
            what_if: Promotions assumed, see `Ahead`, int8 [pair].
        """
        matrix = np.empty((len(rows), len(self.names)), np.float32)
        matrix[:, self._of_series] = self._series_table[rows]
        matrix[:, self._of_weekday] = self._weekday_table[rows, (steps - 1) % 7]
        matrix[:, self._of_day] = self._day_table[steps - 1]
        assumed = None if what_if is None else what_if[:, None]
        ahead = Ahead(rows, steps[:, None], assumed)
        for i in self._ahead:
            feature = self._snapshot.feature(self.names[i], self.encoding, ahead)
            matrix[:, i] = np.broadcast_to(feature, (len(rows), 1))[:, 0]
        return matrix

    def _kind_of(self, name: str) -> str:
        if name in _OF_DAY:
            return "day"
        base = name.removesuffix(RELATIVE)
        if base in AHEAD_FEATURES:
            return "ahead"
        is_of_series = base in ATTRIBUTES or base in self._snapshot.series_stats
        return "series" if is_of_series and base == name else "weekday"

    def _tabulate(self, columns: np.ndarray, rows: np.ndarray, n_steps: int) -> np.ndarray:
        """Return the named features of the first days ahead, float32 [row, step, column]."""
        ahead = Ahead(rows, np.arange(1, n_steps + 1)[None, :])
        table = np.empty((len(rows), n_steps, len(columns)), np.float32)
        for position, i in enumerate(columns):
            table[:, :, position] = self._snapshot.feature(self.names[i], self.encoding, ahead)
        return table
