"""A question, and how its fields are read."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

AS_PLANNED = -1
"""A promotion that is neither assumed nor ruled out."""

PROMOTION_WORDS = {
    "": AS_PLANNED, "plan": AS_PLANNED, "1": 1, "true": 1, "yes": 1, "0": 0, "false": 0, "no": 0,
}  # fmt: skip
FIELDS = ("date", "item_nbr", "store_nbr", "onpromotion")

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?\d{1,15}\Z", re.ASCII)
_SHOWN = 60


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field, and what would be right.

    Attributes:
        field: Name of the field.
        message: A sentence.
        valid: The valid values or their range, in words.
    """

    field: str
    message: str
    valid: str


@dataclass(frozen=True)
class Product:
    """One item.

    Attributes:
        item_nbr: Its number.
        name: Its name; empty if it has none.
        family: Its family.
        item_class: Its class.
        perishable: Whether it is perishable.
    """

    item_nbr: int
    name: str
    family: str
    item_class: int
    perishable: bool

    @cached_property
    def label(self) -> str:
        """Number, name and family for people."""
        name = f"{self.name}, " if self.name else ""
        return f"{self.item_nbr} {name}{self.family}, class {self.item_class}"

    def as_dict(self) -> dict[str, Any]:
        """Return it by the source's column names."""
        return {
            "item_nbr": self.item_nbr, "name": self.name or None, "family": self.family,
            "class": self.item_class, "perishable": self.perishable,
        }  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One series on one day.

    Attributes:
        row: Position of the series in the panel.
        step: Days after the cutoff; zero or less for a day whose sales are known.
        what_if: 1 or 0 for a promotion that is assumed or ruled out, else `AS_PLANNED`.
        date: The day, ISO.
        product: The item.
        store_nbr: The store.
    """

    row: int
    step: int
    what_if: int
    date: str
    product: Product
    store_nbr: int


def parse_date(given: Any) -> dt.date | None:
    """Return an ISO date; None if it is none."""
    if not isinstance(given, str) or not _ISO_DATE.match(given):
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        return None


def parse_number(given: Any) -> int | None:
    """Return a whole number, also one that is written as text; None if it is none."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and _WHOLE_NUMBER.match(given):
        return int(given)
    return None


def cut(given: Any) -> str:
    """Return what was given in quotation marks, short enough for a message."""
    return shorten(f"“{given}”" if isinstance(given, str) else repr(given))


def shorten(text: str) -> str:
    """Return a text that fits into a message and prints nothing odd."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: 2 * _SHOWN])
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
