"""Whether new sales arrive, and how many of their files and rows could not be used."""

from collections.abc import Collection
from typing import Any

from grocery_demand.core.monitoring.check import ALARM, HEALTH, OK, WATCH, Check, count
from grocery_demand.core.quality.incoming_files import PLAN, SALES

_MAX_QUARANTINED_SHARE = 0.01
_FEWEST_QUARANTINED = 10
"""Rows of a file; a few wrong ones change no day."""
_MOST_NAMES = 3
_MEND_FILES = (
    "See the reasons, which `kedro daily` and the page /monitoring list, have the files mended, "
    "and put them into the folder again."
)
_MEND_NAMES = (
    "Sales are named train-2017-06-01.csv, plans test-2017-06-01.csv: rename or remove them."
)
_MEND_ROWS = (
    "Have these files mended, and put them into the folder again; if nobody can, name their days "
    "in monitoring.accepted_days in conf/base/parameters.yml. "
)
_MEND_PLAN = "Have the plan mended, and put it into the folder again, or the next one. "
_WHERE = (
    "The rows and their reasons: data/02_intermediate/new_quarantined_rows.parquet, those of "
    "earlier updates on their MLflow runs."
)


def check_arrivals(
    report: dict[str, Any], since: str, max_updates: int, taken_in: Collection[str]
) -> list[Check]:
    """Check what the updates said of new days, rows and files.

    Args:
        report: Data quality of the new files, see `core.quality.incoming_report`.
        since: The first day whose rows are looked at, ISO.
        max_updates: Updates in a row without a new day that are an alarm.
        taken_in: Names of the files in the panel; rows of others are in no forecast.
    """
    files = _list_files(report, taken_in)
    return [
        _check_new_days(report, max_updates),
        _check_rows(files, since),
        _check_plan(files),
        _check_files(report),
    ]


def _check_new_days(report: dict[str, Any], max_updates: int) -> Check:
    """Say how often the update found no day later than the last one known."""
    name = "new days"
    n_updates = report.get("updates_without_new_day", 0)
    if not n_updates:
        told = "On the date of the last update, new days of sales arrived."
        return Check(HEALTH, name, OK, told, "", 0.0, max_updates)
    state = ALARM if n_updates >= max_updates else WATCH
    told = f"On the last {n_updates} dates with an update, no new day of sales arrived."
    told = "The last update brought no new day of sales." if n_updates == 1 else told
    mend = "Ask those who send the files why none come."
    return Check(HEALTH, name, state, told, mend, float(n_updates), float(max_updates))


def _check_rows(known: list[dict[str, Any]], since: str) -> Check:
    """Say how many rows of the sales of all new days were set aside, and of which file the most.

    Each file counts until another one with the same days has taken its place.
    """
    name = "rows set aside"
    files = [file for file in known if file.get("table") != PLAN and file["dates"][-1] >= since]
    read = sum(file["rows_read"] for file in files)
    aside = sum(file["rows_quarantined"] for file in files)
    share = aside / read if read else 0.0
    told = f"{aside:,} of {read:,} new rows were set aside ({share:.2%}), "
    told += f"of {count(len(files), 'file')}."
    worst = max((_share(file) for file in files), default=0.0)
    bad = sorted((f for f in files if _has_many(f)), key=_share)[::-1]
    if not bad:
        return Check(HEALTH, name, OK, told, "", worst, _MAX_QUARANTINED_SHARE)
    told += " Too many of " + _name([f"{file['file']} ({_share(file):.1%})" for file in bad]) + "."
    days = tuple(sorted({d for file in bad if file.get("table") == SALES for d in file["dates"]}))
    mend = _MEND_ROWS + _WHERE
    return Check(HEALTH, name, ALARM, told, mend, worst, _MAX_QUARANTINED_SHARE, days)


def _check_plan(known: list[dict[str, Any]]) -> Check:
    """Say how many rows of the plan that stands were set aside."""
    name = "rows of the plan set aside"
    plans = [file for file in known if file.get("table") == PLAN]
    if not plans:
        return Check(HEALTH, name, OK, "No plan was taken in yet.", "", 0.0, _MAX_QUARANTINED_SHARE)
    plan, share = plans[-1], _share(plans[-1])
    told = f"{plan['rows_quarantined']:,} of {plan['rows_read']:,} rows of {plan['file']} were set "
    told += f"aside ({share:.2%})."
    state, mend = (ALARM, _MEND_PLAN + _WHERE) if _has_many(plan) else (OK, "")
    return Check(HEALTH, name, state, told, mend, share, _MAX_QUARANTINED_SHARE)


def _list_files(report: dict[str, Any], taken_in: Collection[str]) -> list[dict[str, Any]]:
    """Return the files of the last year that are in the panel.

    A report of an earlier version knows the last update alone.
    """
    if "recent_files" in report:
        return [file for file in report["recent_files"] if file["file"] in taken_in]
    counts = {name: report.get(name, 0) for name in ("rows_read", "rows_quarantined")}
    return [{"file": "the last update", "dates": ["9999-12-31"]} | counts]


def _has_many(file: dict[str, Any]) -> bool:
    """Say whether so many rows were set aside that the file's days cannot be relied on."""
    enough = file["rows_quarantined"] >= _FEWEST_QUARANTINED
    return bool(enough and _share(file) > _MAX_QUARANTINED_SHARE)


def _share(file: dict[str, Any]) -> float:
    return float(file["rows_quarantined"] / max(file["rows_read"], 1))


def _check_files(report: dict[str, Any]) -> Check:
    """Say what the last update refused; it is tried again by each one."""
    files = report.get("files", [])
    refused = [file["file"] for file in files if file["status"] == "refused"]
    others = report.get("other_files", [])
    misnamed = f" By their names not taken in: {_name(others)}." if others else ""
    if not refused:
        told = f"{count(len(files), 'file')} in the folder of incoming files, none refused."
        told += misnamed
        if others:
            return Check(HEALTH, "files refused", WATCH, told, _MEND_NAMES, 0.0, 0.0)
        return Check(HEALTH, "files refused", OK, told, "", 0.0, 0.0)
    were = "was" if len(refused) == 1 else "were"
    told = f"{count(len(refused), 'file')} {were} refused ({_name(refused)})." + misnamed
    return Check(HEALTH, "files refused", ALARM, told, _MEND_FILES, float(len(refused)), 0.0)


def _name(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + ", …" * (len(names) > _MOST_NAMES)
