"""The sales table in parts by store: what is asked of each, and how they become a panel."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class PanelFacts:
    """What is known of a panel in parts before its parts are made.

    Attributes:
        start_day: Day 0, since 1970-01-01.
        n_days: Days with known sales.
        n_planned_days: Days after them for which promotions are known.
        digest: SHA-256 of the raw files.
        simulated: Whether any of these files said that they are simulated.
        sizes: Series of each part.
    """

    start_day: int
    n_days: int
    n_planned_days: int
    digest: str
    simulated: bool
    sizes: list[int]

    @classmethod
    def of(cls, panel: Panel) -> "PanelFacts":
        """Return what is known of a whole panel."""
        start_day = int(panel.start_date.astype("datetime64[D]").astype(int))
        sizes = [len(panel.series)]
        n_days, n_planned = panel.n_days, panel.n_planned_days
        return cls(start_day, n_days, n_planned, panel.digest, panel.simulated, sizes)


class SalesParts(ABC):
    """Checked sales in parts of consecutive stores, wherever they lie.

    Attributes:
        first_stores: The lowest store number of each part, ascending; of each its rows are in the
            order in which they were read.
        span: The first and the last day with sales, since 1970-01-01.
    """

    first_stores: list[int]
    span: tuple[int, int]

    @abstractmethod
    def reduce(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
        own: Sequence[Any],
    ) -> Answer:
        """Ask every part, and bring the answers together.

        Args:
            function: Called as `function(rows, own, *shared)`, where `rows` is a `pl.LazyFrame`;
                importable, and pure.
            combine: Makes one answer of several that follow each other; in any grouping.
            shared: The same for every part.
            own: What is meant for each part, one after the other.
        """

    @abstractmethod
    def become_panel(
        self,
        facts: PanelFacts,
        make: Callable[..., Panel],
        *shared: Any,
        own: Sequence[Any],
    ) -> PanelParts:
        """Return the panel whose parts are made of these, where they lie, when they are needed.

        Args:
            facts: What is known of it already.
            make: As `function` of `reduce`; makes a part of the panel.
            shared: The same for every part.
            own: What is meant for each part.
        """
