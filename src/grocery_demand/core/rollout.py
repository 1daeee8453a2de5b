"""A challenger that is served beside the champion: how, and for which series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.parameters import parameters, require, require_choice
from grocery_demand.core.series_hash import draw_uniform, hash_series

CHAMPION, CANARY, SHADOW = ROLES = ("champion", "canary", "shadow")
"""Who made a forecast: the champion; a challenger whose answer was given; one whose was not."""

MODES = (SHADOW, CANARY)
"""How a challenger can be served."""

DEFAULT_SHARES = {SHADOW: 1.0, CANARY: 0.1}
"""Share of the series that a challenger takes unless another one is asked for."""


class RolloutError(GroceryDemandError):
    """A challenger cannot be served as it was asked for."""


@parameters("rollout")
class RolloutParameters:
    """What becomes of a challenger that the gate accepts while there is a champion.

    Attributes:
        accepted: `champion` to replace it at once; `canary` or `shadow` to be served beside it
            first, until `kedro challenger promote` or `off`.
        share: Share of the series that it forecasts as canary or shadow; above 0 and up to 1.

    Raises:
        ParameterError: When a value is not allowed.
    """

    accepted: str = CHAMPION
    share: float = DEFAULT_SHARES[CANARY]

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        require_choice("rollout.accepted", self.accepted, ROLES)
        require(0 < self.share <= 1, "rollout.share", self.share, "above 0 and up to 1")


@dataclass(frozen=True)
class Rollout:
    """A challenger that is served.

    Attributes:
        model_version: Its number in the registry.
        run_id: The MLflow run that made it; None if none did.
        mode: `shadow` (it forecasts aside, nobody sees it) or `canary` (its answers are given).
        share: Share of the series that it forecasts, above 0 and up to 1.
        since: When it began, in this mode and with this share; ISO in UTC.

    Raises:
        RolloutError: If mode or share are none.
    """

    model_version: int
    run_id: str | None
    mode: str
    share: float
    since: str

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        if self.mode not in MODES:
            raise RolloutError(f"A challenger is served as {' or '.join(MODES)}, not {self.mode}.")
        if not 0 < self.share <= 1:
            raise RolloutError(f"The share is {self.share:g}; give one above 0 and up to 1.")


@dataclass(frozen=True)
class ServedChallenger:
    """A challenger with its model.

    Attributes:
        version: The version.
        rollout: How it is served.
    """

    version: ModelVersion
    rollout: Rollout


def take_share(series: pd.DataFrame, rollout: Rollout) -> np.ndarray:
    """Return which series a challenger takes, bool [series].

    Chance decides by store, item and version alone: a series stays with the model that answered it
    first, on every day and in every process; a larger share keeps the series of a smaller one; the
    next challenger takes others.

    Args:
        series: One row per series: store_nbr, item_nbr.
        rollout: The version and its share.
    """
    return draw_uniform(hash_series(series), np.array([rollout.model_version])) < rollout.share
