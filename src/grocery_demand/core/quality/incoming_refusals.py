"""Which files that pass their checks do not fit to the days known so far."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from grocery_demand.core.panel import Panel
from grocery_demand.core.quality.incoming_files import (
    KNOWN,
    REFUSED,
    TAKEN_IN,
    CheckedFile,
    find_date,
)
from grocery_demand.core.quality.parameters import QualityParameters


def pass_over_closed_day(file: CheckedFile, panel: Panel) -> CheckedFile:
    """Return a file of a header alone as one that says nothing, if no sales of its day are known.

    That is how a feed may tell of a day on which all stores are closed. Its day counts as closed,
    as any day between others that has no sales; monitoring asks after those that are unusual.
    """
    day = find_date(file.raw.file)
    if file.status != REFUSED or file.table is None or file.table.rows_read or not day:
        return file
    at = panel.day_of(day)
    if at < 0 or (at < panel.n_days and panel.open_days[:, at].any()):
        return file
    # Without even a header, its sending broke off.
    if not any(block.strip() for block in file.raw.read_blocks()):
        return file
    told = f"holds no rows: {day} counts as closed until sales of it come"
    return replace(file, status=KNOWN, reason=told, closed_day=date.fromisoformat(day))


def refuse_shrunken(file: CheckedFile, panel: Panel, parameters: QualityParameters) -> CheckedFile:
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


def refuse_beyond_gap(
    files: list[CheckedFile], panel: Panel, parameters: QualityParameters
) -> list[CheckedFile]:
    """Refuse files with days after so long a gap that days must be missing in between.

    Days that a file tells to have been without sales are not missing.
    """
    while True:
        days = {day for file in files for day in _list_days(file)}
        later = np.array([panel.cutoff, *sorted(day for day in days if day > panel.cutoff)])
        gaps = np.diff(later).astype(int) - 1
        too_long = np.flatnonzero(gaps > parameters.max_new_gap_days)
        if not len(too_long):
            return files
        last, gap = later[too_long[0]], gaps[too_long[0]]
        reason = (
            f"is of {later[too_long[0] + 1]}, {gap} days after {last}, the last day known "
            f"before; quality.max_new_gap_days allows {parameters.max_new_gap_days}. Put the days "
            "in between there, too."
        )
        beyond = [file for file in files if max(_list_days(file), default=last) > last]
        contents = {file.raw.sha256 for file in beyond if file.status == TAKEN_IN}
        files = [
            replace(file, status=REFUSED, reason=f"{file.raw.place} {reason}", closed_day=None)
            if file in beyond or (file.status == KNOWN and file.raw.sha256 in contents)
            else file
            for file in files
        ]


def _list_days(file: CheckedFile) -> list[np.datetime64]:
    """Return the days that a file brings, or tells to have been without sales, ascending."""
    if file.closed_day is not None:
        return [np.datetime64(file.closed_day)]
    return [np.datetime64(day) for day in file.dates] if file.status == TAKEN_IN else []
