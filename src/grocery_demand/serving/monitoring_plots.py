"""Plots of the monitoring page: curves and bars over days, steps or weeks, as SVG."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from grocery_demand.serving.svg import join, picture, tag

_WIDTH, _HEIGHT = 480, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 18, 12, 28
_TICKS = 4
_LABELS = 5
_MARKED_COLUMNS = 20
_WIDEST_BAR = 44.0
_ROUND = (1, 2, 2.5, 5, 10)
_LEAST_SPAN = 1e-6
_LEAST_SHARE = 0.01  # of the values' size, so that a single value has ticks that can be told apart
_SLACK = 1e-3  # of a tick: shares that are rounded may add up to a little more than 1
_WEEK = 7
_SHORT_SPAN = 10


@dataclass(frozen=True)
class Curve:
    """Values of one thing.

    Attributes:
        name: What it is.
        kind: Its class, which gives it its colour.
        values: One per column; None where it is not known.
        form: How its numbers are written.
        is_drawn: Whether it is drawn, or only told among the numbers.
    """

    name: str
    kind: str
    values: Sequence[float | None]
    form: str = "{:.3f}"
    is_drawn: bool = True

    def tell(self, i: int) -> str:
        """Return one value in words."""
        value = self.values[i]
        return "–" if value is None else self.form.format(value)


@dataclass(frozen=True)
class Chart:
    """What is drawn over the same columns.

    Attributes:
        title: What it shows.
        columns: Where each value lies: days as ordinals, steps or weeks; ascending.
        column_name: What the columns are.
        tell_column: Returns a column in words.
        curves: What is drawn.
        is_share: Whether the numbers beside the plot are percentages.
        has_weeks: Whether the columns are days.
    """

    title: str
    columns: Sequence[int]
    column_name: str
    tell_column: Callable[[int], str]
    curves: Sequence[Curve]
    is_share: bool = False
    has_weeks: bool = False

    @property
    def drawn(self) -> list[Curve]:
        """The curves that are drawn and known somewhere."""
        return [c for c in self.curves if c.is_drawn and any(v is not None for v in c.values)]

    @property
    def gap(self) -> int:
        """The least distance between columns."""
        gaps = [b - a for a, b in pairwise(self.columns) if b > a]
        return min(gaps, default=1)

    def tell(self, i: int) -> str:
        """Return one column's values in words."""
        values = ", ".join(f"{curve.name} {curve.tell(i)}" for curve in self.drawn)
        return f"{self.tell_column(self.columns[i])}: {values}"

    @property
    def told(self) -> str:
        """The whole plot in a sentence, for those who do not see it."""
        return f"{self.title}. Last, {self.tell(len(self.columns) - 1)}."

    def numbers(self) -> tuple[list[str], list[list[str]]]:
        """Return header and rows of the numbers, the last column first."""
        known = [c for c in self.curves if any(value is not None for value in c.values)]
        rows = [
            [self.tell_column(self.columns[i]), *(curve.tell(i) for curve in known)]
            for i in reversed(range(len(self.columns)))
        ]
        return [self.column_name, *(curve.name for curve in known)], rows


@dataclass(frozen=True)
class _Frame:
    """Where columns and values lie on the picture."""

    first: int
    last: int
    gap: int
    ticks: Sequence[float]

    @property
    def column_width(self) -> float:
        return (_WIDTH - _LEFT - _RIGHT) / (self.last - self.first + self.gap)

    def x(self, column: float) -> float:
        return _LEFT + self.column_width * (column - self.first + self.gap / 2)

    def y(self, value: float) -> float:
        bottom, top = self.ticks[0], self.ticks[-1]
        share = (value - bottom) / (top - bottom)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def draw_curves(chart: Chart) -> str:
    """Return curves over the columns, with gaps where values are not known."""
    values = [v for curve in chart.drawn for v in curve.values if v is not None]
    frame = _frame(chart, _ticks(min(values, default=0.0), max(values, default=1.0)))
    parts = [*_axes(chart, frame)]
    for curve in reversed(chart.drawn):
        parts += _draw_curve(chart, frame, curve)
    return _picture(chart, frame, parts)


