"""Which series a report shows: the workshop's products, and series typical of their kind."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.panel import Panel

RECENT_DAYS = 56
"""Days up to the cutoff by which series are chosen and which are shown."""

WORKSHOP_STORE = 47
WORKSHOP_ITEMS = {99197: "Milk", 105574: "Cheese", 1963838: "Soap"}
"""The products that the workshop's web page offered."""

_INTERMITTENT_SHARE = 0.25
"""Share of days with a sale that a typical slow seller has; none is shown with over twice that."""
_PARTS = 4


@dataclass(frozen=True)
class Example:
    """A series worth showing.

    Attributes:
        row: Its position in the panel.
        role: Why it is shown.
    """

    row: int
    role: str


def choose_examples(panel: Panel) -> list[Example]:
    """Choose up to six series: the workshop's three, the largest, a middling, an intermittent."""
    chosen: dict[int, str] = {}
    for row, role in (*_workshop_series(panel), *_typical_series(panel)):
        chosen.setdefault(row, role)
    return [Example(row, role) for row, role in chosen.items()]


def _workshop_series(panel: Panel) -> Iterator[tuple[int, str]]:
    in_store = (panel.series["store_nbr"] == WORKSHOP_STORE).to_numpy()
    item_nbr = panel.series["item_nbr"].to_numpy()
    for wanted, name in WORKSHOP_ITEMS.items():
        for row in np.flatnonzero(in_store & (item_nbr == wanted)):
            yield int(row), name


def _typical_series(panel: Panel) -> Iterator[tuple[int, str]]:
    recent = panel.units[:, -RECENT_DAYS:]
    units = recent.sum(axis=1)
    selling = np.flatnonzero(units > 0)
    if not len(selling):
        return
    by_units = selling[np.argsort(-units[selling], kind="stable")]
    yield int(by_units[0]), "Largest"
    yield int(by_units[len(by_units) // 2]), "Middling"
    # In every part of the time, so that neither a series that was given up nor one that sells for
    # a week of promotion is taken for a slow one.
    parts = np.array_split(recent[by_units] > 0, _PARTS, axis=1)
    distance = np.max([np.abs(part.mean(axis=1) - _INTERMITTENT_SHARE) for part in parts], axis=0)
    if distance.min() <= _INTERMITTENT_SHARE:
        yield int(by_units[np.argmin(distance)]), "Intermittent"
