"""The search language finds what a naive loop over the events finds."""

import contextlib
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_rows import NOW, make_row
from grocery_demand.serving.events.log import Entries, EventLog
from grocery_demand.serving.events.search import (
    FIELDS,
    QueryError,
    Search,
    count_events,
    count_over_time,
    find_events,
    time_range,
)

ROWS = [make_row(i) for i in range(12)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    log = EventLog(f"sqlite:///{tmp_path_factory.mktemp('events')}/events.db", max_age_days=100_000)
    log.add(Entries(predictions=ROWS[::-1])).result(10)
    yield log.engine
    log.close()


def numbers_of(engine, query):
    found = find_events(engine, Search(query, 0, NOW), 100)
    assert count_events(engine, Search(query, 0, NOW)) == len(found)
    return sorted(int(event["id"], 16) for event in found)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("", lambda r: True),
        ('tag:"user1.prediction"', lambda r: r["tag"] == "user1.prediction"),
        ("tag:USER1.prediction", lambda r: r["tag"] == "user1.prediction"),
        ("tag:user*", lambda r: True),
        ("store_nbr:47", lambda r: r["store_nbr"] == 47),
        ("store_nbr>=47 prediction<9", lambda r: r["store_nbr"] >= 47 and r["prediction"] < 9),
        ("family:DAIRY AND perishable:true", lambda r: r["family"] == "DAIRY"),
        ("-family:DAIRY", lambda r: r["family"] != "DAIRY"),
        ("NOT family:DAIRY NOT store_nbr:41",
         lambda r: r["family"] != "DAIRY" and r["store_nbr"] != 41),
        ('family:"GROCERY I"', lambda r: r["family"] == "GROCERY I"),
        ("grocery", lambda r: True),
        ("dairy", lambda r: r["family"] == "DAIRY"),
        ("47", lambda r: r["store_nbr"] == 47 or "47" in r["id"]),
        ("99197", lambda r: True),
        ("50%_", lambda r: True),
        ("5x%", lambda r: False),
        ("run_id:*", lambda r: r["run_id"] is not None),
        ("quantile_0.9:2.5", lambda r: True),
        ("'; DROP TABLE prediction_events; --", lambda r: False),
    ],
)  # fmt: skip
def test_a_query_finds_what_a_loop_finds(engine, query, is_found):
    assert numbers_of(engine, query) == [i for i, row in enumerate(ROWS) if is_found(row)]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("store:47", "did you mean `store_nbr`"),
        ("store_nbr:milk", "is not a whole number"),
        ("prediction>high", "is not a number"),
        ("long_range:maybe", "is not true or false"),
        ("store_nbr:99999999999", "too large"),
        ("prediction:nan", "too large"),
        ('tag:"open', "quotation mark"),
        ("x" * 501, "500 are allowed"),
    ],
)
def test_a_query_that_is_not_understood_says_why(engine, query, told):
    with pytest.raises(QueryError, match=told):
        count_events(engine, Search(query, 0, NOW))


@given(st.text(max_size=60))
def test_any_text_is_searched_or_refused(engine, text):
    with contextlib.suppress(QueryError):
        assert 0 <= count_events(engine, Search(text, 0, NOW)) <= len(ROWS)


def test_the_newest_come_first_and_pages_follow_each_other(engine):
    first = find_events(engine, Search("", 0, NOW), 5)
    second = find_events(engine, Search("", 0, NOW), 100, before=first[-1]["seq"])
    assert [e["seq"] for e in first + second] == list(range(12, 0, -1))


def test_the_histogram_counts_every_event_once_and_shows_gaps(engine):
    search = Search("", NOW - 3_600_000, NOW)
    width, counts = count_over_time(engine, search)
    assert sum(count for _, count in counts) == len(ROWS)
    starts = [start for start, _ in counts]
    assert all(b - a == width for a, b in itertools.pairwise(starts))
    assert len(counts) <= 62
    assert any(count == 0 for _, count in counts)


def test_events_outside_the_range_are_left_out(engine):
    assert count_events(engine, Search("", NOW - 120_000, NOW)) == 3


def test_ranges_go_by_name_or_by_two_times():
    assert time_range("1h", now_ms=NOW) == (NOW - 3_600_000, NOW + 1000)
    assert time_range("all", now_ms=NOW)[0] == 0
    assert time_range("all", "1970-01-01T00:00:01", "1970-01-01T00:00:02+00:00") == (1000, 2000)
    for wrong in ({"chosen": "1y"}, {"chosen": "all", "first": "yesterday"}):
        with pytest.raises(QueryError):
            time_range(**wrong)


def test_every_field_of_an_event_can_be_searched_but_those_that_are_long(engine):
    event = find_events(engine, Search("", 0, NOW), 1)[0]
    assert set(event) - set(FIELDS) == {"seq", "time", "features", "contributions"}


def test_times_are_iso(engine):
    event = find_events(engine, Search("", 0, NOW), 1)[0]
    assert event["time"] == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NOW / 1000))


@pytest.fixture
def with_shadows(tmp_path):
    log = EventLog(f"sqlite:///{tmp_path}/events.db", max_age_days=100_000)
    rows = [make_row(1), make_row(2, role="canary", model_version=7),
            make_row(3, role="shadow", shadow_of="of1", model_version=7)]  # fmt: skip
    for row in rows:
        log.add(Entries(predictions=[row])).result(10)
    yield log.engine
    log.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2]), ("model_version:7", [2]), ("role:canary", [2]), ("role:shadow", [3]),
        ("role:*", [1, 2, 3]), ("-role:champion", [2, 3]), ("role:shadow model_version:7", [3]),
        ("shadow_of:of1", [3]), ("shadow_of:*", [3]),
    ],
)  # fmt: skip
def test_forecasts_made_in_shadow_are_found_by_who_asks_for_them(with_shadows, query, found):
    assert numbers_of(with_shadows, query) == found
