"""What arrives: files of sales and promotion plans, and what became of each."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.raw_table import RawTable

SALES, PLAN = "train", "test"
TAKEN_IN, REFUSED, KNOWN = "taken_in", "refused", "known"

_DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_DATES_TOLD = 62


@dataclass(frozen=True)
class IncomingFiles:
    """The folder where new sales arrive.

    Attributes:
        folder: Where it lies, for messages.
        files: Its sales (`train*`) and promotion plans (`test*`), not yet read.
        others: Names of what else lies there, which is not taken in.
    """

    folder: str
    files: list[RawTable]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckedFile:
    """What became of one file.

    Attributes:
        raw: The file.
        status: `taken_in`, `refused` (it is tried again next time) or `known`.
        reason: Why it is refused, or why it has nothing new; None if it is taken in.
        table: Its rows; None if it was not or could not be read.
        closed_day: The day that it tells to have been without sales; None if it tells of none.
    """

    raw: RawTable
    status: str
    reason: str | None = None
    table: CheckedTable | None = None
    closed_day: date | None = None

    @cached_property
    def dates(self) -> list[date]:
        """The days that its good rows are of, sorted."""
        return find_dates(self.table) if self.table is not None else []

    def describe(self) -> dict[str, Any]:
        """Return the file's entry in the data-quality report; of many dates the first and last."""
        dates = [day.isoformat() for day in self.dates]
        return {
            "file": self.raw.file,
            "sha256": self.raw.sha256,
            "status": self.status,
            "reason": self.reason,
            "dates": dates if len(dates) <= _DATES_TOLD else [dates[0], dates[-1]],
            "rows_read": self.table.rows_read if self.table else 0,
            "rows_quarantined": self.table.rejected.height if self.table else 0,
        }


def find_dates(table: CheckedTable) -> list[date]:
    """Return the days that a table's good rows are of, sorted."""
    return table.kept["date"].unique().sort().to_list()


def find_date(file: str) -> str:
    """Return the ISO date in a file's name; empty if there is none, or more than one."""
    found = _DATE.findall(file)
    return found[0] if len(found) == 1 and _is_date(found[0]) else ""


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
