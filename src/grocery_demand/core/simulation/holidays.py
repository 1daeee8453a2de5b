"""Ecuador's holidays, worked out from their rules, and what they do to a store's sales."""

from datetime import date, timedelta

import numpy as np
import polars as pl

NATIONAL_EFFECTS = {
    "Additional": 1.30,
    "Bridge": 1.28,
    "Transfer": 1.24,
    "Holiday": 1.13,
    "Event": 1.05,
    "Work Day": 1.05,
}
LOCAL_EFFECT = 1.03
MOVED_EFFECT = 0.96
DATE_EFFECTS = {(12, 21): 1.40, (12, 22): 1.48, (12, 23): 1.60, (12, 24): 1.55, (5, 1): 1.49}
MOTHERS_DAY_EFFECT = 0.76
EARTHQUAKE = date(2016, 4, 16)
EARTHQUAKE_EFFECTS = (1.05, 1.24, 1.87, 1.70, 1.48, 1.52, 1.20, 1.10)
MOTHERS_DAY = "Dia de la Madre"
QUAKE = "Terremoto Manabi"

_FIXED = {
    (1, 1): "Primer dia del ano",
    (5, 1): "Dia del Trabajo",
    (5, 24): "Batalla de Pichincha",
    (8, 10): "Primer Grito de Independencia",
    (10, 9): "Independencia de Guayaquil",
    (11, 2): "Dia de Difuntos",
    (11, 3): "Independencia de Cuenca",
    (12, 25): "Navidad",
}
_MOVABLE = {(5, 24), (8, 10), (10, 9)}
_WORLD_CUP_DAYS = (
    (6, 12),
    (6, 15),
    (6, 20),
    (6, 25),
    (6, 28),
    (6, 29),
    (6, 30),
    (7, 1),
    (7, 4),
    (7, 5),
    (7, 8),
    (7, 9),
    (7, 12),
    (7, 13),
)
_REGIONAL = {
    (4, 1): "Cotopaxi",
    (6, 25): "Imbabura",
    (11, 6): "Santo Domingo de los Tsachilas",
    (11, 7): "Santa Elena",
}
_LOCAL = {
    (3, 2): ("Manta",),
    (4, 12): ("Cuenca",),
    (4, 14): ("Libertad",),
    (4, 21): ("Riobamba",),
    (5, 12): ("Puyo",),
    (6, 23): ("Guaranda",),
    (6, 25): ("Latacunga", "Machala"),
    (7, 3): ("El Carmen", "Santo Domingo"),
    (7, 23): ("Cayambe",),
    (7, 25): ("Guayaquil",),
    (8, 5): ("Esmeraldas",),
    (8, 15): ("Riobamba",),
    (8, 24): ("Ambato",),
    (9, 28): ("Ibarra",),
    (10, 7): ("Quevedo",),
    (11, 3): ("Cuenca",),
    (11, 10): ("Guaranda",),
    (11, 11): ("Latacunga",),
    (11, 12): ("Ambato",),
    (12, 6): ("Quito",),
    (12, 8): ("Loja",),
    (12, 22): ("Salinas",),
}
_DAY = timedelta(days=1)
_SUNDAY, _NOVEMBER, _WORLD_CUP = 6, 11, 2014
Row = tuple[date, str, str, str, str, bool]


