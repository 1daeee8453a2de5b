"""The simulated stores: where they are, how large, and when they are open."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from grocery_demand.core.simulation.parameters import EPOCH, SimulationParameters
from grocery_demand.core.simulation.randomness import Purpose, generator, spread_normally

FULL_COUNT = 54
NAMED_SIZES = {44: 2.99, 47: 2.44}
NAMED_TYPE, NAMED_CITY = "A", "Quito"
MEAN_UNITS = {"A": 31_600.0, "D": 14_700.0, "B": 14_300.0, "E": 12_100.0, "C": 7_900.0}
_TYPE_COUNTS = {"D": 18, "C": 15, "A": 9, "B": 8, "E": 4}
_TYPE_CLUSTERS = {"D": 5, "C": 4, "A": 4, "B": 2, "E": 2}
_CITIES = {
    "Quito": ("Pichincha", 18),
    "Guayaquil": ("Guayas", 8),
    "Cuenca": ("Azuay", 3),
    "Santo Domingo": ("Santo Domingo de los Tsachilas", 3),
    "Manta": ("Manabi", 2),
    "Machala": ("El Oro", 2),
    "Latacunga": ("Cotopaxi", 2),
    "Ambato": ("Tungurahua", 2),
    "Cayambe": ("Pichincha", 1),
    "Riobamba": ("Chimborazo", 1),
    "Ibarra": ("Imbabura", 1),
    "Guaranda": ("Bolivar", 1),
    "Puyo": ("Pastaza", 1),
    "Salinas": ("Santa Elena", 1),
    "Daule": ("Guayas", 1),
    "Babahoyo": ("Los Rios", 1),
    "Quevedo": ("Los Rios", 1),
    "Playas": ("Guayas", 1),
    "Libertad": ("Guayas", 1),
    "Loja": ("Loja", 1),
    "Esmeraldas": ("Esmeraldas", 1),
    "El Carmen": ("Manabi", 1),
}
_OPENINGS, _CLOSURES = 7, 6
_SAMPLE_OPENING, _SAMPLE_CLOSURE = 4, 4
_ALWAYS_OPEN = np.iinfo(np.int64).min // 2


@dataclass(frozen=True)
class Stores:
    """The stores of a world, in order of their number; arrays are [store].

    Attributes:
        table: store_nbr, city, state, type, cluster; one row per store.
        sizes: Log of the units sold relative to the mean store; float64.
        opening: First day open, in days since the epoch; int64.
        closed_from: First day of the closure, in days since the epoch; int64.
        closed_until: First day open again; int64 (equal to `closed_from` without a closure).
    """

    table: pl.DataFrame
    sizes: np.ndarray
    opening: np.ndarray
    closed_from: np.ndarray
    closed_until: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """The store numbers; [store] int64."""
        return self.table["store_nbr"].to_numpy()

    def find_open(self, day: date) -> np.ndarray:
        """Which stores sell on the day; [store] bool.

        On 25 December none does, on 1 January only the first one or two.
        """
        age = (day - EPOCH).days
        closed = (self.closed_from <= age) & (age < self.closed_until)
        is_open = (self.opening <= age) & ~closed
        if (day.month, day.day) == (12, 25):
            return np.zeros_like(is_open)
        if (day.month, day.day) == (1, 1):
            return is_open & (np.cumsum(is_open) <= 1 + day.year % 2)
        return is_open


def make_stores(parameters: SimulationParameters) -> Stores:
    """Make the stores of a world: some of the 54 that its seed gives."""
    every_store = _make_every_store(parameters.seed)
    chosen = _choose_stores(every_store, parameters.stores)
    stores = _take_stores(every_store, np.flatnonzero(np.isin(every_store.numbers, chosen)))
    if parameters.scenario == "new_store":
        return _add_store(stores, date.fromisoformat(parameters.scenario_start))
    return stores


def _make_every_store(seed: int) -> Stores:
    source = generator(seed, Purpose.STORES)
    cities = _deal(source, {city: count for city, (_, count) in _CITIES.items()}, NAMED_CITY)
    types = _deal(source, _TYPE_COUNTS, NAMED_TYPE)
    table = pl.DataFrame(
        {
            "store_nbr": np.arange(1, FULL_COUNT + 1),
            "city": cities,
            "state": [_CITIES[city][0] for city in cities],
            "type": types,
            "cluster": _deal_clusters(source, types),
        }
    )
    sizes = _draw_sizes(source, types)
    return Stores(table, sizes, *_draw_open_times(source))


def _deal(source: np.random.Generator, counts: dict[str, int], named: str) -> list[str]:
    """Deal out the values to the stores, the named stores getting the named value."""
    hand = [value for value, count in counts.items() for _ in range(count)]
    for _ in NAMED_SIZES:
        hand.remove(named)
    dealt = iter(source.permutation(hand).tolist())
    numbers = range(1, FULL_COUNT + 1)
    return [named if number in NAMED_SIZES else next(dealt) for number in numbers]


def _deal_clusters(source: np.random.Generator, types: list[str]) -> list[int]:
    """Give each store one of its type's clusters, every cluster being used."""
    names = iter(source.permutation(np.arange(1, 18)).tolist())
    clusters = {kind: [next(names) for _ in range(n)] for kind, n in _TYPE_CLUSTERS.items()}
    seen = dict.fromkeys(types, 0)
    dealt = []
    for kind in types:
        dealt.append(clusters[kind][seen[kind] % len(clusters[kind])])
        seen[kind] += 1
    return dealt


