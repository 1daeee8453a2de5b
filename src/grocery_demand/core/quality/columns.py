"""Kinds of columns: how a cell is parsed, and what can be wrong with it.

A column's rules are Polars expressions, so that the same rule serves the fast way over typed
cells and the exact way over texts (see `rows`).
"""

from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from grocery_demand.core.quality import reasons

Fault = tuple[str, pl.Expr]
"""A reason and the expression that is true where it applies."""

TRUE_WORDS = ("True", "true", "TRUE", "1", "1.0")
FALSE_WORDS = ("False", "false", "FALSE", "0", "0.0")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of free text.

    Attributes:
        name: The name in the file's header.
        key: Whether the column is part of the table's key.
        optional: Whether the cell may be empty.
        scan_type: What the fast way lets Polars parse the cells as.
    """

    name: str
    key: bool = False
    optional: bool = False
    scan_type: ClassVar[type[pl.DataType]] = pl.String

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the value of a cell, a text or a `scan_type`; null where it is none."""
        text = cell.str.strip_chars()
        return pl.when(text != "").then(text)

    def unparsed_faults(self, text: pl.Expr) -> list[Fault]:
        """Return why a text that is not empty has no value; the last one applies to any."""
        return [(reasons.UNPARSABLE, text.is_not_null())]

    def value_faults(self, value: pl.Expr) -> list[Fault]:
        """Return what can be wrong with a value."""
        return [(reasons.UNPARSABLE, value.str.contains("\ufffd", literal=True))]

    def faults(self, text: pl.Expr) -> list[Fault]:
        """Return all that can be wrong with a text; null is an empty cell."""
        value = self.parse(text)
        empty = reasons.EMPTY_KEY if self.key else reasons.EMPTY_CELL
        unparsed = text.is_not_null() & value.is_null()
        return [
            (empty, text.is_null() & (not self.optional)),
            *((reason, unparsed & applies) for reason, applies in self.unparsed_faults(text)),
            *((reason, applies.fill_null(False)) for reason, applies in self.value_faults(value)),
        ]

    def is_sound(self, cell: pl.Expr) -> pl.Expr:
        """Return whether a cell is certainly good; used on cells of `scan_type`."""
        value = self.parse(cell)
        sound = value.is_not_null()
        if self.optional and self.scan_type is pl.String:
            sound = sound | cell.is_null() | (cell == "")
        for _, applies in self.value_faults(value):
            sound = sound & ~applies.fill_null(False)
        return sound


@dataclass(frozen=True, kw_only=True)
class ChoiceColumn(Column):
    """A text that is one of some words."""

    choices: tuple[str, ...]

    def value_faults(self, value: pl.Expr) -> list[Fault]:
        """Return what can be wrong with a value."""
        return [(reasons.UNKNOWN_KIND, ~value.is_in(self.choices))]


@dataclass(frozen=True, kw_only=True)
class DateColumn(Column):
    """A date, YYYY-MM-DD, from `first` to `last`, which are dates of this form too.

    Attributes:
        first: The first plausible date.
        last: The last plausible date.
        only: The one date that the file's name allows; empty if it names none.
        not_before: The first day of the panel that the rows are to join; empty if there is none.
    """

    first: str
    last: str
    only: str = ""
    not_before: str = ""

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the date of a text."""
        return cell.str.to_date("%Y-%m-%d", strict=False)

    def unparsed_faults(self, text: pl.Expr) -> list[Fault]:
        """Tell a date that no calendar has from a text that is no date at all."""
        looks_like_date = text.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")
        return [(reasons.IMPOSSIBLE_DATE, looks_like_date), *super().unparsed_faults(text)]

    def value_faults(self, value: pl.Expr) -> list[Fault]:
        """Return what can be wrong with a value."""
        first, last = (self.parse(pl.lit(bound)) for bound in (self.first, self.last))
        faults = [(reasons.IMPOSSIBLE_DATE, ~value.is_between(first, last))]
        if self.only:
            faults.append((reasons.OTHER_DATE, value != self.parse(pl.lit(self.only))))
        if self.not_before:
            bound = self.parse(pl.lit(self.not_before))
            faults.append((reasons.BEFORE_FIRST_DAY, value < bound))
        return faults


@dataclass(frozen=True, kw_only=True)
class WholeColumn(Column):
    """A whole number from 0 to `highest`; "7.0" is 7. May have to be one of the known ones."""

    highest: int = 2**31 - 1
    dtype: type[pl.DataType] = pl.Int32
    known: pl.Series | None = field(default=None, compare=False)
    unknown: str = ""
    scan_type: ClassVar[type[pl.DataType]] = pl.Float64

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the whole number of a text or a float."""
        number = cell.cast(pl.Float64, strict=False)
        is_whole = (number == number.floor()) & number.is_between(0, self.highest)
        return pl.when(is_whole).then(number).cast(self.dtype, strict=False)

    def value_faults(self, value: pl.Expr) -> list[Fault]:
        """Return what can be wrong with a value."""
        return [] if self.known is None else [(self.unknown, ~value.is_in(self.known.implode()))]


@dataclass(frozen=True, kw_only=True)
class IdentifierColumn(WholeColumn):
    """A whole number of up to 19 digits, more than a float holds exactly."""

    dtype: type[pl.DataType] = pl.Int64
    scan_type: ClassVar[type[pl.DataType]] = pl.Int64

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the whole number of a text or an integer."""
        whole = cell.cast(pl.Int64, strict=False)
        return pl.coalesce(pl.when(whole >= 0).then(whole), super().parse(cell))


@dataclass(frozen=True, kw_only=True)
class NumberColumn(Column):
    """A finite number, of either sign, up to a limit."""

    limit: float = float("inf")
    scan_type: ClassVar[type[pl.DataType]] = pl.Float64

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the number of a text or a float."""
        return cell.cast(pl.Float64, strict=False)

    def value_faults(self, value: pl.Expr) -> list[Fault]:
        """Return what can be wrong with a value."""
        return [
            (reasons.INFINITE_QUANTITY, ~value.is_finite()),
            (reasons.ABSURD_QUANTITY, value.abs() > self.limit),
        ]


@dataclass(frozen=True, kw_only=True)
class FlagColumn(Column):
    """True or False, as Python, Kaggle, JSON or a 0/1 column write them."""

    def parse(self, cell: pl.Expr) -> pl.Expr:
        """Return the truth value of a text."""
        is_true = cell.is_in(TRUE_WORDS)
        return pl.when(is_true | cell.is_in(FALSE_WORDS)).then(is_true)

    def value_faults(self, value: pl.Expr) -> list[Fault]:  # noqa: ARG002
        """Return nothing: both values are good."""
        return []
