"""The closed loop on a smaller world, played through as `make loop` does: each turn of it."""

import json

import pandas as pd
import pytest

QUIET, SHIFT, RECOVERED, BROKEN = "quiet", "demand shift", "after retraining", "broken feed"


FEWER_ROWS = "training: {max_training_rows: 60000, max_long_range_rows: 5000}\n"
"""Enough for a small world, and trained in seconds."""


@pytest.fixture(scope="module")
def rehearsal(project, kedro):
    """The folder of a finished rehearsal."""
    (project / "conf/local/parameters.yml").write_text(FEWER_ROWS)
    days = "--quiet-days", "10", "--recovered-days", "10"
    world = "--stores", "5", "--items", "100"
    outcome = kedro("rehearse", *days, *world, "--folder", "build/loop", seconds=1800)
    assert outcome.returncode == 0, outcome.stderr
    return project / "build/loop"


@pytest.fixture(scope="module")
def days(rehearsal) -> pd.DataFrame:
    return pd.read_csv(rehearsal / "story.csv", keep_default_na=True)


def of_scene(days: pd.DataFrame, scene: str) -> pd.DataFrame:
    found = days[days["scene"] == scene]
    assert len(found)
    return found


def test_monitoring_stays_quiet_while_nothing_is_wrong(days):
    quiet = of_scene(days, QUIET)
    assert len(quiet) == 10
    assert set(quiet["advice"]) == {"keep"}
    assert quiet["alarms"].isna().all()


def test_the_live_error_grows_beyond_the_promised_one_when_demand_shifts(days):
    quiet, shift = of_scene(days, QUIET), of_scene(days, SHIFT)
    last = shift.iloc[-1]
    assert last["live_nwrmsle"] > quiet["live_nwrmsle"].max()
    assert last["live_nwrmsle"] > last["promised"]


def test_a_challenger_is_trained_on_advice_and_promoted(days):
    last = of_scene(days, SHIFT).iloc[-1]
    assert last["advice"] == "retrain"
    assert last["retraining"].startswith("Promoted")
    assert last["champion"] > of_scene(days, QUIET)["champion"].max()


def test_the_running_web_app_serves_the_champion_on_every_evening(days):
    assert (days["served"] == days["champion"]).all()
    assert (days["answered"] > 0.9 * 300).all()


def test_the_live_error_falls_back_after_retraining(days):
    worst = of_scene(days, SHIFT)["live_nwrmsle"].max()
    last = of_scene(days, RECOVERED).iloc[-1]
    assert last["live_nwrmsle"] < min(last["bar"], worst)


def test_the_new_champion_is_held_against_the_former_one_on_the_same_days(rehearsal, days):
    control = json.loads((rehearsal / "story.json").read_text())["without_retraining"]
    assert control["former"] == of_scene(days, QUIET)["champion"].iloc[-1]
    assert control["champion"] == of_scene(days, RECOVERED)["champion"].iloc[-1]
    live = of_scene(days, RECOVERED)["live_nwrmsle"].iloc[-1]
    assert control["nwrmsle_of_champion"] == pytest.approx(live, rel=0.05)
    assert control["nwrmsle_of_champion"] < control["nwrmsle_of_former"]
    page = (rehearsal / "story.md").read_text(encoding="utf-8")
    assert f"{control['nwrmsle_of_former']:.4f}" in page


def test_a_worse_model_is_not_promoted(rehearsal):
    worse = json.loads((rehearsal / "story.json").read_text())["worse_model"]
    assert worse["outcome"] != "promote"
    assert worse["champion_before"] == worse["champion_after"]


def test_a_broken_feed_ends_in_an_alarm_and_no_training(days):
    broken = of_scene(days, BROKEN)
    assert set(broken["advice"]) == {"check_feed"}
    assert broken["retraining"].isna().all()
    assert broken["live_nwrmsle"].isna().all()
    assert set(broken["champion"]) == {of_scene(days, RECOVERED)["champion"].iloc[-1]}


def test_the_story_is_told_by_table_and_figure(rehearsal):
    page = (rehearsal / "story.md").read_text(encoding="utf-8")
    told = "- Quiet days: 10, 0 with false advice, 0 with a false alarm."
    assert told in page.splitlines()
    assert page.count("\n| 2017-") == len(pd.read_csv(rehearsal / "story.csv"))
    assert "The loop, closed" in (rehearsal / "story.html").read_text(encoding="utf-8")
