"""What the settings of LightGBM come to for a number of rows: parameters, trees, boosters."""

from dataclasses import dataclass
from typing import Any

OWN_SETTINGS = {
    "n_estimators",
    "max_rows_per_tree",
    "trees_per_draw",
    "rows_to_trust",
    "rows_to_stand_alone",
}
"""Settings that are this project's and not LightGBM's, each a number from 1; see `FitPlan`."""

_SEED_NAMES = ("seed", "random_seed", "random_state")
"""What LightGBM knows the seed of all draws by."""

_LEAST_TRUST = 0.6
"""Share of the corrections that is applied where there is hardly a row to learn from."""

_MOST_BOOSTERS = 3
"""Boosters that are averaged at most where rows are few: a fourth brings little more."""


def draw_fewer_rows(settings: dict[str, Any], n_rows: int) -> dict[str, Any]:
    """Return LightGBM's parameters with `max_rows_per_tree` and `trees_per_draw` put into them.

    Few rows are drawn at the share that is set, many at a smaller one: beyond some number of rows
    a tree costs more and learns little more, while other trees see other rows. Drawing from many
    rows takes long, so a draw then serves `trees_per_draw` trees.
    """
    settings = dict(settings)
    most, trees = settings.pop("max_rows_per_tree", None), settings.pop("trees_per_draw", None)
    if most is None or not n_rows:
        return settings
    share, often = settings.get("bagging_fraction", 1.0), settings.get("bagging_freq", 1)
    if most < share * n_rows:
        share, often = most / n_rows, trees or often
    return settings | {"bagging_fraction": share, "bagging_freq": often}


def trust_in(n_rows: int, rows_to_trust: int | None) -> float:
    """Return the share of the trees' corrections of the moving average that is applied.

    Few rows are much noise, and trees follow some of it. The share grows in proportion to the rows,
    from `_LEAST_TRUST` to 1 where there are `rows_to_trust`; None: it is 1 for any.
    """
    if rows_to_trust is None or n_rows >= rows_to_trust:
        return 1.0
    return _LEAST_TRUST + (1 - _LEAST_TRUST) * n_rows / rows_to_trust


def count_boosters(n_rows: int, rows_to_stand_alone: int | None) -> int:
    """Return how many boosters are fitted, whose forecasts are averaged.

    Which rows and features each tree is given is drawn, and what that does to a forecast is chance:
    of few rows much, which a mean takes away, and takes little time. They are as many as make up
    `rows_to_stand_alone` together, three at most; None: one for any number of rows.
    """
    if rows_to_stand_alone is None:
        return 1
    return min(-(-rows_to_stand_alone // max(n_rows, 1)), _MOST_BOOSTERS)


@dataclass(frozen=True)
class FitPlan:
    """What the settings come to for a number of rows.

    Attributes:
        params: LightGBM's parameters.
        n_trees: Trees of a booster.
        trust: Share of the trees' corrections that is applied, see `trust_in`.
        n_boosters: Boosters whose forecasts are averaged, see `count_boosters`.
        seed: Of the first booster, if the settings have one; the others count on from it.
    """

    params: dict[str, Any]
    n_trees: int
    trust: float
    n_boosters: int
    seed: int | None

    @classmethod
    def of(cls, settings: dict[str, Any], n_rows: int) -> "FitPlan":
        """Take out of the settings what is ours and not LightGBM's."""
        params = draw_fewer_rows(settings, n_rows)
        n_trees = params.pop("n_estimators")
        trust = trust_in(n_rows, params.pop("rows_to_trust", None))
        n_boosters = count_boosters(n_rows, params.pop("rows_to_stand_alone", None))
        seeds = [params.pop(name) for name in _SEED_NAMES if name in params]
        return cls(params, n_trees, trust, n_boosters, seeds[0] if seeds else None)


def dataset_params(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what of the settings concerns the bins of features."""
    return {"max_bin": settings.get("max_bin", 255), "verbose": -1}
