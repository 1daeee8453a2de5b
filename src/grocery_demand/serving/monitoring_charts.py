"""Which plots the monitoring page has, and what is drawn in them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grocery_demand.serving.monitoring_plots import Chart, Curve, draw_bars, draw_curves
from grocery_demand.serving.monitoring_summary import Explanation, Summary

_COUNT, _SHARE, _SIGNED = "{:,.0f}", "{:.1%}", "{:+.1%}"
_MOST_DRIVERS = 7


@dataclass(frozen=True)
class Plot:
    """A plot with all that stands around it.

    Attributes:
        chart: What it shows.
        svg: The picture.
        text: What to see in it.
        filled: Whether its keys are areas rather than lines.
    """

    chart: Chart
    svg: str
    text: str
    filled: bool = False


def draw_charts(summary: Summary) -> list[Plot]:
    """Return the plots of whatever the summary tells."""
    plots = []
    if summary.live_error:
        plots.append(_live_error(summary))
    if summary.outputs:
        plots.append(_outputs(summary))
    if summary.live_by_step:
        plots.append(_by_step(summary))
    if summary.live_by_week:
        plots.append(_by_week(summary))
    if summary.explanations:
        plots.append(_explanations(summary.explanations))
    if summary.usage and summary.usage.by_day:
        plots.append(_usage(summary.usage.by_day))
    return plots


def _live_error(summary: Summary) -> Plot:
    rows = sorted(summary.live_error, key=lambda row: row.date)
    curves = [
        Curve("served", "served", [row.nwrmsle for row in rows]),
        Curve("bar", "limit", [row.bar for row in rows]),
        Curve("promised", "promised", [row.promised for row in rows]),
        Curve("moving average", "average", [row.moving_average for row in rows]),
        Curve("seasonal naive", "naive", [row.seasonal_naive for row in rows]),
        Curve("WAPE", "", [row.wape for row in rows], _SHARE, is_drawn=False),
        Curve("bias", "", [row.bias for row in rows], _SIGNED, is_drawn=False),
        Curve("coverage", "", [row.coverage for row in rows], _SHARE, is_drawn=False),
        Curve("rows", "", [row.rows for row in rows], _COUNT, is_drawn=False),
    ]
    chart = _by_day("Live error", [row.date for row in rows], curves)
    text = (
        "NWRMSLE over the window of days up to each day (a week, unless set otherwise); lower is "
        "better, above the bar it is an alarm."
    )
    return Plot(chart, draw_curves(chart), text)


def _outputs(summary: Summary) -> Plot:
    rows = sorted(summary.outputs, key=lambda row: row.date)
    curves = [
        Curve("sold", "sold", [row.sold for row in rows], _COUNT),
        Curve("forecast", "forecast", [row.forecast for row in rows], _COUNT),
    ]
    chart = _by_day("Sold and forecast", [row.date for row in rows], curves)
    return Plot(chart, draw_curves(chart), "Units of all series on each day.")


def _by_step(summary: Summary) -> Plot:
    rows = sorted(summary.live_by_step, key=lambda row: row.step)
    curves = [
        Curve("served", "served", [row.nwrmsle for row in rows]),
        Curve("promised", "promised", [row.promised for row in rows]),
    ]
    chart = Chart("Error by step", [row.step for row in rows], "step", str, curves)
    text = "NWRMSLE by days ahead, beside what the backtest promised."
    return Plot(chart, draw_curves(chart), text)


def _by_week(summary: Summary) -> Plot:
    rows = sorted(summary.live_by_week, key=lambda row: row.weeks_since_cutoff)
    curves = [
        Curve("served", "served", [row.nwrmsle for row in rows]),
        Curve("rows", "", [row.rows for row in rows], _COUNT, is_drawn=False),
    ]
    columns = [row.weeks_since_cutoff for row in rows]
    chart = Chart("Error by age of the model", columns, "week", str, curves)
    text = "NWRMSLE by weeks since the last sales that the model learnt from."
    return Plot(chart, draw_curves(chart), text)


def _explanations(rows: Sequence[Explanation]) -> Plot:
    """Return the drivers' shares by week: the largest by name, the others together."""
    weeks = sorted({row.week for row in rows})
    shares: dict[str, list[float]] = {}
    for row in rows:
        by_week = shares.setdefault(row.driver, [0.0] * len(weeks))
        by_week[weeks.index(row.week)] += row.share or 0.0
    named = sorted(shares, key=lambda driver: -sum(shares[driver]))
    curves = [Curve(driver, f"driver{i}", shares[driver], _SHARE)
              for i, driver in enumerate(named[:_MOST_DRIVERS])]  # fmt: skip
    if named[_MOST_DRIVERS:]:
        others = zip(*(shares[driver] for driver in named[_MOST_DRIVERS:]), strict=True)
        curves.append(Curve("others", f"driver{_MOST_DRIVERS}", [*map(sum, others)], _SHARE))
    chart = _by_day("What drives the forecasts", weeks, curves, "week of", is_share=True)
    text = "Share of each group of features in what moved the forecasts, by week."
    learnt = max((row.week for row in rows if row.is_training), default=None)
    if learnt:
        text += f" The model learnt from weeks up to that of {learnt}."
    return Plot(chart, draw_bars(chart), text, filled=True)


def _usage(rows: Sequence[Any]) -> Plot:
    rows = sorted(rows, key=lambda row: row.date)
    curves = [
        Curve("served", "requests", [row.requests for row in rows], _COUNT),
        Curve("refused", "refused", [row.refused for row in rows], _COUNT),
        Curve("failed", "failed", [row.failed for row in rows], _COUNT),
    ]
    chart = _by_day("Usage", [row.date for row in rows], curves)
    return Plot(
        chart,
        draw_bars(chart),
        "Forecasts served, questions refused and failed answers on each day (UTC).",
        filled=True,
    )


def _by_day(
    title: str,
    days: Sequence[dt.date],
    curves: Sequence[Curve],
    name: str = "day",
    *,
    is_share: bool = False,
) -> Chart:
    columns = [day.toordinal() for day in days]
    return Chart(title, columns, name, _tell_day, curves, is_share, has_weeks=True)


def _tell_day(ordinal: int) -> str:
    day = dt.date.fromordinal(ordinal)
    return f"{day.day} {day:%b}"
