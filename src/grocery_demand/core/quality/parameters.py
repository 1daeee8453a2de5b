"""What counts as a bad row, and how many of them are too many."""

import re

import numpy as np

from grocery_demand.core.parameters import parameters, require


@parameters("quality")
class QualityParameters:
    """The bounds that raw rows are checked against.

    Attributes:
        max_bad_share: Largest share of bad rows in a table, 0 to 1; more of them stop the run.
        max_units: Largest plausible unit_sales of a row, either sign.
        first_date: First plausible date in any table, ISO.
        last_date: Last plausible date in any table, ISO.
        max_gap_days: Longest plausible span without any sale in the whole table, in days; the
            smaller side of a longer gap is set aside.
        max_new_gap_days: Days that may be missing between the last known day and one that arrives.
        min_corrected_share: Of the series that sold on a known day, the share that has to have
            sales in a file that corrects it, 0 to 1: a correction replaces the whole day.

    Raises:
        ParameterError: When a value is not allowed.
    """

    max_bad_share: float
    max_units: float
    first_date: str
    last_date: str
    max_gap_days: int
    max_new_gap_days: int = 14
    min_corrected_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse bounds that no row, or any row, would keep."""
        share, units, gap = self.max_bad_share, self.max_units, self.max_gap_days
        require(0 <= share <= 1, "quality.max_bad_share", share, "a share from 0 to 1")
        require(0 < units < float("inf"), "quality.max_units", units, "a number above 0")
        require(gap >= 1, "quality.max_gap_days", gap, "a whole number of days, 1 or more")
        gap, share = self.max_new_gap_days, self.min_corrected_share
        require(gap >= 0, "quality.max_new_gap_days", gap, "a whole number of days, 0 or more")
        require(0 <= share <= 1, "quality.min_corrected_share", share, "a share from 0 to 1")
        for name in ("first_date", "last_date"):
            _require_date(f"quality.{name}", getattr(self, name))
        in_order = self.first_date <= self.last_date
        require(in_order, "quality.last_date", self.last_date, f"{self.first_date} or later")


def _require_date(name: str, value: str) -> None:
    require(_is_date(value), name, value, 'an ISO date such as "2013-01-01"')


def _is_date(value: str) -> bool:
    try:
        np.datetime64(value, "D")
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
