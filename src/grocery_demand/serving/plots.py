"""Plots as SVG, drawn by the server: no script, no network."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from grocery_demand.serving.svg import join, picture, tag

_WIDTH, _HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 34
_TICKS = 4
_DATES_SHOWN = 6
_TIMES_SHOWN = 5
_WEEK = 7


@dataclass(frozen=True)
class SeriesPlot:
    """What is drawn of one series.

    Attributes:
        first_date: Day of the first value of `sold`.
        sold: Units sold on each day.
        promoted: Whether each day of `sold` was on promotion.
        forecast: Point forecasts of the days after.
        low: Lower bounds of the interval.
        high: Upper bounds.
        chosen: Day that was asked for.
        title: For those who do not see the plot.
    """

    first_date: dt.date
    sold: Sequence[float]
    promoted: Sequence[bool]
    forecast: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    chosen: dt.date
    title: str


@dataclass(frozen=True)
class _Frame:
    """Where values lie on the picture."""

    n_columns: int
    top: float

    @property
    def column_width(self) -> float:
        return (_WIDTH - _LEFT - _RIGHT) / max(self.n_columns, 1)

    def x(self, column: float) -> float:
        """Return the middle of a column."""
        return _LEFT + self.column_width * (column + 0.5)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.top

    def points(self, first_column: int, values: Sequence[float]) -> list[tuple[float, float]]:
        return [(self.x(first_column + i), self.y(value)) for i, value in enumerate(values)]

    def scale(self) -> Iterable[str]:
        for i in range(_TICKS + 1):
            value = self.top * i / _TICKS
            y = self.y(value)
            yield tag("line", "grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y)
            yield tag("text", "tick end", f"{value:g}", x=_LEFT - 6, y=y + 4)


def draw_series(plot: SeriesPlot) -> str:
    """Return sales, forecast and interval over time."""
    n_sold = len(plot.sold)
    frame = _Frame(n_sold + len(plot.forecast), _round_up(max([1.0, *plot.sold, *plot.high])))
    band = frame.points(n_sold, plot.high) + frame.points(n_sold, plot.low)[::-1]
    promoted = [
        tag(
            "circle", "promoted", tag("title", "", f"{_day(plot, i)}: {value:g}, on promotion"),
            cx=frame.x(i), cy=frame.y(value), r=3,
        )
        for i, value in enumerate(plot.sold)
        if plot.promoted[i]
    ]  # fmt: skip
    parts = [
        *frame.scale(),
        *_dates(plot, frame),
        tag("polygon", "band", points=join(band)),
        tag("polyline", "sold", points=join(frame.points(0, plot.sold))),
        *promoted,
        tag("polyline", "forecast", points=join(frame.points(n_sold, plot.forecast))),
        *_mark_chosen(plot, frame),
    ]
    return picture(plot.title, parts, _WIDTH, _HEIGHT)


def draw_histogram(width_ms: int, counts: Sequence[tuple[int, int]], labels: Sequence[str]) -> str:
    """Return the number of events over time.

    Args:
        width_ms: Width of a bar in milliseconds.
        counts: Start and number of each bar.
        labels: The bars' starts in words.
    """
    frame = _Frame(len(counts), _round_up(max([1.0, *(count for _, count in counts)])))
    parts = list(frame.scale())
    every = max(len(counts) // _TIMES_SHOWN, 1)
    for i, ((_, count), label) in enumerate(zip(counts, labels, strict=True)):
        left, y = frame.x(i - 0.5), frame.y(count)
        height, width = frame.y(0) - y, max(frame.column_width - 1, 0.5)
        told = tag("title", "", f"{escape(label)}: {count:,}")
        parts.append(tag("rect", "bar", told, x=left, y=y, width=width, height=height))
        if i % every == 0:
            parts.append(tag("text", "tick", escape(label), x=left, y=_HEIGHT - 14))
    title = f"Events over time, in bars of {width_ms // 1000:,} seconds"
    return picture(title, parts, _WIDTH, _HEIGHT)


def _dates(plot: SeriesPlot, frame: _Frame) -> Iterable[str]:
    every = max(_WEEK * round(frame.n_columns / _DATES_SHOWN / _WEEK), _WEEK)
    for i in range(0, frame.n_columns - every // 2, every):
        yield tag("text", "tick middle", str(_day(plot, i)), x=frame.x(i), y=_HEIGHT - 14)


def _mark_chosen(plot: SeriesPlot, frame: _Frame) -> Iterable[str]:
    column = (plot.chosen - plot.first_date).days
    values = [*plot.sold, *plot.forecast]
    if 0 <= column < len(values):
        x = frame.x(column)
        yield tag("line", "chosen", x1=x, x2=x, y1=_TOP, y2=_HEIGHT - _BOTTOM)
        yield tag("circle", "chosen", cx=x, cy=frame.y(values[column]), r=5)


def _day(plot: SeriesPlot, column: int) -> dt.date:
    return plot.first_date + dt.timedelta(column)


def _round_up(value: float) -> float:
    """Return a round number at least as large, which the ticks divide well."""
    size = 1.0
    while size * 10 < value:
        size *= 10
    return next((size * f for f in (1, 2, 4, 6, 8, 10) if size * f >= value), size * 10)
