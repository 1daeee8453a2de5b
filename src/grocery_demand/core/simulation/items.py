"""The simulated items: what they are, how well they sell, and when they are on offer."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.randomness import Purpose, generator, spread_normally

NAMED_ITEMS = {
    99197: ("GROCERY I", 1067),
    105574: ("GROCERY I", 1045),
    1963838: ("CLEANING", 3024),
}
FULL_COUNT = 4036
FULL_CLASSES = 337
NAMED_POPULARITY = 0.9
NEVER = np.iinfo(np.int64).max // 2
_EVERY_FAMILY_FROM = 100
_CLASS_NUMBERS, _MANY_CLASSES = 50, 40
_CLASS_SPREAD, _ITEM_SPREAD = 0.28, 0.76
_SHARE_FROM_START = 0.36
_NEW_ITEMS_FROM, _NEW_ITEMS_UNTIL, _NEW_ITEMS_SLOWING = -40, 1950, 1.2
_NOISE, _NOISE_SPREAD = 0.42, 0.44
_UNSOLD, _UNSOLD_SPREAD = 0.01, 0.12
_MEAN_LIFE = 33 * 365.0


@dataclass(frozen=True)
class Items:
    """The items of a world, in order of their number; arrays are [item].

    Attributes:
        table: item_nbr, family, class, perishable; one row per item.
        family: Index into `FAMILIES`; int64.
        levels: Log of the mean units relative to the mean item; float64.
        popularity: The item's standing within its family, standard normal; float64.
        weighed: Whether it is sold by weight; bool.
        first_day: First day on offer, in days since the epoch; int64.
        end_day: First day no longer on offer; int64.
        promoted: Share of days on promotion relative to the family's; float64.
        uplift: Log of the units on promotion relative to those without; float64.
        noise: Standard deviation of the log units from day to day; float64.
        unsold: Chance of a day without a sale although there is demand; float64.
    """

    table: pl.DataFrame
    family: np.ndarray
    levels: np.ndarray
    popularity: np.ndarray
    weighed: np.ndarray
    first_day: np.ndarray
    end_day: np.ndarray
    promoted: np.ndarray
    uplift: np.ndarray
    noise: np.ndarray
    unsold: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """The item numbers; [item] int64."""
        return self.table["item_nbr"].to_numpy()

    def find_offered(self, age: int) -> np.ndarray:
        """Which items are on offer so many days after the epoch; [item] bool."""
        return (self.first_day <= age) & (age < self.end_day)


def make_items(parameters: SimulationParameters) -> Items:
    """Make the items of a world from its seed and their number."""
    source = generator(parameters.seed, Purpose.ITEMS)
    family, classes = _draw_families(source, parameters.items)
    first_day, end_day = _draw_life(source, parameters.items)
    numbers = _number_items(source, first_day)
    order = np.argsort(numbers)
    popularity = _draw_popularity(source, family)
    named = np.arange(parameters.items) < len(NAMED_ITEMS)
    popularity[named] = NAMED_POPULARITY
    table = _tabulate_items(numbers, family, classes)
    return Items(
        table[order],
        family[order],
        _draw_levels(source, family, classes, popularity)[order],
        popularity[order],
        (_draw_weighed(source, family) & ~named)[order],
        first_day[order],
        end_day[order],
        _draw_promoted(source, family)[order],
        _draw_uplift(source, family)[order],
        (_NOISE * np.exp(_NOISE_SPREAD * source.standard_normal(parameters.items)))[order],
        (_UNSOLD + _UNSOLD_SPREAD * source.random(parameters.items) ** 3)[order],
    )


def _draw_families(source: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw each item's family and class; the named items come first."""
    names = [family.name for family in FAMILIES]
    named = [names.index(family) for family, _ in NAMED_ITEMS.values()]
    rest = np.repeat(np.arange(len(FAMILIES)), _share_out(count, np.bincount(named, minlength=33)))
    family = np.concatenate([named, rest])
    classes = np.empty(count, dtype=np.int64)
    for index, class_count in enumerate(_count_classes(count)):
        members = np.flatnonzero(family == index)
        numbers = _number_classes(source, index, class_count)
        weights = 1.0 / np.arange(1.5, class_count + 1.5)
        classes[members] = source.choice(numbers, len(members), p=weights / weights.sum())
    classes[: len(named)] = [number for _, number in NAMED_ITEMS.values()]
    return family, classes


def _share_out(count: int, taken: np.ndarray) -> np.ndarray:
    """Number of further items of each family, by largest remainder."""
    shares = np.array([family.items for family in FAMILIES], dtype=float)
    quota = count * shares / shares.sum()
    if count >= _EVERY_FAMILY_FROM:
        small = quota < 1
        quota[~small] *= (count - small.sum()) / quota[~small].sum()
        quota[small] = 1.0
    wanted = np.floor(quota).astype(int)
    order = np.argsort(wanted - quota, kind="stable")
    wanted[order[: count - wanted.sum()]] += 1
    further = np.maximum(wanted - taken, 0)
    while further.sum() > count - taken.sum():
        further[np.argmax(further)] -= 1
    return further


