"""Which of the files that arrived are taken in: each once, each by the rules of the first ones."""

import logging
import re
from collections.abc import Iterable
from datetime import date

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
from grocery_demand.core.quality.incoming_files import (
    KNOWN,
    PLAN,
    REFUSED,
    SALES,
    TAKEN_IN,
    CheckedFile,
    IncomingFiles,
    find_date,
    find_dates,
)
from grocery_demand.core.quality.incoming_refusals import (
    pass_over_closed_day,
    refuse_beyond_gap,
    refuse_shrunken,
)
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.tables import Known, TableRules, promotion_plan_rules, sales_rules

_SUFFIX = re.compile(r"\.csv|\.gz|\.zip|\.parquet")

_KEY_SCHEMA = {"date": pl.Date, "store_nbr": pl.Int32, "item_nbr": pl.Int32}
_SALES_SCHEMA = _KEY_SCHEMA | {"unit_sales": pl.Float64, "onpromotion": pl.Boolean}
_PLAN_SCHEMA = {"id": pl.Int64} | _KEY_SCHEMA | {"onpromotion": pl.Boolean}

logger = logging.getLogger(__name__)


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
        checked = _find_known(raw, panel, sales) or _check(raw, rules, parameters)
        sales.append(pass_over_closed_day(checked, panel))
    plans = [raw for raw in ordered if raw.table == PLAN]
    rules = promotion_plan_rules(parameters, known)
    sales = [refuse_shrunken(file, panel, parameters) for file in sales]
    sales = refuse_beyond_gap(sales, panel, parameters)
    return [*sales, *_choose_plan(plans, panel, rules, parameters)]


def merge_sales(files: Iterable[CheckedFile]) -> pl.DataFrame:
    """Return the sales of the files taken in; of a day in several files, the last file's rows."""
    tables = _find_tables(files, SALES)
    parts: list[pl.DataFrame] = []
    owners: dict[date, str] = {}
    for table in reversed(tables):
        dates = find_dates(table)
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
