"""What the good rows of train cover, of a whole table or added up from parts by store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from grocery_demand.core.pairs import PairIndex


@dataclass(frozen=True)
class SalesFacts:
    """Dates, series, returns and promotions of sales.

    Attributes:
        first_date: The first day with sales; None without any.
        last_date: The last one.
        stores: Numbers of the stores, ascending, int [store].
        items: Numbers of the items, ascending, int [item].
        series: Pairs of store and item.
        returns: Rows with less than no units.
        promotions: Rows on promotion.
        promotions_unknown: Rows that do not say whether they were.
    """

    first_date: date | None
    last_date: date | None
    stores: np.ndarray
    items: np.ndarray
    series: int
    returns: int
    promotions: int
    promotions_unknown: int

    @classmethod
    def of(cls, sales: pl.DataFrame) -> "SalesFacts":
        """Look through checked sales."""
        pairs = PairIndex.of_rows(sales)
        facts = sales.select(
            first_date=pl.col("date").min(),
            last_date=pl.col("date").max(),
            returns=(pl.col("unit_sales") < 0).sum(),
            promotions=pl.col("onpromotion").sum(),
            promotions_unknown=pl.col("onpromotion").null_count(),
        ).row(0, named=True)
        stores, items = np.unique(pairs.store_nbrs), np.unique(pairs.item_nbrs)
        return cls(stores=stores, items=items, series=len(pairs), **facts)

    @classmethod
    def add_up(cls, parts: Sequence["SalesFacts"]) -> "SalesFacts":
        """Bring parts together that have rows, each with stores of its own."""
        return cls(
            first_date=min(part.first_date for part in parts if part.first_date),
            last_date=max(part.last_date for part in parts if part.last_date),
            stores=np.unique(np.concatenate([part.stores for part in parts])),
            items=np.unique(np.concatenate([part.items for part in parts])),
            series=sum(part.series for part in parts),
            returns=sum(part.returns for part in parts),
            promotions=sum(part.promotions for part in parts),
            promotions_unknown=sum(part.promotions_unknown for part in parts),
        )

    def describe(self) -> dict[str, Any]:
        """Return the facts for the data-quality report, ready for JSON."""
        return {
            "first_date": self.first_date and self.first_date.isoformat(),
            "last_date": self.last_date and self.last_date.isoformat(),
            "stores": len(self.stores),
            "items": len(self.items),
            "series": self.series,
            "returns": self.returns,
            "promotions": self.promotions,
            "promotions_unknown": self.promotions_unknown,
        }
