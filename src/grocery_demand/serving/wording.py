"""Forecasts in plain words."""

import datetime as dt
from typing import Any

from markupsafe import Markup, escape

from grocery_demand.serving.served_forecast import ServedForecast

_SMALL = 10


def units_in_words(units: float) -> str:
    """Return units for people: one decimal where they are few."""
    if units < 0.05:  # noqa: PLR2004
        return "0"
    return f"{units:.1f}" if units < _SMALL else f"{units:,.0f}"


def interval_in_words(low: float, high: float) -> str:
    """Return the 80 % interval as whole units, outwards."""
    first, last = int(low), max(int(-(-high // 1)), int(low))
    if first == last:
        return f"{first:,} on four days of five"
    return f"between {first:,} and {last:,} on four days of five"


def day_in_words(iso_date: str) -> str:
    """Return a date with its weekday."""
    return f"{dt.date.fromisoformat(iso_date):%A}, {iso_date}"


def effects_in_words(forecast: ServedForecast) -> list[str]:
    """Return what drove a forecast as sentences, the starting point first."""
    weekday = f"{dt.date.fromisoformat(forecast.question.date):%A}"
    usual = units_in_words(forecast.usual)
    sentences = [f"Recent weeks let expect {usual} on a {weekday}."]
    if not forecast.effects:
        sentences.append("This model does not say what moved its forecast.")
    return sentences + [effect_in_words(effect) for effect in forecast.effects]


def effect_in_words(effect: dict[str, Any]) -> str:
    """Return one effect in words."""
    share = effect["factor"] - 1
    driver = effect["driver"]
    return f"{driver[0].upper()}{driver[1:]}: {share:+.0%}"


def code_in_words(text: str) -> Markup:
    """Return a text whose parts between backticks are shown as code, all of it escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(part) if i % 2 else part for i, part in enumerate(parts))
