"""What the seven raw tables must look like."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from grocery_demand.core.calendar import NATIONAL_KINDS
from grocery_demand.core.quality import reasons
from grocery_demand.core.quality.columns import (
    ChoiceColumn,
    Column,
    DateColumn,
    FlagColumn,
    IdentifierColumn,
    NumberColumn,
    WholeColumn,
)
from grocery_demand.core.quality.parameters import QualityParameters

HOLIDAY_TYPES = (*NATIONAL_KINDS[1:], "Transfer")
HOLIDAY_LOCALES = ("National", "Regional", "Local")


@dataclass(frozen=True)
class TableRules:
    """The columns of a table that are used, in the order in which the checked table has them."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def key(self) -> list[str]:
        """Names of the columns that make a row unique."""
        return [column.name for column in self.columns if column.key]


@dataclass(frozen=True)
class Known:
    """The store and item numbers that other tables may name."""

    stores: pl.Series
    items: pl.Series


def item_rules(_: QualityParameters) -> TableRules:
    """Return the rules of items: one row per item."""
    return TableRules(
        (
            WholeColumn(name="item_nbr", key=True),
            Column(name="family"),
            WholeColumn(name="class"),
            WholeColumn(name="perishable", highest=1),
        )
    )


def store_rules(_: QualityParameters) -> TableRules:
    """Return the rules of stores: one row per store."""
    texts = tuple(Column(name=name) for name in ("city", "state", "type"))
    return TableRules(
        (WholeColumn(name="store_nbr", key=True), *texts, WholeColumn(name="cluster"))
    )


def holiday_rules(parameters: QualityParameters) -> TableRules:
    """Return the rules of holidays_events: one row per day, kind, place and description."""
    return TableRules(
        (
            _date(parameters),
            ChoiceColumn(name="type", key=True, choices=HOLIDAY_TYPES),
            ChoiceColumn(name="locale", key=True, choices=HOLIDAY_LOCALES),
            Column(name="locale_name", key=True),
            Column(name="description", key=True),
            FlagColumn(name="transferred"),
        )
    )


def oil_rules(parameters: QualityParameters) -> TableRules:
    """Return the rules of oil: one row per day; the price may be empty."""
    return TableRules((_date(parameters), NumberColumn(name="dcoilwtico", optional=True)))


def transaction_rules(parameters: QualityParameters, known: Known) -> TableRules:
    """Return the rules of transactions: one row per day and store."""
    return TableRules((_date(parameters), _store(known), WholeColumn(name="transactions")))


def sales_rules(
    parameters: QualityParameters, known: Known, only: str = "", not_before: str = ""
) -> TableRules:
    """Return the rules of train: one row per day, store and item; returns are negative.

    Args:
        parameters: The bounds.
        known: The stores and items that rows may name.
        only: The only date that rows may have, ISO; empty for any.
        not_before: The first date that rows may have, ISO; empty for any.
    """
    day, *pair = _sales_key(parameters, known)
    return TableRules(
        (
            replace(day, only=only, not_before=not_before),
            *pair,
            NumberColumn(name="unit_sales", limit=parameters.max_units),
            FlagColumn(name="onpromotion", optional=True),
        )
    )


def promotion_plan_rules(parameters: QualityParameters, known: Known) -> TableRules:
    """Return the rules of test: one row per future day, store and item."""
    return TableRules(
        (
            IdentifierColumn(name="id"),
            *_sales_key(parameters, known),
            FlagColumn(name="onpromotion", optional=True),
        )
    )


REFERENCE_RULES: dict[str, Callable[[QualityParameters], TableRules]] = {
    "items": item_rules,
    "stores": store_rules,
    "holidays_events": holiday_rules,
    "oil": oil_rules,
}
"""Rules of the tables that name no store or item of another table."""


def _date(parameters: QualityParameters) -> DateColumn:
    return DateColumn(name="date", key=True, first=parameters.first_date, last=parameters.last_date)


def _store(known: Known) -> WholeColumn:
    return WholeColumn(
        name="store_nbr", key=True, known=known.stores, unknown=reasons.UNKNOWN_STORE
    )


def _sales_key(
    parameters: QualityParameters, known: Known
) -> tuple[DateColumn, WholeColumn, WholeColumn]:
    item = WholeColumn(name="item_nbr", key=True, known=known.items, unknown=reasons.UNKNOWN_ITEM)
    return _date(parameters), _store(known), item
