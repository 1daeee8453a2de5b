"""Which of the files that arrived are taken in: each once, each by the rules of the first ones."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.checking import (
    CheckedTable,
    examine_table,
    log_rows,
    refuse_useless,
)
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.tables import Known, TableRules, promotion_plan_rules, sales_rules

SALES, PLAN = "train", "test"
TAKEN_IN, REFUSED, KNOWN = "taken_in", "refused", "known"

_DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_SUFFIX = re.compile(r"\.csv|\.gz|\.zip|\.parquet")
_DATES_TOLD = 62

_KEY_SCHEMA = {"date": pl.Date, "store_nbr": pl.Int32, "item_nbr": pl.Int32}
_SALES_SCHEMA = _KEY_SCHEMA | {"unit_sales": pl.Float64, "onpromotion": pl.Boolean}
_PLAN_SCHEMA = {"id": pl.Int64} | _KEY_SCHEMA | {"onpromotion": pl.Boolean}

logger = logging.getLogger(__name__)


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
        reason: Why it is refused, or why it is known; None if it is taken in.
        table: Its rows; None if it was not or could not be read.
    """

    raw: RawTable
    status: str
    reason: str | None = None
    table: CheckedTable | None = None

    @cached_property
    def dates(self) -> list[date]:
        """The days that its good rows are of, sorted."""
        return _find_dates(self.table) if self.table is not None else []

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


def check_incoming(
    incoming: IncomingFiles, panel: Panel, items: pd.DataFrame, parameters: QualityParameters
) -> list[CheckedFile]:
    """Check the files that were not taken in yet, by the order of their names.

    Args:
        incoming: All files in the folder.
        panel: The panel that they are to join, with the files that joined it before.
        items: One row per item.
        parameters: The bounds.

    Returns:
        One entry per file: sales, then plans.
    """
    known = Known(
        stores=pl.Series(panel.stores["store_nbr"].to_numpy()),
        items=pl.Series(items["item_nbr"].to_numpy()),
    )
    ordered = sorted(incoming.files, key=_order)
    sales: list[CheckedFile] = []
    for raw in (raw for raw in ordered if raw.table == SALES):
        rules = sales_rules(parameters, known, find_date(raw.file), str(panel.start_date))
        sales.append(_find_known(raw, panel, sales) or _check(raw, rules, parameters))
    plans = [raw for raw in ordered if raw.table == PLAN]
    rules = promotion_plan_rules(parameters, known)
    sales = [_refuse_shrunken(file, panel, parameters) for file in sales]
    sales = _refuse_beyond_gap(sales, panel, parameters)
    return [*sales, *_choose_plan(plans, panel, rules, parameters)]


def merge_sales(files: Iterable[CheckedFile]) -> pl.DataFrame:
    """Return the sales of the files taken in; of a day in several files, the last file's rows."""
    tables = _find_tables(files, SALES)
    parts: list[pl.DataFrame] = []
    owners: dict[date, str] = {}
    for table in reversed(tables):
        dates = _find_dates(table)
        twice = [day for day in dates if day in owners]
        for day in twice:
            logger.warning(
                "%s is in %s and in %s: the latter counts.", day, table.raw.file, owners[day]
            )
        covered = pl.Series(twice, dtype=pl.Date).implode()
        parts.append(table.kept.filter(~pl.col("date").is_in(covered)) if twice else table.kept)
        owners = dict.fromkeys(dates, table.raw.file) | owners
    return pl.concat([pl.DataFrame(schema=_SALES_SCHEMA), *reversed(parts)])


def find_plan(files: Iterable[CheckedFile]) -> pd.DataFrame:
    """Return the promotion plan taken in; without rows if there is none."""
    tables = _find_tables(files, PLAN)
    rows = tables[-1].kept if tables else pl.DataFrame(schema=_PLAN_SCHEMA)
    return rows.to_pandas().astype({"onpromotion": "boolean"})


def _find_tables(files: Iterable[CheckedFile], table: str) -> list[CheckedTable]:
    taken = [file.table for file in files if file.status == TAKEN_IN and file.raw.table == table]
    return [checked for checked in taken if checked is not None]


def _find_dates(table: CheckedTable) -> list[date]:
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


def _order(raw: RawTable) -> tuple[str, str]:
    return _order_name(raw.file)


def _order_name(file: str) -> tuple[str, str]:
    """Order files by name without ending, so that `…-01-corrected.csv` comes after `…-01.csv`."""
    return _SUFFIX.sub("", file), file


