"""From dates, store and item numbers to positions in arrays."""

import numpy as np
import polars as pl

_LARGEST_LOOKUP = 2**24


class Positions:
    """The positions of numbers in the sorted row of the numbers that are known.

    Attributes:
        numbers: The known numbers, sorted, each once, int64.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = np.unique(np.asarray(numbers, np.int64))
        self._lookup: np.ndarray | None = None
        highest = int(self.numbers.max(initial=0))
        if highest < _LARGEST_LOOKUP:
            self._lookup = np.zeros(highest + 1, np.int32)
            self._lookup[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the position of each number, int32; every number has to be a known one."""
        if self._lookup is not None:
            return self._lookup[numbers]
        return np.searchsorted(self.numbers, numbers).astype(np.int32)


def number_days(dates: pl.Series) -> np.ndarray:
    """Return dates as days since 1970-01-01, int32."""
    return dates.to_physical().to_numpy()


def find_day_span(dates: pl.Series) -> tuple[int, int]:
    """Return the first and the last of some dates, as days since 1970-01-01."""
    first, last = number_days(pl.Series([dates.min(), dates.max()], dtype=pl.Date))
    return int(first), int(last)
