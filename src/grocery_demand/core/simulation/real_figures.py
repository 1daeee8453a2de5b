"""What is known of the real sales, to hold the simulated ones against.

Source: public analyses of the Kaggle competition "Corporación Favorita Grocery Sales Forecasting"
and of its family-level re-release "Store Sales", 2013-01-01 to 2017-08-15. Where two of them
disagree, or a range was published, both ends are given. Scale-dependent figures (rows per store
and day) are for the full range of 4,036 items.
"""

Figure = tuple[float, float]


def _each(names: str, *values: float) -> dict[str, Figure]:
    return {name: (v, v) for name, v in zip(names.split("|"), values, strict=True)}


WEEKDAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
BIG_FAMILIES = (
    "GROCERY I|BEVERAGES|PRODUCE|CLEANING|DAIRY|BREAD/BAKERY|POULTRY|MEATS|PERSONAL CARE|DELI|"
    "HOME CARE|EGGS|FROZEN FOODS|PREPARED FOODS|LIQUOR,WINE,BEER|SEAFOOD|GROCERY II"
)

REAL_FIGURES: dict[str, dict[str, Figure]] = {
    "Rows per store and open day, for 4,036 items": _each(
        "2013|2014|2015|2016|2017", 964, 1300, 1522, 1842, 1973
    ),
    "Units of a row": _each(
        "mean|standard deviation|1 % quantile|25 % quantile|50 % quantile|75 % quantile|"
        "90 % quantile|95 % quantile|99 % quantile|99.9 % quantile|lowest|highest",
        8.56,
        18.7,
        1,
        2,
        4,
        9,
        18,
        29,
        70,
        217,
        -15_372,
        89_440,
    ),
    "Share of rows by units": _each(
        "1|2|3|4|5|6|negative", 0.186, 0.141, 0.106, 0.081, 0.063, 0.051, 0.00009
    ),
    "Share of rows with fractional units": {
        **_each("all|PRODUCE|SEAFOOD|DELI", 0.065, 0.48, 0.30, 0.09),
        "POULTRY": (0.95, 1.0),
        "MEATS": (0.95, 1.0),
    },
    "Spread of log units": _each("within a series|between series", 0.67, 0.86),
    "Variance over mean of a series with mean": _each("2|5|14", 0.75, 1.9, 4.5),
    "Intermittency": {
        "share of days with a sale, of a random row's series": (0.73, 0.79),
        "share of series with an average gap above 1.32 days": (0.5, 0.6),
        "share of store-item pairs with a row, last 16 days": (0.47, 0.53),
    },
    "Share of units by the best-selling items": _each("1 %|10 %|50 %", 0.12, 0.46, 0.90),
    "Share of perishable goods": _each("items|rows|units", 0.24, 0.25, 0.32),
    "Share of units by family": _each(
        BIG_FAMILIES,
        0.320,
        0.202,
        0.114,
        0.091,
        0.060,
        0.039,
        0.030,
        0.029,
        0.023,
        0.023,
        0.015,
        0.015,
        0.013,
        0.008,
        0.007,
        0.002,
        0.002,
    ),
    "Share of rows on promotion by year": _each("2014|2015|2016|2017", 0.026, 0.038, 0.101, 0.115),
    "Share of rows on promotion by weekday, from 2016": {
        **dict.fromkeys(WEEKDAYS.split("|"), (0.08, 0.10)),
        **_each("Wed|Fri", 0.165, 0.144),
    },
    "Share of rows on promotion by family, from 2016": _each(
        "SEAFOOD|DELI|MEATS|BEAUTY|PRODUCE|EGGS|DAIRY|GROCERY I|HARDWARE",
        0.26,
        0.23,
        0.21,
        0.18,
        0.18,
        0.17,
        0.14,
        0.08,
        0.0,
    ),
    "Uplift by a promotion within a series": _each(
        "all|GROCERY I|MEATS|BEVERAGES|PRODUCE|PERSONAL CARE|CLEANING|DAIRY",
        1.39,
        1.63,
        1.60,
        1.59,
        1.51,
        1.43,
        1.28,
        1.07,
    ),
    "Weekday": _each(WEEKDAYS, 0.96, 0.87, 0.92, 0.78, 0.91, 1.23, 1.33),
    "Weekday by family": _each(
        "LIQUOR,WINE,BEER Mon|LIQUOR,WINE,BEER Fri|LIQUOR,WINE,BEER Sat|PRODUCE Wed|MEATS Fri|"
        "POULTRY Fri|EGGS Mon|FROZEN FOODS Sat",
        0.51,
        1.46,
        1.93,
        1.22,
        1.4,
        1.4,
        1.38,
        1.52,
    ),
    "Month": _each(MONTHS, 1.04, 0.92, 1.01, 0.93, 0.92, 0.96, 1.03, 0.92, 1.03, 1.01, 1.03, 1.25),
    "Day of the month": {
        **_each("1|2|3|4|5|6|7|16", 1.24, 1.19, 1.15, 1.13, 1.10, 1.07, 1.05, 1.04),
        "22-29": (0.92, 0.97),
        "last": (1.05, 1.05),
    },
    "Holiday": {
        **_each(
            "Additional|Bridge|Transfer|Holiday|Event|Work Day|moved away",
            1.30,
            1.28,
            1.24,
            1.13,
            1.05,
            1.05,
            0.96,
        ),
        "21-24 December": (1.4, 1.6),
        **_each("1 May|Mother's Day|local", 1.49, 0.76, 1.03),
        "two days after the earthquake": (1.87, 1.87),
    },
    "Stores": {
        "44 over the mean": (2.99, 2.99),
        "47 over the mean": (2.44, 2.44),
        "highest over the mean": (2.99, 2.99),
        "lowest over the mean": (0.27, 0.27),
        "growth a year, log points": (0.2, 0.2),
        "noise of the daily total, log sd": (0.17, 0.17),
    },
    "Transactions": {
        **_each("mean|25 % quantile|50 % quantile|75 % quantile", 1695, 1046, 1393, 2079),
        "highest": (8359, 8359),
        "correlation with the store's units": (0.84, 0.84),
    },
    "Oil price by year": _each("2013|2014|2015|2016|2017", 98, 93, 49, 43, 49),
    "Cold start": {"share of planned store-item pairs never sold before": (0.21, 0.21)},
}
