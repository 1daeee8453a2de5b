"""Reads what pipeline `monitor` found."""

import datetime as dt
import os
import stat
from pathlib import Path
from typing import Any

import pydantic_core
from pydantic import ValidationError

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.serving.monitoring_summary import FORMAT, VERSION, Summary

COMMAND = "kedro run --pipeline monitor"

_MOST_BYTES = 20_000_000
_DAYS_OF_TRUST = 2
_Mark = tuple[int, int, int]


class NothingMonitoredError(GroceryDemandError):
    """There is no summary yet."""


class UnreadableSummaryError(GroceryDemandError):
    """The summary is damaged, or of a form that is not known here."""


class SummaryFile:
    """The summary's file, read again when it has changed.

    Args:
        path: Where pipeline `monitor` writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[_Mark, Summary | UnreadableSummaryError] | None = None

    def read(self) -> Summary:
        """Return the summary; it may wait for the disk.

        Raises:
            NothingMonitoredError: If there is no file.
            UnreadableSummaryError: If it cannot be understood.
        """
        mark = self._mark()
        seen = self._seen
        if seen is None or seen[0] != mark:
            seen = self._seen = (mark, self._parse())
        if isinstance(seen[1], UnreadableSummaryError):
            raise UnreadableSummaryError(str(seen[1]))
        return seen[1]

    def _mark(self) -> _Mark:
        """Return what changes whenever the file does."""
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NothingMonitoredError(
                f"Nothing was monitored yet; `{COMMAND}` does it."
            ) from None
        except OSError as error:
            raise self._unreadable(f"cannot be read: {error.strerror}") from error
        # Anything else, such as a pipe, could keep the reader waiting forever.
        if not stat.S_ISREG(found.st_mode):
            raise self._unreadable("is not a file")
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _parse(self) -> Summary | UnreadableSummaryError:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > _MOST_BYTES:
                    return self._unreadable(f"is larger than {_MOST_BYTES:,} bytes")
                contents = pydantic_core.from_json(file.read())
        except OSError as error:
            raise self._unreadable(f"cannot be read: {error.strerror}") from error
        except ValueError as error:
            return self._unreadable(f"is not JSON: {error}")
        wrong_kind = _wrong_kind(contents)
        if wrong_kind:
            return self._unreadable(wrong_kind)
        try:
            return Summary.model_validate(contents)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            return self._unreadable(f"has a wrong value in {where}: {first['msg']}")

    def _unreadable(self, what: str) -> UnreadableSummaryError:
        return UnreadableSummaryError(f"{self._path} {what}. Make it anew with `{COMMAND}`.")


def days_since(made_at: dt.datetime, now: dt.datetime) -> int:
    """Return whole days between; a time without a zone is UTC."""
    made_at = made_at if made_at.tzinfo else made_at.replace(tzinfo=dt.UTC)
    return (now - made_at).days


def find_notices(summary: Summary, served_version: int | None, now: dt.datetime) -> list[str]:
    """Return why the summary may not tell of the present.

    Args:
        summary: What monitoring found.
        served_version: Version of the champion that is served; None if there is none.
        now: The present time, in UTC.
    """
    notices = []
    age = days_since(summary.made_at, now)
    if age >= _DAYS_OF_TRUST:
        notices.append(f"Monitored {age:,} days ago: `{COMMAND}` looks at the present.")
    monitored = summary.model_version
    if None not in (served_version, monitored) and served_version != monitored:
        notices.append(
            f"All this is of model version {monitored}, but version {served_version} is served "
            f"now: `{COMMAND}` looks at that one."
        )
    return notices


def _wrong_kind(contents: Any) -> str:
    """Return why it is no summary of this form; empty if it says that it is one."""
    told = contents if isinstance(contents, dict) else {}
    if told.get("format") != FORMAT:
        return f"is no summary of monitoring: its `format` is not “{FORMAT}”"
    if told.get("version") != VERSION:
        version = str(told.get("version"))[:20]
        return f"has version {version}, but this web app reads version {VERSION}"
    return ""