def _find_known(raw: RawTable, panel: Panel, before: list[CheckedFile]) -> CheckedFile | None:
    """Return an entry for a file whose content was taken in under this name or another.

    A feed that sends yesterday's file again under today's name is not known: it is to be refused
    for its dates. Nor is one whose day another file has replaced since, if its name comes after
    that file's: it takes the correction back.
    """
    if panel.taken_in.get(raw.file) == raw.sha256:
        return CheckedFile(raw, KNOWN, "taken in before")
    day = find_date(raw.file)
    for name, sha256 in panel.taken_in.items():
        if sha256 != raw.sha256 or day not in (find_date(name), ""):
            continue
        if not _takes_back(raw, name, panel):
            return CheckedFile(raw, KNOWN, f"taken in before as {name}")
    for other in (file.raw for file in before if file.status == TAKEN_IN):
        if other.sha256 == raw.sha256 and day in (find_date(other.file), ""):
            return CheckedFile(raw, KNOWN, f"the same as {other.file}")
    return None


def _takes_back(raw: RawTable, name: str, panel: Panel) -> bool:
    """Return whether a file comes after all that replaced the day of a file of the same content."""
    names = list(panel.taken_in)
    day = find_date(name)
    later = [
        other
        for other in names[names.index(name) + 1 :]
        if other.startswith(raw.table) and day and find_date(other) == day
    ]
    return bool(later) and all(_order_name(raw.file) > _order_name(other) for other in later)


def _check(raw: RawTable, rules: TableRules, parameters: QualityParameters) -> CheckedFile:
    table = None
    try:
        table = examine_table(raw, rules, parameters)
        refuse_useless(table, parameters)
    except RawDataError as error:
        return CheckedFile(raw, REFUSED, str(error), table)
    log_rows(table)
    return CheckedFile(raw, TAKEN_IN, None, table)


def _refuse_shrunken(file: CheckedFile, panel: Panel, parameters: QualityParameters) -> CheckedFile:
    """Refuse a file that would replace a known day by a small part of it."""
    if file.status != TAKEN_IN or file.table is None:
        return file
    sold = file.table.kept.filter(pl.col("unit_sales") > 0)
    for day in file.dates:
        if not panel.start_date <= np.datetime64(day) <= panel.cutoff:
            continue
        known = int(np.count_nonzero(panel.units[:, panel.day_of(day.isoformat())] > 0))
        given = sold.filter(pl.col("date") == day).height
        if given < parameters.min_corrected_share * known:
            reason = (
                f"has sales of {given:,} of the {known:,} products and stores that sold on {day}. "
                "A file that corrects a day replaces all of it: put the whole day's sales there. "
                "If most of them are void, allow it with --params quality.min_corrected_share=0."
            )
            return replace(file, status=REFUSED, reason=f"{file.raw.place} {reason}")
    return file


def _refuse_beyond_gap(
    files: list[CheckedFile], panel: Panel, parameters: QualityParameters
) -> list[CheckedFile]:
    """Refuse files with days after so long a gap that days must be missing in between."""
    while True:
        taken = [file for file in files if file.status == TAKEN_IN]
        days = {np.datetime64(day) for file in taken for day in file.dates}
        later = np.array([panel.cutoff, *sorted(day for day in days if day > panel.cutoff)])
        gaps = np.diff(later).astype(int) - 1
        too_long = np.flatnonzero(gaps > parameters.max_new_gap_days)
        if not len(too_long):
            return files
        last, gap = later[too_long[0]], gaps[too_long[0]]
        reason = (
            f"has sales of {later[too_long[0] + 1]}, {gap} days after {last}, the last day known "
            f"before; quality.max_new_gap_days allows {parameters.max_new_gap_days}. Put the days "
            "in between there, too."
        )
        beyond = {file.raw.sha256 for file in taken if np.datetime64(file.dates[-1]) > last}
        files = [
            replace(file, status=REFUSED, reason=f"{file.raw.place} {reason}")
            if file.raw.sha256 in beyond and file.status != REFUSED
            else file
            for file in files
        ]


def _choose_plan(
    plans: list[RawTable], panel: Panel, rules: TableRules, parameters: QualityParameters
) -> list[CheckedFile]:
    """Take the newest plan that passes its checks; older ones have nothing to say any more.

    The date in the name says which is the newest. A plan without a date counts as older than
    those that wait beside it, and as newer than those taken in before.
    """
    dated = [find_date(name) for name in panel.taken_in if name.startswith(PLAN)]
    standing = max(dated, default="")
    found: list[CheckedFile] = []
    chosen = ""
    for raw in sorted(plans, key=lambda raw: (find_date(raw.file), *_order(raw)), reverse=True):
        day = find_date(raw.file)
        known = _find_known(raw, panel, found)
        if known is not None:
            found.append(known)
        elif chosen or "" < day < standing:
            newer = chosen or f"that of {standing}"
            found.append(CheckedFile(raw, KNOWN, f"an older plan than {newer}"))
        else:
            found.append(_check(raw, rules, parameters))
            chosen = raw.file if found[-1].status == TAKEN_IN else ""
    return found[::-1]
