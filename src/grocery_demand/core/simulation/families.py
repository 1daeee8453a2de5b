"""The 33 families of goods and how each of them sells.

Figures are the marginals published about the Corporación Favorita data (counts of items, shares
of units, promoted shares, uplifts, week shapes); what is not published is set to the general mean.
"""

from dataclasses import dataclass

GENERAL_WEEK = (0.99, 0.89, 0.86, 0.81, 0.89, 1.20, 1.36)


@dataclass(frozen=True)
class Family:
    """One family of goods.

    Attributes:
        name: Its name in items.csv.
        items: Number of items in the full range.
        units: Share of all units sold.
        perishable: Whether its items perish.
        weighed: Share of its rows with fractional units.
        promoted: Share of its rows on promotion.
        uplift: Units on promotion relative to units without.
        week: Units by weekday, Monday first, relative to the mean.
        class_base: Where its class numbers begin.
    """

    name: str
    items: int
    units: float
    class_base: int
    perishable: bool = False
    weighed: float = 0.0
    promoted: float = 0.09
    uplift: float = 1.35
    week: tuple[float, ...] = GENERAL_WEEK


_FRIDAY_WEEK = (0.88, 0.82, 0.85, 0.76, 1.40, 1.10, 1.19)

FAMILIES = (
    Family("GROCERY I", 1334, 0.320, 1000, promoted=0.08, uplift=1.63),
    Family("BEVERAGES", 613, 0.202, 1100, promoted=0.085, uplift=1.59),
    Family(
        "PRODUCE",
        306,
        0.114,
        2000,
        True,
        0.48,
        0.18,
        1.51,
        (0.97, 0.95, 1.11, 0.80, 0.83, 1.12, 1.22),
    ),
    Family("CLEANING", 446, 0.091, 3000, promoted=0.09, uplift=1.32),
    Family("DAIRY", 242, 0.060, 2100, True, promoted=0.14, uplift=1.10),
    Family("BREAD/BAKERY", 134, 0.039, 2200, True, promoted=0.08, uplift=1.2),
    Family("POULTRY", 54, 0.030, 2300, True, 0.99, 0.13, 1.45, _FRIDAY_WEEK),
    Family("MEATS", 84, 0.029, 2350, True, 0.98, 0.21, 1.60, _FRIDAY_WEEK),
    Family("PERSONAL CARE", 153, 0.023, 4000, promoted=0.10, uplift=1.48),
    Family("DELI", 91, 0.023, 2400, True, 0.09, 0.23, 1.25),
    Family("HOME CARE", 108, 0.015, 3100, promoted=0.09, uplift=1.3),
    Family(
        "EGGS",
        41,
        0.015,
        2500,
        True,
        0.0,
        0.17,
        1.2,
        (1.38, 0.90, 0.84, 0.74, 0.84, 1.11, 1.19),
    ),
    Family(
        "FROZEN FOODS",
        55,
        0.013,
        2600,
        promoted=0.09,
        week=(0.87, 0.82, 0.85, 0.80, 0.95, 1.46, 1.25),
    ),
    Family("PREPARED FOODS", 26, 0.008, 2700, True, promoted=0.08, uplift=1.2),
    Family(
        "LIQUOR,WINE,BEER",
        73,
        0.007,
        1300,
        promoted=0.07,
        week=(0.58, 0.62, 0.71, 0.84, 1.43, 1.82, 1.00),
    ),
    Family("SEAFOOD", 8, 0.002, 2800, True, 0.30, 0.26, 1.4, _FRIDAY_WEEK),
    Family("GROCERY II", 14, 0.002, 1400, promoted=0.06),
    Family("HOME AND KITCHEN I", 77, 0.0015, 6000, promoted=0.05),
    Family("HOME AND KITCHEN II", 45, 0.0010, 6100, promoted=0.05),
    Family("CELEBRATION", 31, 0.0007, 6200, promoted=0.05),
    Family("LINGERIE", 20, 0.0004, 5000, promoted=0.05),
    Family("LADIESWEAR", 21, 0.0004, 5100, promoted=0.05),
    Family("PLAYERS AND ELECTRONICS", 17, 0.0004, 6300, promoted=0.04),
    Family("AUTOMOTIVE", 20, 0.0004, 6400, promoted=0.04),
    Family("LAWN AND GARDEN", 26, 0.0004, 6500, promoted=0.04),
    Family("PET SUPPLIES", 14, 0.0003, 6600, promoted=0.05),
    Family("BEAUTY", 19, 0.0003, 4100, promoted=0.18),
    Family("SCHOOL AND OFFICE SUPPLIES", 15, 0.0003, 6700, promoted=0.06),
    Family("MAGAZINES", 6, 0.0002, 6800, promoted=0.02),
    Family("HARDWARE", 4, 0.0001, 6900, promoted=0.0),
    Family("HOME APPLIANCES", 1, 0.00002, 6950, promoted=0.02),
    Family("BABY CARE", 1, 0.00002, 4200, promoted=0.03),
    Family("BOOKS", 1, 0.00002, 6850, promoted=0.0),
)

MONTHS_BY_FAMILY: dict[str, dict[int, float]] = {
    "SCHOOL AND OFFICE SUPPLIES": {4: 1.7, 5: 1.3, 8: 1.6, 9: 1.5, 12: 0.8},
    "CELEBRATION": {12: 1.5, 10: 1.1},
    "LIQUOR,WINE,BEER": {12: 1.25},
    "HOME AND KITCHEN I": {5: 1.15, 12: 1.2},
    "LAWN AND GARDEN": {12: 1.2},
    "PLAYERS AND ELECTRONICS": {12: 1.4},
    "BREAD/BAKERY": {10: 1.05, 12: 0.92},
}