def _draw_sizes(source: np.random.Generator, types: list[str]) -> np.ndarray:
    mean = sum(MEAN_UNITS[kind] * count for kind, count in _TYPE_COUNTS.items()) / FULL_COUNT
    sizes = np.array([np.log(MEAN_UNITS[kind] / mean) for kind in types])
    for kind in _TYPE_COUNTS:
        members = np.array(types) == kind
        sizes[members] += 0.3 * spread_normally(source, int(members.sum()))
    for number, size in NAMED_SIZES.items():
        sizes[number - 1] = np.log(size)
    return sizes


def _draw_open_times(source: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the opening and the closure of each store: seven open late, six close for a while."""
    opening = np.full(FULL_COUNT, _ALWAYS_OPEN)
    closed_from, closed_until = np.zeros((2, FULL_COUNT), dtype=np.int64)
    others = [n - 1 for n in range(1, FULL_COUNT + 1) if n not in NAMED_SIZES]
    chosen = source.permutation(others)[: _OPENINGS + _CLOSURES]
    late, closing = chosen[:_OPENINGS], chosen[_OPENINGS:]
    opening[late] = 1640 * (np.arange(_OPENINGS) + 0.5) / _OPENINGS + source.integers(-60, 60, 7)
    starts = 1500 * (np.arange(_CLOSURES) + 0.5) / _CLOSURES + source.integers(-60, 60, 6)
    closed_from[closing] = starts
    closed_until[closing] = closed_from[closing] + source.integers(30, 121, _CLOSURES)
    return opening, closed_from, closed_until


def _choose_stores(stores: Stores, count: int) -> list[int]:
    """Choose stores: the named, one that opens, one that closes, then all types in turn."""
    late = np.argsort(np.where(stores.opening > 0, stores.opening, np.inf))[_SAMPLE_OPENING]
    closing = np.argsort(np.where(stores.closed_from > 0, stores.closed_from, np.inf))
    chosen = [*NAMED_SIZES, int(late) + 1, int(closing[_SAMPLE_CLOSURE]) + 1]
    first = pl.col("store_nbr").is_in(chosen)
    dealt = stores.table.sort(~first, "store_nbr")
    order = dealt.sort(~first, pl.int_range(pl.len()).over("type"), "store_nbr")["store_nbr"]
    return (chosen + [number for number in order.to_list() if number not in chosen])[:count]


def _take_stores(stores: Stores, rows: np.ndarray) -> Stores:
    return Stores(
        stores.table[rows],
        stores.sizes[rows],
        stores.opening[rows],
        stores.closed_from[rows],
        stores.closed_until[rows],
    )


def _add_store(stores: Stores, opening: date) -> Stores:
    """Add a store of middling size in the largest city, which opens on the day."""
    row = {"store_nbr": FULL_COUNT + 1, "city": NAMED_CITY, "state": "Pichincha", "type": "B"}
    cluster = stores.table["cluster"].max()
    added = pl.DataFrame([{**row, "cluster": cluster}], schema=stores.table.schema)
    return Stores(
        pl.concat([stores.table, added]),
        np.append(stores.sizes, 0.1),
        np.append(stores.opening, (opening - EPOCH) // timedelta(days=1)),
        np.append(stores.closed_from, 0),
        np.append(stores.closed_until, 0),
    )
