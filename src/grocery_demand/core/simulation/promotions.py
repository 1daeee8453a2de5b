"""The promotion plan: which store promotes which item on a day, known ahead."""

from datetime import date

import numpy as np

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, generator
from grocery_demand.core.simulation.weeks import find_week
from grocery_demand.core.simulation.world import World

RECORDED_FROM = date(2014, 4, 1)
_SHARE_BY_YEAR = {2014: 0.026, 2015: 0.038, 2016: 0.101, 2017: 0.115}
_WEEKDAYS = np.array([0.83, 0.86, 1.62, 0.86, 1.42, 0.84, 0.84])
_SHARES = np.array([family.promoted for family in FAMILIES])
_MEAN_SHARE = 0.118
_PARTICIPATION = 0.8
_HIGHEST_SHARE = 0.9
_WAVE_FACTOR = 4.0


def plan_promotions(world: World, day: date) -> np.ndarray:
    """Plan the promotions of a day; [store × item] bool.

    A campaign belongs to an item and a week. Each item draws one number a week and is promoted
    on the days whose share exceeds it, so that campaigns last for days; most stores join in.
    """
    week, width = find_week(day), len(world.items.numbers)
    campaign = generator(world.seed, Purpose.CAMPAIGNS, week).random(width)
    joins = draw_by_store(
        world.seed, Purpose.PARTICIPATION, week, world.stores.numbers, width, "uniform"
    )
    return (campaign < _find_shares(world, day))[None, :] & (joins < _PARTICIPATION)


def _find_shares(world: World, day: date) -> np.ndarray:
    """The chance of each item to be in a campaign on the day; [item] float64."""
    if day < RECORDED_FROM:
        return np.zeros(len(world.items.numbers))
    share = _SHARE_BY_YEAR[min(day.year, max(_SHARE_BY_YEAR))] / _PARTICIPATION
    if world.parameters.runs_scenario("promotion_wave", day):
        share *= _WAVE_FACTOR
    family = _SHARES[world.items.family] / _MEAN_SHARE
    wanted = share * _WEEKDAYS[day.weekday()] * family * world.items.promoted
    return np.minimum(wanted, _HIGHEST_SHARE)
