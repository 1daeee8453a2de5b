import pandas as pd

from grocery_demand.rehearsal.telling import write_story

DAY = {
    "date": "2017-06-01", "scene": "quiet", "advice": "keep", "champion": 1, "served": 1,
    "live_nwrmsle": None, "promised": None, "bar": None, "alarms": "", "retraining": "",
    "answered": 300,
}  # fmt: skip


def test_a_story_that_ended_before_its_turns_is_told_as_far_as_it_came(tmp_path):
    write_story(tmp_path, pd.DataFrame([DAY, DAY | {"scene": "demand shift"}]), {})
    page = (tmp_path / "story.md").read_text(encoding="utf-8")
    assert "Quiet days: 1, 0 with false advice, 0 with a false alarm." in page
    assert page.count("\n| 2017-06-01") == 2
    assert "promoted" not in page
    assert "Broken feed" not in page


def test_days_with_false_advice_and_with_a_false_alarm_are_counted_apart(tmp_path):
    alarmed = DAY | {"alarms": "totals of forecasts"}
    days = [DAY, alarmed, alarmed | {"advice": "retrain"}, alarmed | {"scene": "demand shift"}]
    write_story(tmp_path, pd.DataFrame(days), {})
    page = (tmp_path / "story.md").read_text(encoding="utf-8")
    assert "- Quiet days: 3, 1 with false advice, 2 with a false alarm." in page
