"""What larger data would need, on paper: the terms of the driver are among the hours."""

import json

import pytest

from make_targets import ROOT

RESULTS = ROOT / "benchmarks/results"
SLOPES = {"base": 0.4, "cell": 13.0, "row": 2.0, "sent": 20.0, "trees": 100.0}
SECONDS = dict.fromkeys(
    ["backtest_model", "train_beyond_horizon", "fit_challenger", "check_sales"], 10.0
)
NOTHING = dict.fromkeys(["reading", "text", "copying", "megabytes", "joining", "plan"], 0.0)


@pytest.fixture
def paper(scripts):
    return scripts("benchmarks/cluster_on_paper")


def reckon(paper, times: int, **rates: float) -> dict[str, object]:
    given = NOTHING | {"parts": 8, "part_row": 0.0} | rates
    return paper._reckon(times, SLOPES, given, SECONDS, 0.5, 0.1)


def reckon_seconds(paper, times: int, **rates: float) -> float:
    return 3600 * reckon(paper, times, **rates)["hours"]


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        ("reading", 125.5),
        ("text", 125.5 / 125),
        ("copying", 125.5),
        ("joining", 174_685 * 1_688 / 1e6),
    ],
)
def test_what_the_driver_does_alone_is_added_for_each_million_rows_or_cells(paper, rate, seconds):
    for times in (1, 10):
        added = reckon_seconds(paper, times, **{rate: 1.0}) - reckon_seconds(paper, times)
        assert added == pytest.approx(times * seconds, rel=1e-3)


def test_one_network_hands_the_raw_text_out_however_many_workers_there_are(paper):
    row = reckon(paper, 100, text=1000.0)
    assert row["workers of 8 GiB"] > 10
    assert row["first bottleneck"] == "reading and handing out raw files"


def test_the_driver_holds_some_blocks_or_a_part_and_not_all_rows(paper):
    once, hundred = (reckon(paper, times) for times in (1, 100))
    assert once["driver's memory, GiB"] == pytest.approx(0.5 + 125_497_040 * 25 / 8 / 2**30)
    assert hundred["driver's memory, GiB"] < 100 * once["driver's memory, GiB"] / 2


def test_there_are_so_many_parts_that_a_worker_can_bring_one_together(paper):
    assert reckon(paper, 1)["parts"] == 8
    row = reckon(paper, 10, part_row=66.0)
    room = 8.0 * 0.6 - SLOPES["base"]
    assert row["parts"] > row["workers of 8 GiB"]
    assert 1_254_970_400 * 66 / row["parts"] <= room * 2**30
    assert 1_254_970_400 * 66 / (row["parts"] - 1) > room * 2**30


def test_the_driver_holds_the_whole_plan(paper):
    hundred = reckon(paper, 100, plan=100.0)
    assert hundred["driver's memory, GiB"] == pytest.approx(0.5 + 337_046_400 * 100 / 2**30)


def test_the_page_shows_the_rates_that_were_measured():
    page = (RESULTS / "cluster.md").read_text(encoding="utf-8")
    rates = json.loads((RESULTS / "cluster_rates.json").read_text(encoding="utf-8"))
    for name in NOTHING:
        assert f"| {rates[name]:,.4g} |" in page
    assert f"| {rates['part_row']:,.4g} |" in page
    for column in ("parts", "of them reading raw files", "joining", "copying from S3"):
        assert f"| {column} |" in page
