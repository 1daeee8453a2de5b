"""The README says what is measured and shows what can be taken again."""

import re

import pytest

from make_targets import ROOT, make_targets, targets_called

README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs/pictures"
MOST_BYTES = 150_000


def test_its_measurements_are_those_of_the_results(scripts):
    table = scripts("benchmarks/readme").make_table()
    assert table in README, "Measured again? Type: python benchmarks/readme.py"


def test_another_measurement_changes_the_table_alone(scripts):
    readme = scripts("benchmarks/readme")
    changed = readme.put_in(README, "| other |")
    assert "| other |" in changed
    assert readme.put_in(changed, readme.make_table()) == README


def test_a_result_without_the_wanted_row_is_named(scripts, tmp_path, monkeypatch):
    readme = scripts("benchmarks/readme")
    name = readme.MEASUREMENTS[0].result[0]
    kept = (readme.RESULTS / f"{name}.md").read_text(encoding="utf-8")
    (tmp_path / f"{name}.md").write_text(kept.replace("| this project |", "| a project |"))
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    with pytest.raises(LookupError, match=f"{name}: 0 rows of this project"):
        readme.make_table()


def test_its_pictures_are_those_that_the_script_takes_and_small(scripts):
    shown = set(re.findall(r"docs/pictures/(\w+)\.webp", README))
    assert shown == set(scripts("docs/pictures/take").PICTURES)
    for name in shown:
        picture = (PICTURES / f"{name}.webp").read_bytes()
        assert picture[8:12] == b"WEBP"
        assert len(picture) < MOST_BYTES


def test_the_picture_of_the_loop_names_commands_that_exist():
    drawing = (PICTURES / "loop.svg").read_text(encoding="utf-8")
    called = {target for line in re.findall(r">([^<]*make [^<]*)<", drawing)
              for target in targets_called(line)}  # fmt: skip
    assert {"run", "train", "gate"} <= called <= make_targets()
    assert "prefers-color-scheme: dark" in drawing
