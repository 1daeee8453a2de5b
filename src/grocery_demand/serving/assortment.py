"""What can be asked for: products, stores, dates; and what is wrong with a question."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from grocery_demand.core.panel import Panel
from grocery_demand.core.parameters import suggestion
from grocery_demand.serving.question import (
    FIELDS,
    PROMOTION_WORDS,
    FieldProblem,
    Product,
    Question,
    cut,
    parse_date,
    parse_number,
    shorten,
)


class Assortment:
    """Products, stores and dates that a publication can answer for."""

    def __init__(
        self, panel: Panel, furthest_step: int, names: Mapping[int, str], default_store: int
    ) -> None:
        """Index the panel's series.

        Args:
            panel: Sales and plan.
            furthest_step: Days ahead that are answered at most.
            names: Names of products.
            default_store: Store that is meant when none is given.
        """
        self._panel = panel
        self._cutoff = panel.cutoff.astype(dt.date)
        self._names = {int(number): name for number, name in names.items()}
        series = panel.series
        pairs = zip(series["store_nbr"].tolist(), series["item_nbr"].tolist(), strict=True)
        self._rows = {pair: row for row, pair in enumerate(pairs)}
        self.products = {p.item_nbr: p for p in self._list_products(series)}
        self.stores = panel.stores
        self.store_numbers = panel.stores["store_nbr"].tolist()
        self.default_store = (
            default_store if default_store in self.store_numbers else self.store_numbers[0]
        )
        self.first_date = panel.start_date.astype(dt.date)
        self.first_ahead = panel.date_of(panel.n_days).astype(dt.date)
        self.last_date = panel.date_of(panel.n_days - 1 + furthest_step).astype(dt.date)
        self._steps = {
            str(panel.date_of(panel.n_days - 1 + step)): step
            for step in range(1, furthest_step + 1)
        }

    def ask(self, fields: Mapping[str, Any], past: bool = False) -> Question | list[FieldProblem]:
        """Return the question that the fields ask, or what is wrong with them.

        Args:
            fields: `date`, `item_nbr`, and where given `store_nbr` and `onpromotion`.
            past: Whether days whose sales are known may be asked for.
        """
        problems: list[FieldProblem] = []
        for name in fields:
            if name not in FIELDS:
                shown = shorten(name)
                told = f"`{shown}` is not known{suggestion(shown, FIELDS)}."
                problems.append(FieldProblem(shown, told, ", ".join(FIELDS)))
        step = self._find_step(fields.get("date"), past, problems)
        product = self._find_product(fields.get("item_nbr"), problems)
        store = self._find_store(fields.get("store_nbr"), problems)
        what_if = self._find_promotion(fields.get("onpromotion"), problems)
        row = -1
        if product is not None and store is not None:
            row = self._find_row(store, product, problems)
        if problems or product is None or store is None or step is None or what_if is None:
            return problems
        return Question(row, step, what_if, str(fields["date"]), product, store)

    def stores_of(self, item_nbr: int) -> list[int]:
        """Return the stores for which an item can be forecast."""
        return [store for store in self.store_numbers if (store, item_nbr) in self._rows]

    def search(self, text: str, most: int = 50) -> list[Product]:
        """Return products whose number, name, family or class holds every word, the best first."""
        words = text.lower().split()
        found = [
            product
            for product in self.products.values()
            if all(word in product.label.lower() for word in words)
        ]
        return sorted(found, key=lambda p: (not _begins(p, text), not p.name))[:most]

    def named(self, text: str) -> str:
        """Return the number that a person's words for a product mean, else the words."""
        first = text.strip().split(" ")[0].rstrip(",")
        if parse_number(first) is not None:
            return first
        found = [p for p in self.products.values() if p.name.lower() == text.strip().lower()]
        found = found or self.search(text, 2)
        return str(found[0].item_nbr) if len(found) == 1 else text

    def _list_products(self, series: pd.DataFrame) -> list[Product]:
        items = series.drop_duplicates("item_nbr").sort_values("item_nbr")
        listed = [
            Product(int(nbr), self._names.get(int(nbr), ""), str(family), int(group), bool(per))
            for nbr, family, group, per in zip(
                items["item_nbr"], items["family"], items["class"], items["perishable"], strict=True
            )
        ]
        order = list(self._names)
        return sorted(
            listed, key=lambda p: order.index(p.item_nbr) if p.item_nbr in order else len(order)
        )

    def _find_step(self, given: Any, past: bool, problems: list[FieldProblem]) -> int | None:
        step = self._steps.get(given) if isinstance(given, str) else None
        if step is not None:
            return step
        first = self.first_date if past else self.first_ahead
        valid = f"a day from {first} to {self.last_date}, as YYYY-MM-DD"
        day = parse_date(given)
        if given is None or given == "":
            message = "The date is missing."
        elif day is None:
            message = f"{cut(given)} is not a date."
        elif day > self.last_date:
            message = f"{given} is too far ahead: the sales are known up to {self._cutoff}."
        elif past and day >= self.first_date:
            return (day - self._cutoff).days
        elif day >= self.first_date:
            message = f"{given} is past: its sales are known, and are not forecast."
        else:
            message = f"{given} lies before the first known sales."
        problems.append(FieldProblem("date", message, valid))
        return None

    def _find_product(self, given: Any, problems: list[FieldProblem]) -> Product | None:
        number = parse_number(given)
        if number in self.products:
            return self.products[number]
        named = [str(p.item_nbr) for p in self.products.values() if p.name][:3]
        examples = named or [str(number) for number in list(self.products)[:3]]
        valid = f"one of {len(self.products)} item numbers, such as {', '.join(examples)}"
        message = (
            "The product is missing."
            if given in (None, "")
            else f"There is no product {cut(given)}."
        )
        problems.append(FieldProblem("item_nbr", message, valid))
        return None

    def _find_store(self, given: Any, problems: list[FieldProblem]) -> int | None:
        if given in (None, ""):
            return self.default_store
        number = parse_number(given)
        if number in self.store_numbers:
            return number
        valid = ", ".join(map(str, self.store_numbers))
        problems.append(FieldProblem("store_nbr", f"There is no store {cut(given)}.", valid))
        return None

    def _find_row(self, store: int, product: Product, problems: list[FieldProblem]) -> int:
        row = self._rows.get((store, product.item_nbr))
        if row is not None:
            return row
        message = (
            f"Store {store} has never sold product {product.item_nbr}, and none is planned there."
        )
        stores = ", ".join(map(str, self.stores_of(product.item_nbr)))
        problems.append(FieldProblem("store_nbr", message, stores))
        return -1

    def _find_promotion(self, given: Any, problems: list[FieldProblem]) -> int | None:
        word = "" if given is None else str(given).lower()[:60]
        if word in PROMOTION_WORDS:
            return PROMOTION_WORDS[word]
        message = f"onpromotion is {cut(given)}."
        problems.append(
            FieldProblem("onpromotion", message, "true, false, or nothing (as planned)")
        )
        return None


def _begins(product: Product, text: str) -> bool:
    return str(product.item_nbr).startswith(text) or product.name.lower().startswith(text.lower())
