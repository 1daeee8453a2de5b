"""Plots are drawn from whatever is known, with their numbers in words."""

import datetime as dt
import math
import re
import xml.etree.ElementTree as ET

import pytest

from grocery_demand.serving.monitoring_charts import draw_charts
from grocery_demand.serving.monitoring_plots import Chart, Curve, draw_bars, draw_curves
from grocery_demand.serving.monitoring_summary import Summary
from monitored import HOSTILE, bare_summary, make_summary, with_every_number, with_every_text


def chart_of(*curves: Curve, columns=(1, 2, 3, 4)) -> Chart:
    return Chart("Error", columns, "step", str, curves)


def found(svg: str, name: str, kind: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(svg).iter(name) if e.get("class") == kind]


def points(polyline: ET.Element) -> list[tuple[float, ...]]:
    return [tuple(map(float, point.split(","))) for point in polyline.get("points").split()]


def test_a_curve_has_a_gap_where_nothing_is_known():
    svg = draw_curves(chart_of(Curve("served", "served", [1.0, None, 2.0, 3.0])))
    first, second = found(svg, "polyline", "served")
    assert (len(points(first)), len(points(second))) == (1, 2)
    assert len(found(svg, "circle", "filled served")) == 3


def test_a_higher_value_lies_higher_and_inside_the_picture():
    svg = draw_curves(chart_of(Curve("served", "served", [0.61, 0.62, 0.64, 0.63])))
    (curve,) = found(svg, "polyline", "served")
    heights = [y for _, y in points(curve)]
    assert sorted(range(4), key=lambda i: -heights[i]) == [0, 1, 3, 2]
    assert all(0 < x < 480 and 0 < y < 220 for x, y in points(curve))


def test_bars_stand_upon_each_other():
    curves = (Curve("a", "a", [1.0, 1.0, 1.0, 1.0]), Curve("b", "b", [2.0, None, 2.0, 2.0]))
    svg = draw_bars(chart_of(*curves))
    a, b = found(svg, "rect", "filled a")[0], found(svg, "rect", "filled b")[0]
    bottom = float(b.get("y")) + float(b.get("height"))
    assert bottom == pytest.approx(float(a.get("y")), abs=0.11)


def test_rounded_shares_that_add_up_to_a_little_more_than_all_fill_the_plot():
    chart = Chart("Shares", [1], "week", str, [Curve("a", "a", [1.00001])], is_share=True)
    ticks = [e.text for e in found(draw_bars(chart), "text", "tick end")]
    assert (ticks[0], ticks[-1]) == ("0%", "100%")


def test_a_single_value_has_ticks_that_can_be_told_apart():
    svg = draw_curves(chart_of(Curve("served", "served", [0.5991901234]), columns=[1]))
    ticks = [e.text for e in found(svg, "text", "tick end")]
    assert len(set(ticks)) == len(ticks) >= 2
    assert max(map(len, ticks)) <= 6


def test_those_who_do_not_see_the_plot_are_told_its_last_values():
    chart = chart_of(Curve("served", "served", [1, 2, 3, 0.634]), Curve("bar", "limit", [None] * 4))
    assert chart.told == "Error. Last, 4: served 0.634."
    header, rows = chart.numbers()
    assert header == ["step", "served"]
    assert rows[0] == ["4", "0.634"]
    assert ET.fromstring(draw_curves(chart)).get("aria-label") == chart.told


def test_each_part_of_a_summary_has_its_plot():
    plots = draw_charts(Summary.model_validate(make_summary()))
    assert [plot.chart.title for plot in plots] == [
        "Live error", "Sold and forecast", "Error by step", "Error by age of the model",
        "What drives the forecasts", "Usage",
    ]  # fmt: skip
    assert draw_charts(Summary.model_validate(bare_summary())) == []


@pytest.mark.parametrize("number", [None, 0, -1, 1e14, -1e14, 1e-12, 5e-324, 0.5, math.nan])
def test_any_number_can_be_drawn(number):
    summary = with_every_number(number, make_summary())
    for plot in draw_charts(Summary.model_validate(summary)):
        root = ET.fromstring(plot.svg)
        assert not re.search(r"\b(nan|inf)\b", plot.svg)
        assert len(list(root.iter("line"))) < 20


def test_one_row_and_rows_far_apart_can_be_drawn():
    days = [dt.date.min, dt.date(2017, 6, 1), dt.date.max]
    for chosen in (days, days[1:2], [days[1]] * 2):
        rows = [{"date": str(day).zfill(10), "sold": 3, "forecast": 4} for day in chosen]
        (plot,) = draw_charts(Summary.model_validate(bare_summary(outputs=rows)))
        assert ET.fromstring(plot.svg).tag == "svg"


def test_many_drivers_are_named_up_to_seven_and_the_others_added_up():
    rows = [{"week": "2017-06-05", "driver": f"d{i:02}", "share": 0.1} for i in range(10)]
    (plot,) = draw_charts(Summary.model_validate(bare_summary(explanations=rows)))
    assert [curve.name for curve in plot.chart.drawn][-2:] == ["d06", "others"]
    assert plot.chart.drawn[-1].values == [pytest.approx(0.3)]


def test_foreign_text_is_escaped():
    summary = with_every_text(HOSTILE, make_summary())
    for plot in draw_charts(Summary.model_validate(summary)):
        assert "<script" not in plot.svg
        ET.fromstring(plot.svg)
