"""Nodes of the update pipeline."""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.late_days import note_late_days
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from grocery_demand.core.quality.incoming import check_incoming, find_plan, merge_sales
from grocery_demand.core.quality.incoming_files import (
    REFUSED,
    TAKEN_IN,
    CheckedFile,
    IncomingFiles,
)
from grocery_demand.core.quality.incoming_report import describe_incoming, list_recent_files
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.report import list_quarantined_rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrivals:
    """What is new, checked.

    Attributes:
        sales: All rows of the days that arrived, one per date, store_nbr and item_nbr.
        promotion_plan: The new plan; without rows if none arrived.
        files: SHA-256 by name of the files in the folder that are in the panel from now on.
        is_new: Whether any file is taken in.
    """

    sales: pl.DataFrame
    promotion_plan: pd.DataFrame
    files: dict[str, str]
    is_new: bool


def check_incoming_files(
    incoming_files: IncomingFiles,
    standing_panel: Panel,
    items: pd.DataFrame,
    former_report: dict[str, Any] | None,
    former_monitoring: dict[str, Any] | None,
    parameters: QualityParameters,
) -> tuple[Arrivals, dict[str, Any], pd.DataFrame]:
    """Check the files that the panel does not know, by the rules of the first ones.

    A file that cannot be used is refused, and the others go on: the report and the log say why.

    Returns:
        What is new; the data-quality report, with an entry per file; and the quarantined rows.
    """
    files = check_incoming(incoming_files, standing_panel, items, parameters)
    sales = merge_sales(files)
    _tell(files, incoming_files.folder)
    _warn_of_gaps(sales, standing_panel)
    simulated = standing_panel.simulated or any(_is_simulated(file) for file in files)
    arrivals = Arrivals(
        sales,
        find_plan(files),
        {file.raw.file: file.raw.sha256 for file in files if file.status != REFUSED},
        any(file.status == TAKEN_IN for file in files),
    )
    report = describe_incoming(files, sales, simulated=simulated)
    report["other_files"] = list(incoming_files.others)
    monitored = (former_monitoring or {}).get("cutoff")
    report["updated_on"] = str(datetime.now().astimezone().date())
    report["updates_without_new_day"] = _count_updates(
        arrivals, standing_panel, former_report or {}, monitored, report["updated_on"]
    )
    cutoff = standing_panel.cutoff.astype(object)
    report["recent_files"] = list_recent_files(
        former_report, files, cutoff, standing_panel.taken_in
    )
    tables = [file.table for file in files if file.table is not None]
    return arrivals, report, list_quarantined_rows(tables)


def take_in_arrivals(
    standing_panel: Panel,
    arrivals: Arrivals,
    sales: pl.LazyFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    new_data_quality: dict[str, Any],
) -> tuple[pl.DataFrame, Panel]:
    """Release the new days to the sales table, and put them into the panel.

    The panel is stored last, with the names of the files it took in: a run that breaks off before
    can simply be run again. Without anything new, the panel is the very one that stands.
    """
    if not arrivals.is_new:
        return arrivals.sales, standing_panel
    extended = extend_panel(
        standing_panel,
        arrivals.sales,
        arrivals.promotion_plan,
        items,
        stores,
        holidays_events,
        sales,
    )
    digests = f"{standing_panel.digest} {new_data_quality['digest']}"
    panel = replace(
        extended,
        digest=hashlib.sha256(digests.encode()).hexdigest(),
        simulated=new_data_quality["simulated"],
        taken_in=_append(standing_panel.taken_in, arrivals.files),
        late_days=note_late_days(standing_panel, arrivals.sales["date"].unique()),
    )
    logger.info(
        "Panel: %d series × %d days up to %s (before: %d × %d), promotions known for %d days more.",
        len(panel.series),
        panel.n_days,
        panel.cutoff,
        len(standing_panel.series),
        standing_panel.n_days,
        panel.n_planned_days,
    )
    return arrivals.sales, panel


def _count_updates(
    arrivals: Arrivals, panel: Panel, former: dict[str, Any], monitored: str | None, today: str
) -> int:
    """Return on how many dates in a row an update brought no day after the last known.

    One that takes in late or corrected days is none of them, nor is one that follows another one
    on the same date, or repeats a day's work which broke off before it was monitored: nothing says
    then that a delivery is missing. One that takes in a plan alone is: its sales are missing.
    """
    if (arrivals.sales["date"].to_numpy().astype("datetime64[D]") > panel.cutoff).any():
        return 0
    known = int(former.get("updates_without_new_day", 0))
    is_repeat = monitored is not None and monitored < str(panel.cutoff)
    is_repeat |= former.get("updated_on") == today
    return known if len(arrivals.sales) or is_repeat else known + 1


def _is_simulated(file: CheckedFile) -> bool:
    return file.status == TAKEN_IN and file.raw.simulated


def _tell(files: list[CheckedFile], folder: str) -> None:
    """Log what is refused, with the reason and its mend, days told to be closed, what is new."""
    for file in files:
        if file.status == REFUSED:
            logger.error("Refused, to be tried again next time: %s", file.reason)
        elif file.closed_day is not None:
            logger.warning("%s %s.", file.raw.file, file.reason)
    taken = [file.raw.file for file in files if file.status == TAKEN_IN]
    if taken:
        shown = ", ".join(taken if len(taken) <= 5 else [*taken[:2], "…", taken[-1]])  # noqa: PLR2004
        logger.info("New in %s: %d files (%s).", folder, len(taken), shown)
        return
    logger.warning(
        "Nothing new in %s: panel and sales stay as they are. Put files there, such as "
        "train-2017-06-01.csv with the sales of a day and test-2017-06-01.csv with the promotions "
        "planned after it, or name another folder by new_dir in conf/base/globals.yml, or with "
        "--params new_dir=…",
        folder,
    )


def _warn_of_gaps(sales: pl.DataFrame, panel: Panel) -> None:
    """Log how many days after the panel's last are left without sales."""
    later = sales["date"].unique().sort().to_numpy().astype("datetime64[D]")
    later = later[later > panel.cutoff]
    if len(later) and (later[-1] - panel.cutoff).astype(int) > len(later):
        missing = int((later[-1] - panel.cutoff) / np.timedelta64(1, "D")) - len(later)
        logger.warning(
            "Days without any sales between %s and %s: %d. They count as closed until sales come.",
            panel.cutoff, later[-1], missing,
        )  # fmt: skip


def _append(taken_in: dict[str, str], files: dict[str, str]) -> dict[str, str]:
    """Return the files in the order in which they were taken in; a new content counts anew."""
    return {name: sha256 for name, sha256 in taken_in.items() if name not in files} | files
