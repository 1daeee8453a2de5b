"""Which series a report shows: the workshop's products, and series typical of their kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.parts import PanelParts

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
        store_nbr: Its store.
        item_nbr: Its item.
        family: Of the item.
        units: Sold on the last `RECENT_DAYS`, float32 [day].
    """

    row: int
    role: str
    store_nbr: int
    item_nbr: int
    family: str
    units: np.ndarray


def choose_examples(panel: PanelParts) -> list[Example]:
    """Choose up to six series: the workshop's three, the largest, a middling, an intermittent."""
    chosen: dict[int, str] = {}
    for row, role in (*_workshop_series(panel), *_typical_series(panel)):
        chosen.setdefault(row, role)
    rows = np.array(sorted(chosen), int)
    described = chain.from_iterable(panel.map(_describe, own=panel.split(rows)))
    facts = dict(zip(rows.tolist(), described, strict=True))
    return [Example(row, role, *facts[row]) for row, role in chosen.items()]


def _workshop_series(panel: PanelParts) -> Iterator[tuple[int, str]]:
    found = zip(panel.map(_find_workshop_items), panel.bounds[:-1], strict=True)
    rows = {item: int(first) + row for items, first in found for item, row in items.items()}
    for wanted, name in WORKSHOP_ITEMS.items():
        if wanted in rows:
            yield rows[wanted], name


def _find_workshop_items(part: Panel) -> dict[int, int]:
    """Return the positions of the workshop store's series by item."""
    in_store = np.flatnonzero(part.series["store_nbr"] == WORKSHOP_STORE).tolist()
    items = part.series["item_nbr"].iloc[in_store].tolist()
    return dict(zip(items, in_store, strict=True))


def _typical_series(panel: PanelParts) -> Iterator[tuple[int, str]]:
    units, distance = (np.concatenate(each) for each in zip(*panel.map(_measure), strict=True))
    selling = np.flatnonzero(units > 0)
    if not len(selling):
        return
    by_units = selling[np.argsort(-units[selling], kind="stable")]
    yield int(by_units[0]), "Largest"
    yield int(by_units[len(by_units) // 2]), "Middling"
    distance = distance[by_units]
    if distance.min() <= _INTERMITTENT_SHARE:
        yield int(by_units[np.argmin(distance)]), "Intermittent"


def _measure(part: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the recent units of each series, and how far it is from selling now and then.

    In every part of the time, so that neither a series that was given up nor one that sells for
    a week of promotion is taken for a slow one.
    """
    recent = part.units[:, -RECENT_DAYS:]
    spans = np.array_split(recent > 0, _PARTS, axis=1)
    distance = np.max([np.abs(span.mean(axis=1) - _INTERMITTENT_SHARE) for span in spans], axis=0)
    return recent.sum(axis=1), distance


def _describe(part: Panel, rows: np.ndarray) -> list[tuple[int, int, str, np.ndarray]]:
    """Return store_nbr, item_nbr, family and recent units of some series."""
    known = part.series.iloc[rows][[*SERIES_KEY, "family"]].itertuples(index=False, name=None)
    recent = part.units[rows, -RECENT_DAYS:]
    return [(*facts, units) for facts, units in zip(known, recent, strict=True)]
