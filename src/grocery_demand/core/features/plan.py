"""The promotion plan as it counts at a cutoff."""

import numpy as np

from grocery_demand.core.panel import Panel

PLAN_DAYS = 16
"""Days ahead whose promotions count as known, also where later sales show more of them.

As many as Kaggle's plan has; in training as in forecasting, so that the model learns from no plan
that is longer than the one it will be given.
"""


def list_plan(panel: Panel, day: int) -> np.ndarray:
    """Return the promotions from a cutoff's day to the day after the plan, uint8 [series, day]."""
    known = panel.promotions[:, day : day + PLAN_DAYS + 1]
    plan = np.zeros((len(known), PLAN_DAYS + 2), np.uint8)
    plan[:, : known.shape[1]] = known
    return plan
