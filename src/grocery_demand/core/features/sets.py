"""Named sets of features."""

from grocery_demand.core.features.ahead import CALENDAR_FEATURES
from grocery_demand.core.features.encoding import ATTRIBUTES
from grocery_demand.core.features.groups import GROUP_WINDOWS, GROUPS
from grocery_demand.core.features.history import WEEKDAY_WINDOWS, WINDOWS
from grocery_demand.core.features.matrix import MOVING_AVERAGE, RELATIVE, SEASONAL_NAIVE
from grocery_demand.core.features.month_days import MONTH_DAY

_LEVELS = (
    *(f"mean_{window}" for window in WINDOWS),
    SEASONAL_NAIVE,
    *(f"weekday_mean_{weeks}" for weeks in WEEKDAY_WINDOWS),
    "year_ago",
    "mean_promoted",
    "mean_unpromoted",
)
_HISTORY = (
    MOVING_AVERAGE,
    *(f"{name}{RELATIVE}" for name in _LEVELS),
    "change_7_28",
    "change_28_112",
    *(f"sale_share_{window}" for window in (7, 28, 112)),
    "deviation_28",
    "deviation_140",
    "days_since_first_sale",
    "days_since_sale",
    "year_ago_change",
)
_GROUPS = (
    *(f"{group}_mean_{window}" for group in GROUPS for window in GROUP_WINDOWS),
    *(f"{group}_weekday_mean" for group in GROUPS),
    MONTH_DAY,
)
_PROMOTIONS = (
    "onpromotion",
    "onpromotion_day_before",
    "onpromotion_day_after",
    "promotions_ahead",
    "item_share_promoted",
    *(f"promotions_{window}" for window in (7, 28, 140)),
)

FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "full": (
        "step",
        *CALENDAR_FEATURES,
        *ATTRIBUTES,
        *_PROMOTIONS,
        *_HISTORY,
        *_GROUPS,
    ),
    "workshop": (*ATTRIBUTES, *CALENDAR_FEATURES),
}
"""`full` is the default; `workshop` has item, store and calendar only, as the workshop had."""