def find_easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian algorithm; Meeus, "Astronomical algorithms")."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def list_holidays(first_year: int, last_year: int) -> pl.DataFrame:
    """List the holidays and events of the years; one row per date, place and description."""
    rows = [row for year in range(first_year, last_year + 1) for row in _list_year(year)]
    names = ["date", "type", "locale", "locale_name", "description", "transferred"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    return table.sort("date", "locale", "locale_name", "description", maintain_order=True)


def _list_year(year: int) -> list[Row]:
    return [*_list_national(year), *_list_bridges(year), *_list_events(year), *_list_places(year)]


def _national(day: date, kind: str, description: str, moved: bool = False) -> Row:
    return (day, kind, "National", "Ecuador", description, moved)


def _list_national(year: int) -> list[Row]:
    easter = find_easter(year)
    rows = [
        _national(easter - 48 * _DAY, "Holiday", "Carnaval"),
        _national(easter - 47 * _DAY, "Holiday", "Carnaval"),
        _national(easter - 2 * _DAY, "Holiday", "Viernes Santo"),
    ]
    for (month, day_of_month), name in _FIXED.items():
        day = date(year, month, day_of_month)
        new_day = _move_holiday(day)
        rows.append(_national(day, "Holiday", name, new_day != day))
        if new_day != day:
            rows.append(_national(new_day, "Transfer", f"Traslado {name}"))
    for day, name in _list_additional(year):
        rows.append(_national(day, "Additional", name))
    return rows


def _move_holiday(day: date) -> date:
    """The day on which a holiday is kept: Friday instead of midweek, Monday for a New Year."""
    weekday = day.weekday()
    if (day.month, day.day) in _MOVABLE and weekday in (1, 2, 3):
        return day + (4 - weekday) * _DAY
    if (day.month, day.day) == (1, 1) and weekday == _SUNDAY:
        return day + _DAY
    return day


def _list_additional(year: int) -> list[tuple[date, str]]:
    christmas = date(year, 12, 25)
    rows = [(christmas - n * _DAY, f"Navidad-{n}") for n in (4, 3, 2, 1)]
    rows += [(christmas + _DAY, "Navidad+1"), (date(year, 12, 31), "Primer dia del ano-1")]
    return [*rows, (_find_mothers_day(year) - _DAY, f"{MOTHERS_DAY}-1")]


def _find_mothers_day(year: int) -> date:
    first = date(year, 5, 1)
    return first + ((6 - first.weekday()) % 7 + 7) * _DAY


def _list_bridges(year: int) -> list[Row]:
    """Days off between a holiday and a weekend, and the Saturdays that make up for them."""
    rows: list[Row] = []
    for month, day_of_month in ((1, 1), (11, 3), (12, 25)):
        day = date(year, month, day_of_month)
        gap = {1: -_DAY, 3: _DAY}.get(day.weekday())
        if gap is None or (gap < 0 * _DAY and month == _NOVEMBER):
            continue
        bridge = day + gap
        saturday = bridge + (12 - bridge.weekday()) * _DAY
        rows.append(_national(bridge, "Bridge", f"Puente {_FIXED[month, day_of_month]}"))
        rows.append(_national(saturday, "Work Day", "Recupero puente"))
    return rows


def _list_events(year: int) -> list[Row]:
    thanksgiving = date(year, 11, 1) + ((3 - date(year, 11, 1).weekday()) % 7 + 21) * _DAY
    days = [
        (thanksgiving + _DAY, "Black Friday"),
        (thanksgiving + 4 * _DAY, "Cyber Monday"),
        (_find_mothers_day(year), MOTHERS_DAY),
    ]
    if year == _WORLD_CUP:
        days += [(date(year, m, d), "Mundial de futbol Brasil") for m, d in _WORLD_CUP_DAYS]
    if year == EARTHQUAKE.year:
        days += [(EARTHQUAKE + n * _DAY, f"{QUAKE}+{n}" if n else QUAKE) for n in range(31)]
    return [_national(day, "Event", name) for day, name in days]


def _list_places(year: int) -> list[Row]:
    rows: list[Row] = []
    for (month, day), state in _REGIONAL.items():
        name = f"Provincializacion de {state}"
        rows.append((date(year, month, day), "Holiday", "Regional", state, name, False))
    for (month, day), cities in _LOCAL.items():
        for city in cities:
            name = f"Fiestas de {city}"
            rows.append((date(year, month, day), "Holiday", "Local", city, name, False))
    return rows


class HolidayEffects:
    """What the holidays do to each store's demand, by day."""

    def __init__(self, holidays: pl.DataFrame, stores: pl.DataFrame) -> None:
        """Sort the holidays by day.

        Args:
            holidays: The table of `list_holidays`.
            stores: One row per store with store_nbr, city and state.
        """
        self._rows = {day: rows.rows() for (day,), rows in holidays.group_by("date")}
        self._cities = stores["city"].to_numpy()
        self._states = stores["state"].to_numpy()

    def find_factors(self, day: date) -> np.ndarray:
        """Demand of the day relative to an ordinary one; [store] float64."""
        rows: list[Row] = self._rows.get(day, [])
        factors = np.full(len(self._cities), _find_national_factor(day, rows))
        for _, _, locale, place, _, _ in rows:
            if locale != "National":
                here = self._cities if locale == "Local" else self._states
                factors[here == place] *= LOCAL_EFFECT
        return factors


def _find_national_factor(day: date, rows: list[Row]) -> float:
    if (day.month, day.day) in DATE_EFFECTS:
        return DATE_EFFECTS[day.month, day.day]
    since_quake = (day - EARTHQUAKE).days
    if 0 <= since_quake < len(EARTHQUAKE_EFFECTS):
        return EARTHQUAKE_EFFECTS[since_quake]
    factor = 1.0
    for _, kind, locale, _, name, moved in rows:
        if locale != "National" or name.startswith(QUAKE):
            continue
        if name == MOTHERS_DAY:
            return MOTHERS_DAY_EFFECT
        factor = max(factor, NATIONAL_EFFECTS[kind]) if not moved else MOVED_EFFECT
    return factor
