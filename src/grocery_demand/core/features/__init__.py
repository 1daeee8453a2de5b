"""Features: one function from panel, cutoff and days ahead to a matrix."""

from grocery_demand.core.features.ahead import Ahead, AheadFeature
from grocery_demand.core.features.encoding import Encoding
from grocery_demand.core.features.item_sums import ItemSums
from grocery_demand.core.features.matrix import MOVING_AVERAGE, SEASONAL_NAIVE, Snapshot
from grocery_demand.core.features.over_parts import sum_items
from grocery_demand.core.features.sets import FEATURE_SETS
from grocery_demand.core.features.tables import FeatureTables

__all__ = [
    "FEATURE_SETS",
    "MOVING_AVERAGE",
    "SEASONAL_NAIVE",
    "Ahead",
    "AheadFeature",
    "Encoding",
    "FeatureTables",
    "ItemSums",
    "Snapshot",
    "sum_items",
]
