"""Named sets of features."""

from grocery_demand.core.features.encoding import ATTRIBUTES
from grocery_demand.core.features.groups import GROUP_WINDOWS, GROUPS
from grocery_demand.core.features.history import WEEKDAY_WINDOWS, WINDOWS
from grocery_demand.core.features.matrix import CALENDAR_FEATURES, MOVING_AVERAGE, SEASONAL_NAIVE

_HISTORY = (
    *(f"mean_{window}" for window in WINDOWS),
    "change_7_28",
    "change_28_112",
    *(f"sale_share_{window}" for window in (7, 28, 112)),
    "deviation_28",
    "deviation_140",
    "days_since_first_sale",
    "days_since_sale",
    "year_ago",
    "year_ago_change",
)
_WEEKDAY = (
    SEASONAL_NAIVE,
    MOVING_AVERAGE,
    *(f"weekday_mean_{weeks}" for weeks in WEEKDAY_WINDOWS),
)
_GROUPS = (
    *(f"{group}_mean_{window}" for group in GROUPS for window in GROUP_WINDOWS),
    *(f"{group}_weekday_mean" for group in GROUPS),
)
_PROMOTIONS = (
    "onpromotion",
    "onpromotion_day_before",
    "onpromotion_day_after",
    "promotions_ahead",
    "item_share_promoted",
    *(f"promotions_{window}" for window in (7, 28, 140)),
    "mean_promoted",
    "mean_unpromoted",
)

FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "full": (
        "step",
        *CALENDAR_FEATURES,
        *ATTRIBUTES,
        *_PROMOTIONS,
        *_HISTORY,
        *_WEEKDAY,
        *_GROUPS,
    ),
    "workshop": (*ATTRIBUTES, *CALENDAR_FEATURES),
}
"""`full` is the default; `workshop` has item, store and calendar only, as the workshop had."""
