"""The summary of monitoring is read when it changes, and refused with the reason and the mend."""

import datetime as dt
import json
import os

import pytest

from grocery_demand.serving.monitoring import (
    NothingMonitoredError,
    SummaryFile,
    UnreadableSummaryError,
    find_notices,
)
from grocery_demand.serving.monitoring_summary import Summary
from monitored import SUMMARY, bare_summary, make_summary, with_every_number, write_summary

MEND = "kedro run --pipeline monitor"
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def summaries(tmp_path):
    return SummaryFile(tmp_path / SUMMARY)


def test_without_a_file_it_says_what_makes_one(summaries):
    with pytest.raises(NothingMonitoredError, match=MEND):
        summaries.read()


def test_a_summary_is_read_once_until_it_changes(summaries, tmp_path):
    write_summary(tmp_path)
    first = summaries.read()
    assert summaries.read() is first
    write_summary(tmp_path, model_version=2)
    assert summaries.read().model_version == 2


def test_a_summary_that_is_mended_or_removed_is_noticed(summaries, tmp_path):
    path = write_summary(tmp_path)
    path.write_text("{")
    for _ in range(2):
        with pytest.raises(UnreadableSummaryError, match="is not JSON"):
            summaries.read()
    write_summary(tmp_path)
    assert summaries.read().simulated
    path.unlink()
    with pytest.raises(NothingMonitoredError):
        summaries.read()


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"format": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[]", "no summary of monitoring"),
        (b'{"format": "parquet"}', "no summary of monitoring"),
        (json.dumps(make_summary(version=2)).encode(), "version 2, but"),
        (json.dumps(make_summary(version=None)).encode(), "version None, but"),
        (json.dumps(make_summary(made_at="yesterday")).encode(), "made_at"),
        (json.dumps(make_summary(advice=None)).encode(), "advice"),
        (json.dumps(make_summary(checks=[{"area": "x"}])).encode(), r"checks\.0\.name"),
        (json.dumps(make_summary(drift={"a": 1})).encode(), "drift"),
        (json.dumps(make_summary(live_by_step=[{"step": 10**400}])).encode(), r"by_step\.0\.step"),
    ],
)
def test_what_cannot_be_understood_is_told_with_the_mend(summaries, tmp_path, contents, told):
    write_summary(tmp_path).write_bytes(contents)
    with pytest.raises(UnreadableSummaryError, match=f"{told}(.|\n)*{MEND}"):
        summaries.read()


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(UnreadableSummaryError, match="is not a file"):
            SummaryFile(tmp_path / name).read()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e300", "9" * 400, "null"])
def test_numbers_that_nobody_can_read_count_as_unknown(summaries, tmp_path, number):
    marked = with_every_number(987654321, make_summary())
    text = json.dumps(marked).replace("987654321", number)
    write_summary(tmp_path).write_text(text)
    found = summaries.read()
    assert {check.value for check in found.checks} == {None}
    assert found.usage.requests is None
    assert found.live_error[0].nwrmsle is None


def test_empty_lists_missing_parts_and_unknown_keys_are_fine():
    assert Summary.model_validate(bare_summary(new_key=1)).checks == []
    few = ("format", "version", "made_at", "simulated")
    bare = {name: value for name, value in bare_summary().items() if name in few}
    found = Summary.model_validate(bare | {"advice": {"decision": "keep"}, "fairness": None})
    assert found.fairness == []
    assert found.usage is None


def test_age_and_another_version_are_noticed():
    made_at = "2026-11-19T11:00:00"
    summary = Summary.model_validate(make_summary(made_at=made_at, model_version=3))
    aged, other = find_notices(summary, 4, NOW)
    assert aged.startswith("Monitored 5 days ago")
    assert "version 3" in other
    assert "version 4 is served" in other
    recent = summary.model_copy(update={"made_at": NOW - dt.timedelta(hours=47)})
    assert find_notices(recent, 3, NOW) == []
    assert find_notices(recent, None, NOW) == []
