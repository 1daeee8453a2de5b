"""What larger data would need, on paper: the terms of the driver are among the hours."""

import json

import pytest

from make_targets import ROOT

RESULTS = ROOT / "benchmarks/results"
SLOPES = {"base": 0.4, "cell": 13.0, "row": 2.0, "sent": 20.0, "trees": 100.0}
SECONDS = dict.fromkeys(
    ["backtest_model", "train_beyond_horizon", "fit_challenger", "check_sales", "keep_good_rows",
     "report_quality"], 10.0,
)  # fmt: skip
NOTHING = dict.fromkeys(["cutting", "cutting_per_part", "copying", "megabytes", "joining"], 0.0)


@pytest.fixture
def paper(scripts):
    return scripts("benchmarks/cluster_on_paper")


def reckon_seconds(paper, times: int, **rates: float) -> float:
    given = NOTHING | {"parts": 8} | rates
    return 3600 * paper._reckon(times, SLOPES, given, SECONDS, 6.0, 0.1)["hours"]


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [("cutting", 125.5), ("copying", 125.5), ("joining", 174_685 * 1_688 / 1e6)],
)
def test_what_the_driver_does_alone_is_added_for_each_million_rows_or_cells(paper, rate, seconds):
    for times in (1, 10):
        added = reckon_seconds(paper, times, **{rate: 1.0}) - reckon_seconds(paper, times)
        assert added == pytest.approx(times * seconds, rel=1e-3)


def test_cutting_takes_longer_the_more_parts_there_are_than_were_measured(paper):
    assert reckon_seconds(paper, 1, cutting_per_part=1.0) == reckon_seconds(paper, 1)
    assert reckon_seconds(paper, 100, cutting_per_part=1.0) > reckon_seconds(paper, 100)


def test_the_page_shows_the_rates_that_were_measured():
    page = (RESULTS / "cluster.md").read_text(encoding="utf-8")
    rates = json.loads((RESULTS / "cluster_rates.json").read_text(encoding="utf-8"))
    for name in NOTHING:
        assert f"| {rates[name]:,.4g} |" in page
    for column in ("cutting", "joining", "copying from S3"):
        assert f"| {column} |" in page
