"""The page's order: what is worst comes first, what is in order is short."""

import datetime as dt

import pytest

from grocery_demand.core.rollout import Rollout
from grocery_demand.serving.monitoring_page import (
    challenger_notice,
    describe,
    fold,
    is_command,
    number_in_words,
    since_in_words,
)
from grocery_demand.serving.monitoring_summary import Summary
from grocery_demand.serving.wording import code_in_words
from grocery_demand.storage.pointer import Pointer
from monitored import bare_summary, make_summary

CUTOFF = dt.date(2017, 6, 28)


@pytest.fixture(scope="module")
def page():
    return describe(Summary.model_validate(make_summary()))


def test_the_worst_area_comes_first_and_its_worst_check(page):
    states = [[check.state for check in area.checks] for area in page["open_areas"]]
    assert states == [["alarm"], ["alarm"], ["watch"], ["watch"], ["watch"]]
    calm = [check.state for area in page["calm_areas"] for check in area.checks]
    assert calm == ["unknown", *["ok"] * 12]
    assert page["counts"] == {"alarm": 2, "watch": 3, "unknown": 1, "ok": 12}


def test_groups_are_ordered_by_state_then_skill(page):
    shown, folded = page["fairness"]
    assert [row.value for row in shown[:3]] == ["SEAFOOD", "DAIRY", "BOOKS"]
    skills = [row.skill for row in [*shown[3:], *folded]]
    assert skills == sorted(skills)
    assert {row.state for row in folded} == {"ok"}


def test_features_are_ordered_by_state_then_by_how_far_they_moved():
    known = {"threshold": 0.2, "state": "ok"}
    skew = [
        {"feature": "none", "state": "ok"},
        {"feature": "small", "psi": 0.01, **known},
        {"feature": "wide", "psi": 0.09, "threshold": 2.0, "state": "ok"},
        {"feature": "large", "psi": 0.1, **known},
        {"feature": "moved", "psi": 0.3, "threshold": 0.2, "state": "watch"},
    ]
    shown, folded = describe(Summary.model_validate(bare_summary(skew=skew)))["skew"]
    names = [row.feature for row in [*shown, *folded]]
    assert names == ["moved", "large", "small", "wide", "none"]


def test_only_rows_in_order_are_folded_away():
    rows = Summary.model_validate(
        bare_summary(drift=[{"column": "x", "state": "alarm"}] * 30 + [{"column": "y"}] * 4)
    ).drift
    assert fold(rows) == (rows, [])


def test_a_summary_of_which_nothing_is_known_is_shown():
    page = describe(Summary.model_validate(bare_summary()))
    assert page["decision"] == "Keep the model"
    assert page["open_areas"] == page["calm_areas"] == page["plots"] == []


def test_since_counts_the_days_of_sales():
    assert since_in_words(CUTOFF, CUTOFF) == "2017-06-28 (1 day of sales)"
    assert since_in_words(CUTOFF - dt.timedelta(4), CUTOFF) == "2017-06-24 (5 days of sales)"
    assert since_in_words(CUTOFF, None) == "2017-06-28"
    assert since_in_words(CUTOFF + dt.timedelta(1), CUTOFF) == "2017-06-29"
    assert since_in_words(None, CUTOFF) == ""


@pytest.mark.parametrize(
    ("text", "is_typed"),
    [
        ("kedro run --pipeline retrain", True),
        ("make run", True),
        ("Nothing to do with the model.", False),
        ("", False),
        ("kedro run --pipeline retrain\nrm -rf /", False),
    ],
)
def test_a_command_is_told_from_a_sentence(text, is_typed):
    assert is_command(text) is is_typed


def test_numbers_and_code_are_written_for_people():
    assert number_in_words(None) == "–"
    assert number_in_words(0.63412) == "0.634"
    assert number_in_words(12345.6) == "12,346"
    assert number_in_words(-0.05, "{:+.1%}") == "−5.0%"
    assert code_in_words("Run `a<b`.") == "Run <code>a&lt;b</code>."
    assert code_in_words("An odd ` <b>") == "An odd ` &lt;b&gt;"


@pytest.mark.parametrize(
    ("monitored", "served", "told"),
    [
        (True, (2, "canary"), ""),
        (True, (2, "shadow"), "version 2 is served as shadow"),
        (True, (3, "canary"), "version 3 is served as canary"),
        (True, None, "no challenger is served"),
        (False, (2, "canary"), "version 2 is served as canary"),
        (False, None, ""),
    ],
)
def test_a_challenger_that_has_changed_since_is_said(monitored, served, told):
    rollout = Rollout(served[0], None, served[1], 0.5, "2026-11-24") if served else None
    pointer = Pointer("demand", 1, None, "p", "2017-06-28", "2026-11-24", [], [], rollout)
    summary = Summary.model_validate(make_summary() if monitored else bare_summary())
    assert told in challenger_notice(summary, pointer)
    assert bool(challenger_notice(summary, pointer)) == bool(told)
