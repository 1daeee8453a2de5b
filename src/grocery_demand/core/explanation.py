"""What moved a forecast: the trees' output, split over plain groups of features."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grocery_demand.core.features.history import WEEKDAY_WINDOWS
from grocery_demand.core.features.matrix import RELATIVE
from grocery_demand.core.features.month_days import MONTH_DAY
from grocery_demand.core.models import PointModel
from grocery_demand.core.models.gradient_boosted import LightGBM

DRIVERS: dict[str, tuple[str, ...]] = {
    "weekday": ("weekday", *(f"weekday_mean_{weeks}" for weeks in WEEKDAY_WINDOWS)),
    "promotion": (
        "onpromotion",
        "onpromotion_day_before",
        "onpromotion_day_after",
        "promotions_ahead",
        "item_share_promoted",
        "mean_promoted",
        "mean_unpromoted",
    ),
    "holidays": ("national_day", "days_to_holiday", "days_since_holiday", "local_holiday"),
    "time of the month": ("day_of_month", "days_to_month_end", MONTH_DAY),
    "time of the year": ("month", "day_of_year", "year_ago", "year_ago_change"),
    "product": ("item_nbr", "family", "class", "perishable"),
    "store": ("store_nbr", "city", "state", "type", "cluster"),
    "days ahead": ("step",),
}
"""Groups of features by what a person calls them; see `driver_of` for those not named here."""

SIMILAR = "similar products and other stores"
RECENT = "recent sales"

ALL_DRIVERS = (*DRIVERS, SIMILAR, RECENT)

_DRIVER_OF = {feature: driver for driver, features in DRIVERS.items() for feature in features}


def driver_of(feature: str) -> str:
    """Return the group that a feature belongs to."""
    base = feature.removesuffix(RELATIVE)
    if base in _DRIVER_OF:
        return _DRIVER_OF[base]
    if base.startswith(("item_", "class_", "family_")):
        return SIMILAR
    if base.startswith("promotions_"):
        return "promotion"
    return RECENT


@dataclass(frozen=True)
class Explanation:
    """Contributions of the groups of features to forecasts of trees.

    Each split on a row's way through a tree moves its value from the node's mean to the child's;
    the moves are added up by the feature that was split on (Saabas, "Interpreting random forests",
    2014; Palczewska et al. 2013). They add up to the forecast exactly, as SHAP values do, at a
    small part of their cost, which a web page can pay on each request; they favour the splits near
    the leaves a little more.

    Where several boosters are averaged, each leaf moves its share of the mean.

    Attributes:
        expected: The trees' mean output, in ln units.
        moves: What each leaf moves, by group, float64 [leaf of all trees, driver].
        first_leaf: Position of the first leaf of each tree, int [tree].
        model: The model explained.
    """

    expected: float
    moves: np.ndarray
    first_leaf: np.ndarray
    model: LightGBM

    @classmethod
    def of(cls, model: PointModel) -> "Explanation | None":
        """Return what explains a model; None for a model that is no LightGBM."""
        if not isinstance(model, LightGBM):
            return None
        drivers = [ALL_DRIVERS.index(driver_of(name)) for name in model.feature_names]
        dumps = [booster.dump_model()["tree_info"] for booster in model.boosters]
        trees = [info["tree_structure"] for dump in dumps for info in dump]
        per_tree = [_moves_of_leaves(tree, drivers) for tree in trees]
        first_leaf = np.cumsum([0, *(len(moves) for moves in per_tree)])[:-1]
        expected = sum(_value(tree) for tree in trees) / len(dumps)
        moves = np.concatenate(per_tree) / len(dumps)
        return cls(expected, moves, first_leaf, model)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Return the moves of each row by group, in ln units, float64 [row, driver].

        With `expected` (and the moving average, if the model is relative) they add up to
        ln(1+units), but for forecasts below zero.

        Args:
            matrix: The model's features, float32 [row, feature].
        """
        found = [
            np.asarray(booster.predict(matrix, pred_leaf=True, num_threads=1), np.int64)
            for booster in self.model.boosters
        ]
        leaves = np.concatenate([part.reshape(len(matrix), -1) for part in found], axis=1)
        return self.moves[leaves + self.first_leaf].sum(axis=1)


def _value(node: dict[str, Any]) -> float:
    return float(node.get("internal_value", node.get("leaf_value", 0.0)))


def _moves_of_leaves(tree: dict[str, Any], drivers: list[int]) -> np.ndarray:
    """Return what the way to each leaf of a tree moves, [leaf, driver]."""
    found: dict[int, np.ndarray] = {}
    waiting = [(tree, np.zeros(len(ALL_DRIVERS)))]
    while waiting:
        node, moved = waiting.pop()
        if "split_feature" not in node:
            found[node.get("leaf_index", 0)] = moved
            continue
        driver = drivers[node["split_feature"]]
        for child in (node["left_child"], node["right_child"]):
            further = moved.copy()
            further[driver] += _value(child) - _value(node)
            waiting.append((child, further))
    return np.stack([found[leaf] for leaf in sorted(found)])
