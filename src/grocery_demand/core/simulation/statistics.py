"""How far the simulated sales resemble the real ones."""

import math
from dataclasses import dataclass, fields

import polars as pl

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.simulation.daily_statistics import (
    measure_calendar,
    measure_holidays,
    measure_stores,
    measure_surroundings,
    total_days,
)
from grocery_demand.core.simulation.real_figures import REAL_FIGURES
from grocery_demand.core.simulation.row_statistics import (
    SERIES,
    Measures,
    measure_families,
    measure_promotions,
    measure_rows,
    measure_series,
)

_HUNDRED = 100
_INTRODUCTION = """# The sample beside the real sales

Printed by `kedro describe-sample`; do not edit by hand. The sample in `data/01_raw/sample/` is
SIMULATED by `kedro run --pipeline simulate`: nothing in it was ever sold. The column "real" holds
figures published about the Kaggle competition "Corporación Favorita Grocery Sales Forecasting",
measured on 125 million rows of 54 stores and 4,036 items from 2013 to 2017. A dash means that the
sample has nothing to measure the figure on.

## Known differences

- **Few goods and stores.** Small families have one or two items, so that their shares of units,
  promotions and weights are a matter of luck. The range of the stores is narrower, the extremes of
  single rows are tamer, and the daily total of a store is noisier than with twenty times the items.
- **Few days.** Bridges, transfers, Work Days, Events and the earthquake are one to ten days each.
- **Wider than real between series, narrower within.** Popular items are more popular, and units
  vary more about their mean in the middle of the series and less in the wildest of them.
- **Fewer gaps.** Somewhat fewer series are intermittent, and fewer planned pairs are new.
- **Not simulated at all.** Prices, substitution between items, stock that runs out because of a
  promotion, errors in the promotion plan, and rows missing from the feed (but for the scenario
  `broken_feed`).
"""


@dataclass(frozen=True)
class SalesTables:
    """The raw tables that are described, with the columns of Kaggle's files and typed dates.

    Attributes:
        train: One row per date, store and item; onpromotion is text.
        test: The promotion plan; one row per date, store and item.
        items: One row per item.
        stores: One row per store.
        transactions: One row per date and store.
        oil: One row per weekday.
        holidays_events: One row per date, place and description.
    """

    train: pl.LazyFrame
    test: pl.LazyFrame
    items: pl.DataFrame
    stores: pl.DataFrame
    transactions: pl.DataFrame
    oil: pl.DataFrame
    holidays_events: pl.DataFrame

    @classmethod
    def of(cls, tables: dict[str, pl.LazyFrame]) -> "SalesTables":
        """Take the tables by Kaggle's names; the small ones are read.

        Raises:
            RawDataError: If one of them is missing.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in tables]
        if missing:
            raise RawDataError(
                f"There is no {' and no '.join(missing)} table; all of {', '.join(names)} are "
                "needed, as `kedro run --pipeline simulate` makes them."
            )
        return cls(
            train=tables["train"],
            test=tables["test"],
            items=tables["items"].collect(),
            stores=tables["stores"].collect(),
            transactions=tables["transactions"].collect(),
            oil=tables["oil"].collect(),
            holidays_events=tables["holidays_events"].collect(),
        )


def describe_sample(tables: SalesTables) -> pl.DataFrame:
    """Describe simulated sales beside the published figures of the real ones.

    Returns:
        One row per statistic that is known of the real sales: topic, statistic, sample (null where
        the sample has nothing to measure it on), real_low, real_high.
    """
    found = _measure_everything(tables)
    rows = [
        (topic, statistic, _find_value(found, topic, statistic), low, high)
        for topic, figures in REAL_FIGURES.items()
        for statistic, (low, high) in figures.items()
    ]
    names = {"topic": pl.String, "statistic": pl.String}
    numbers = dict.fromkeys(("sample", "real_low", "real_high"), pl.Float64)
    return pl.DataFrame(rows, schema={**names, **numbers}, orient="row")


def _measure_everything(tables: SalesTables) -> Measures:
    sales = tables.train.join(tables.items.lazy(), on="item_nbr")
    totals = total_days(sales)
    return {
        **measure_rows(sales, len(tables.items)),
        **measure_families(sales, tables.items),
        **measure_promotions(sales),
        **measure_series(sales, len(tables.items) * len(tables.stores)),
        **measure_calendar(sales, totals),
        **measure_holidays(totals, tables.holidays_events, tables.stores),
        **measure_stores(totals, tables.holidays_events),
        **measure_surroundings(totals, tables.transactions, tables.oil),
        "Cold start": _measure_cold_start(tables),
    }


def _measure_cold_start(tables: SalesTables) -> dict[str, float]:
    sold = tables.train.select(SERIES).unique()
    planned = tables.test.select(SERIES).unique()
    new = planned.join(sold, on=SERIES, how="anti").select(pl.len()).collect().item()
    share = new / planned.select(pl.len()).collect().item()
    return {"share of planned store-item pairs never sold before": share}


def _find_value(found: Measures, topic: str, statistic: str) -> float | None:
    value = found[topic].get(statistic)
    return None if value is None or math.isnan(value) else float(value)


def render_markdown(described: pl.DataFrame) -> str:
    """Render the table of `describe_sample` as a page, one section per topic."""
    sections = [_INTRODUCTION.rstrip()]
    for (topic,), rows in described.group_by("topic", maintain_order=True):
        lines = [f"## {topic}\n", "| | sample | real |", "|---|---:|---:|"]
        for _, statistic, sample, low, high in rows.iter_rows():
            real = _print_number(low) if low == high else f"{_print_number(low)} to {high:g}"
            lines.append(f"| {statistic} | {_print_number(sample)} | {real} |")
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def _print_number(value: float | None) -> str:
    """Print with three meaningful digits, or as a whole number above a hundred."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= _HUNDRED else f"{value:.3g}"