def draw_bars(chart: Chart) -> str:
    """Return bars over the columns, one upon the other."""
    heights = [[max(curve.values[i] or 0.0, 0.0) for curve in chart.drawn]
               for i in range(len(chart.columns))]  # fmt: skip
    frame = _frame(chart, _ticks(0.0, max([*map(sum, heights), _LEAST_SPAN])))
    width = max(min(frame.column_width * chart.gap * 0.8, _WIDEST_BAR), 0.5)
    parts = [*_axes(chart, frame)]
    for column, values in zip(chart.columns, heights, strict=True):
        under = 0.0
        for curve, value in zip(chart.drawn, values, strict=True):
            y = frame.y(under + value)
            parts.append(tag(
                "rect", f"filled {curve.kind}", x=frame.x(column) - width / 2, y=y,
                width=width, height=frame.y(under) - y,
            ))  # fmt: skip
            under += value
    return _picture(chart, frame, parts)


def _draw_curve(chart: Chart, frame: _Frame, curve: Curve) -> Iterator[str]:
    places = zip(chart.columns, curve.values, strict=True)
    marked = frame.last - frame.first < _MARKED_COLUMNS
    for is_known, run in groupby(places, lambda place: place[1] is not None):
        if not is_known:
            continue
        points = [(frame.x(column), frame.y(value)) for column, value in run if value is not None]
        yield tag("polyline", curve.kind, points=join(points))
        if len(points) == 1 or (marked and curve is chart.drawn[0]):
            for x, y in points:
                yield tag("circle", f"filled {curve.kind}", cx=x, cy=y, r=3)


def _picture(chart: Chart, frame: _Frame, parts: list[str]) -> str:
    """Return the plot with an invisible column over each place, which tells its values."""
    width, height = frame.column_width * chart.gap, _HEIGHT - _TOP - _BOTTOM
    for i, column in enumerate(chart.columns):
        told = tag("title", "", escape(chart.tell(i)))
        left = frame.x(column) - width / 2
        parts.append(tag("rect", "hover", told, x=left, y=_TOP, width=width, height=height))
    return picture(chart.told, parts, _WIDTH, _HEIGHT)


def _axes(chart: Chart, frame: _Frame) -> Iterator[str]:
    decimals = max((len(f"{tick:.10g}".partition(".")[2]) for tick in frame.ticks), default=0)
    for tick in frame.ticks:
        label = f"{tick:.0%}" if chart.is_share else f"{tick:,.{decimals}f}"
        y = frame.y(tick)
        yield tag("line", "grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y)
        yield tag("text", "tick end", label, x=_LEFT - 6, y=y + 4)
    every = max(-(-(frame.last - frame.first + 1) // _LABELS), 1)
    if chart.has_weeks and frame.last - frame.first > _SHORT_SPAN:
        every = -(-every // _WEEK) * _WEEK
    for column in range(frame.last, frame.first - 1, -every):
        label = escape(chart.tell_column(column))
        yield tag("text", "tick middle", label, x=frame.x(column), y=_HEIGHT - 9)


def _frame(chart: Chart, ticks: list[float]) -> _Frame:
    return _Frame(chart.columns[0], chart.columns[-1], chart.gap, ticks)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers from below the lowest to above the highest value."""
    span = max(high - low, _LEAST_SHARE * max(abs(low), abs(high)), _LEAST_SPAN)
    size = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(size * f for f in (*_ROUND, 20) if size * f >= span / _TICKS)
    first, last = math.floor(low / step + _SLACK), math.ceil(high / step - _SLACK)
    return [round(step * i, 10) for i in range(first, max(last, first + 1) + 1)]
