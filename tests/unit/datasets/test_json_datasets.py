import datetime as dt
import json

from grocery_demand.datasets import DatedJsonDataset, OptionalJsonDataset


def test_a_dated_object_says_when_it_was_saved(tmp_path):
    path = tmp_path / "summary.json"
    DatedJsonDataset(filepath=str(path)).save({"a": 1})
    saved = json.loads(path.read_text())
    made = dt.datetime.fromisoformat(saved.pop("made_at"))
    assert saved == {"a": 1}
    assert abs(dt.datetime.now(dt.UTC) - made) < dt.timedelta(minutes=5)


def test_a_missing_file_is_none_and_a_damaged_one_is_none_and_told_of(tmp_path, caplog):
    path = tmp_path / "summary.json"
    dataset = OptionalJsonDataset(filepath=str(path))
    assert dataset.load() is None
    assert not caplog.records
    for damaged in ('{"a": ', "[1]", "null"):
        caplog.clear()
        path.write_text(damaged)
        assert dataset.load() is None
        assert "summary.json is damaged" in caplog.text
    path.write_text('{"a": 2}')
    assert dataset.load() == {"a": 2}