def _count_classes(count: int) -> list[int]:
    sizes = np.array([family.items for family in FAMILIES], dtype=float) ** 0.75
    total = FULL_CLASSES * min(1.0, count / FULL_COUNT) ** 0.6
    return np.maximum(np.rint(total * sizes / sizes.sum()), 1).astype(int).tolist()


def _number_classes(source: np.random.Generator, family: int, count: int) -> np.ndarray:
    """Number a family's classes, those of the named items first."""
    base, name = FAMILIES[family].class_base, FAMILIES[family].name
    named = [number for owner, number in NAMED_ITEMS.values() if owner == name]
    width = _CLASS_NUMBERS if count <= _MANY_CLASSES else 2 * _CLASS_NUMBERS
    free = [n for n in range(base + 2, base + width - 2) if n not in named]
    return np.array(named + source.permutation(free).tolist())[:count]


def _draw_life(source: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first day on offer and the end of each item, in days since the epoch."""
    ranks = (source.permutation(count) + 0.5) / count
    later = np.maximum(ranks - _SHARE_FROM_START, 0) / (1 - _SHARE_FROM_START)
    span = _NEW_ITEMS_UNTIL - _NEW_ITEMS_FROM
    first = np.where(later > 0, _NEW_ITEMS_FROM + span * later**_NEW_ITEMS_SLOWING, -1000).astype(
        np.int64
    )
    end = np.maximum(first, 0) + 120 + source.exponential(_MEAN_LIFE, count).astype(np.int64)
    first[: len(NAMED_ITEMS)] = -1000
    end[: len(NAMED_ITEMS)] = NEVER
    return first, end


def _number_items(source: np.random.Generator, first_day: np.ndarray) -> np.ndarray:
    """Number the items, newer ones higher, and the named ones as they are called."""
    count = len(first_day)
    named = list(NAMED_ITEMS)
    free = np.arange(100_003, 2_150_000)
    free = free[~np.isin(free, named)]
    numbers = np.empty(count, dtype=np.int64)
    numbers[: len(named)] = named
    rest = np.sort(source.choice(free, count - len(named), replace=False))
    newness = np.argsort(first_day[len(named) :] + source.normal(0, 200, count - len(named)))
    numbers[len(named) + newness] = rest
    return numbers


def _draw_popularity(source: np.random.Generator, family: np.ndarray) -> np.ndarray:
    popularity = np.empty(len(family))
    for index in np.unique(family):
        members = family == index
        popularity[members] = spread_normally(source, int(members.sum()))
    return popularity


def _draw_levels(
    source: np.random.Generator, family: np.ndarray, classes: np.ndarray, popularity: np.ndarray
) -> np.ndarray:
    """Draw log mean units: the family's mean, heavy-tailed between classes and items."""
    _, of_class = np.unique(classes, return_inverse=True)
    class_effects = _CLASS_SPREAD * spread_normally(source, int(of_class.max()) + 1)
    levels = class_effects[of_class] + _ITEM_SPREAD * popularity
    items = sum(member.items for member in FAMILIES)
    for index in np.unique(family):
        members = family == index
        mean = FAMILIES[index].units / FAMILIES[index].items * items
        levels[members] += np.log(mean) - np.log(np.mean(np.exp(levels[members])))
    return levels


def _draw_weighed(source: np.random.Generator, family: np.ndarray) -> np.ndarray:
    shares = np.array([member.weighed for member in FAMILIES])[family]
    ranks = np.empty(len(family))
    for index in np.unique(family):
        members = family == index
        ranks[members] = (source.permutation(int(members.sum())) + 0.5) / members.sum()
    return ranks < shares


def _draw_promoted(source: np.random.Generator, family: np.ndarray) -> np.ndarray:
    """Draw how often items are promoted: unequally, but as often as the family on average."""
    promoted = 0.1 + source.gamma(1.5, 1.0, len(family))
    for index in np.unique(family):
        promoted[family == index] /= promoted[family == index].mean()
    return promoted


def _draw_uplift(source: np.random.Generator, family: np.ndarray) -> np.ndarray:
    means = np.log(np.array([member.uplift for member in FAMILIES]))[family]
    return means * (0.65 + 0.85 * source.random(len(family)))


def _tabulate_items(numbers: np.ndarray, family: np.ndarray, classes: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_nbr": numbers,
            "family": [FAMILIES[index].name for index in family],
            "class": classes,
            "perishable": [int(FAMILIES[index].perishable) for index in family],
        }
    )
