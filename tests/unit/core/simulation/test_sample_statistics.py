"""The statistics of a sample are what a plain count gives."""

import math
from datetime import date

import polars as pl
import pytest

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.real_figures import REAL_FIGURES
from grocery_demand.core.simulation.row_statistics import (
    measure_promotions,
    measure_rows,
    measure_series,
)
from grocery_demand.core.simulation.statistics import (
    SalesTables,
    describe_sample,
    render_markdown,
)
from grocery_demand.core.simulation.tables import simulate_tables

FIRST = date(2016, 1, 4)


def sales(rows: list[tuple[int, int, int, float, str | None, str]]) -> pl.LazyFrame:
    names = ["day", "store_nbr", "item_nbr", "unit_sales", "onpromotion", "family"]
    table = pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"unit_sales": float})
    return table.with_columns(date=pl.lit(FIRST) + pl.duration(days="day")).lazy()


def test_rows_are_counted_by_their_units() -> None:
    rows = [(0, 1, 1, 1, None, "A"), (0, 1, 2, 2.5, None, "B"), (1, 1, 1, 1, None, "A")]
    found = measure_rows(sales([*rows, (1, 2, 1, -3, None, "A")]), items=2)
    assert found["Units of a row"]["mean"] == pytest.approx(1.5 / 4)
    assert found["Units of a row"]["lowest"] == -3
    assert found["Share of rows by units"]["1"] == pytest.approx(0.5)
    assert found["Share of rows by units"]["negative"] == pytest.approx(0.25)
    assert found["Share of rows with fractional units"] == {"all": 0.25, "A": 0.0, "B": 1.0}
    per_store = found["Rows per store and open day, for 4,036 items"]
    assert per_store == {"2016": pytest.approx(4 / 3 / 2 * 4036)}


def test_an_uplift_compares_a_series_with_itself() -> None:
    low = [(day, 1, 1, 2.0 if day % 2 else 1.0, str(day % 2 == 1), "A") for day in range(10)]
    high = [(day, 1, 2, 60.0 if day < 5 else 20.0, str(day < 5), "B") for day in range(10)]
    found = measure_promotions(sales(low + high))["Uplift by a promotion within a series"]
    assert found["A"] == pytest.approx(2.0)
    assert found["B"] == pytest.approx(3.0)
    assert found["all"] == pytest.approx(math.sqrt(6.0))


def test_promotions_are_counted_among_the_rows_that_tell() -> None:
    rows = [(0, 1, 1, 1.0, "True", "A"), (0, 1, 2, 1.0, "False", "A"), (0, 1, 3, 1.0, None, "A")]
    found = measure_promotions(sales(rows))
    assert found["Share of rows on promotion by year"] == {"2016": 0.5}
    assert found["Share of rows on promotion by weekday, from 2016"] == {"Mon": 0.5}


def test_intermittency_weighs_a_series_by_its_rows() -> None:
    always = [(day, 1, 1, 3.0, None, "A") for day in range(20)]
    seldom = [(day, 1, 2, 3.0, None, "A") for day in range(0, 20, 4)]
    found = measure_series(sales(always + seldom), pairs=4)["Intermittency"]
    assert list(found.values()) == pytest.approx(
        [(20 * 1.0 + 5 * 0.25) / 25, 0.5, (16 + 4) / 16 / 4]
    )


def test_the_spread_is_split_into_within_and_between() -> None:
    rows = [
        (day, 1, item, math.exp(item + day % 2), None, "A") for item in (1, 3) for day in range(4)
    ]
    found = measure_series(sales(rows), pairs=2)["Spread of log units"]
    assert found["within a series"] == pytest.approx(math.sqrt(1 / 3))
    assert found["between series"] == pytest.approx(1.0)


@pytest.fixture(scope="module")
def described() -> pl.DataFrame:
    chosen = SimulationParameters(
        seed=20150601, stores=12, items=150, start_date="2015-06-01", end_date="2017-05-31"
    )
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(chosen).parts:
        parts.setdefault(part.table, []).append(part.rows)
    tables = {table: pl.concat(rows).lazy() for table, rows in parts.items()}
    return describe_sample(SalesTables.of(tables))


def test_every_published_figure_has_a_row(described: pl.DataFrame) -> None:
    assert described.columns == ["topic", "statistic", "sample", "real_low", "real_high"]
    assert described.height == sum(len(figures) for figures in REAL_FIGURES.values())


def test_only_the_years_before_the_sample_have_nothing_to_compare(described: pl.DataFrame) -> None:
    missing = described.filter(pl.col("sample").is_null())
    assert set(missing["statistic"]) == {"2013", "2014"}


@pytest.mark.parametrize(
    ("topic", "statistics", "tolerance"),
    [
        ("Weekday", "Mon Tue Wed Thu Fri Sat Sun", 0.08),
        ("Day of the month", "1 2 3 4 5 6 7 16 22-29 last", 0.10),
        ("Units of a row", "mean", 2.5),
        ("Spread of log units", "within", 0.1),
        ("Share of rows by units", "1 2 3 4 5 6", 0.04),
        ("Intermittency", "share", 0.12),
        ("Share of rows on promotion by year", "2015 2016 2017", 0.03),
        ("Uplift by a promotion within a series", "all", 0.15),
    ],
)
def test_the_sample_resembles_the_real_sales(
    described: pl.DataFrame, topic: str, statistics: str, tolerance: float
) -> None:
    first_word = pl.col("statistic").str.split(" ").list.first()
    rows = described.filter((pl.col("topic") == topic) & first_word.is_in(statistics.split()))
    low, high = pl.col("real_low") - tolerance, pl.col("real_high") + tolerance
    outside = rows.filter(~pl.col("sample").is_between(low, high))
    assert rows.height >= len(statistics.split())
    assert outside.is_empty(), outside.rows()


def test_the_markdown_shows_each_topic_and_both_ends_of_a_range(described: pl.DataFrame) -> None:
    text = render_markdown(described)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Known differences", *(f"## {topic}" for topic in REAL_FIGURES)]
    assert "| 2013 | – | 964 |" in text
    assert " | 0.73 to 0.79 |" in text
    assert "SIMULATED" in text
    assert "kedro describe-sample" in text
    assert "None" not in text
    assert "nan" not in text


def test_a_short_sample_leaves_blanks_instead_of_failing() -> None:
    chosen = SimulationParameters(
        seed=2, stores=2, items=5, start_date="2016-06-01", end_date="2016-06-20"
    )
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(chosen).parts:
        parts.setdefault(part.table, []).append(part.rows)
    tables = {table: pl.concat(rows) for table, rows in parts.items()}
    lazily = {table: tables.pop(table).lazy() for table in ("train", "test")}
    short = describe_sample(SalesTables(**lazily, **tables))  # type: ignore[arg-type]
    growth = short.filter(pl.col("statistic") == "growth a year, log points")
    assert growth["sample"].to_list() == [None]


def test_a_missing_table_is_named() -> None:
    with pytest.raises(RawDataError, match="There is no test and no oil table"):
        SalesTables.of(
            dict.fromkeys(
                ("train", "items", "stores", "transactions", "holidays_events"), pl.LazyFrame()
            )
        )
