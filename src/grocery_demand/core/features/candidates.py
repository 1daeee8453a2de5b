"""Features that were thought of and are in no set: tried by `core.feature_trials`.

One that proves its worth moves to `ahead.AHEAD_FEATURES` and to a set, and learns there to answer
what would be if a promotion were assumed (`Ahead.what_if`), which trials never ask. One that reads
other series, as `rivals_on_promotion` does, has to get its sums from `Surroundings` then: a trial
sees the whole panel, but a training may see only the series that it learns from.
"""

import numpy as np

from grocery_demand.core.features.ahead import Ahead, AheadFeature
from grocery_demand.core.features.groups import add_up
from grocery_demand.core.features.history import divide
from grocery_demand.core.features.matrix import Snapshot
from grocery_demand.core.features.plan import PLAN_DAYS


def _rivals_on_promotion(known: Snapshot, ahead: Ahead) -> np.ndarray:
    """Return the share of the other series of class and store that are on promotion that day.

    Where one soap is reduced, the others of the shop may sell less. Only series that have started
    count; NaN where there is no other.
    """
    code = known.panel.store_groups["class_store"]
    plan = known.planned_promotions(np.arange(1, PLAN_DAYS + 2)[None, :], np.arange(len(code)))
    started = known.panel.first_sale <= known.day
    promoted, members = add_up(plan.T * started, code), add_up([started], code)[0]
    day_of_plan = np.minimum(ahead.steps, PLAN_DAYS + 1) - 1
    own, group = started[ahead.rows, None], code[ahead.rows, None]
    own_promotion = own * plan[ahead.rows[:, None], day_of_plan]
    return divide(promoted[day_of_plan, group] - own_promotion, members[group] - own)


CANDIDATES: dict[str, AheadFeature] = {"rivals_on_promotion": _rivals_on_promotion}
"""Features to try, by name."""
