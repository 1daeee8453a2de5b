"""A panel in parts by store: what is asked of each part, and how the answers come together."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from grocery_demand.core.table_parts import Table

Answer = TypeVar("Answer")
Model = TypeVar("Model")


class PanelParts(ABC):
    """A panel in parts of consecutive stores, wherever they lie; `Panel` is one, in a single part.

    The series of a part follow those of the parts before it, so that the positions of all series
    are those of the whole panel.

    Attributes:
        start_date: Day 0, `datetime64[D]`.
        digest: SHA-256 of the raw files that the panel was made from.
        simulated: Whether any of these files said that they are simulated.
    """

    start_date: np.datetime64
    digest: str
    simulated: bool

    @property
    @abstractmethod
    def n_days(self) -> int:
        """Days with known sales."""

    @property
    @abstractmethod
    def n_planned_days(self) -> int:
        """Days after the cutoff for which promotions are known."""

    @property
    @abstractmethod
    def first_sale(self) -> np.ndarray:
        """Day of the first row of each series; `n_days` if it has none, int [series]."""

    @property
    @abstractmethod
    def bounds(self) -> np.ndarray:
        """Position of the first series of each part, and the number of all, int [part + 1]."""

    @abstractmethod
    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask every part.

        Args:
            function: Called as `function(part, *shared)`, or `function(part, own, *shared)`, where
                `part` is a `Panel`; importable, and pure.
            shared: The same for every part.
            own: What is meant for each part, one after the other.

        Returns:
            The answers, in the order of the parts.
        """

    def reduce(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Answer:
        """Ask every part, and bring the answers together two by two, where they are made.

        Args:
            function: As in `map`, like `shared` and `own`.
            combine: Makes one answer of several that follow each other; in any grouping.
            shared: The same for every part.
            own: What is meant for each part.
        """
        return combine_pairs(self.map(function, *shared, own=own), combine)

    @abstractmethod
    def tabulate(
        self,
        function: Callable[..., pd.DataFrame],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Table:
        """Return the table that has a part of each part's rows; it stays where it is made.

        Args:
            function: As in `map`, like `shared` and `own`.
            shared: The same for every part.
            own: What is meant for each part.
        """

    def learn(
        self,
        fit: Callable[[list[Answer]], Model],
        function: Callable[..., Answer],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Model:
        """Fit a model on what every part answers.

        The answers are gathered, unless the model can learn from them where they are made.

        Args:
            fit: Makes the model from the answers of all parts; see `core.rows.Recipe`.
            function: As in `map`, like `shared` and `own`.
            shared: The same for every part.
            own: What is meant for each part.
        """
        return fit(self.map(function, *shared, own=own))

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return len(self.bounds) - 1

    @property
    def n_series(self) -> int:
        """Number of series."""
        return int(self.bounds[-1])

    @property
    def cutoff(self) -> np.datetime64:
        """The last day with known sales."""
        return self.date_of(self.n_days - 1)

    def date_of(self, day: int) -> np.datetime64:
        """Return the date of a day."""
        return self.start_date + np.timedelta64(int(day), "D")

    def dates_of(self, days: np.ndarray) -> tuple[str, ...]:
        """Return the ISO dates of days."""
        return tuple(str(self.date_of(day)) for day in days)

    def day_of(self, date: str) -> int:
        """Return the day of an ISO date, which may lie outside the panel."""
        return int((np.datetime64(date, "D") - self.start_date).astype(int))

    def split(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return positions of series as each part counts its own.

        Args:
            rows: Positions of series, ascending, int [row].
        """
        cuts = pairwise(np.searchsorted(rows, self.bounds))
        return [
            rows[low:high] - first for (low, high), first in zip(cuts, self.bounds, strict=False)
        ]


def combine_pairs(
    answers: Sequence[Answer], combine: Callable[[Sequence[Answer]], Answer]
) -> Answer:
    """Bring answers together two by two, until there is one.

    Args:
        answers: Some that follow each other, at least one.
        combine: Makes one of two.
    """
    while len(answers) > 1:
        pairs = [answers[i : i + 2] for i in range(0, len(answers), 2)]
        answers = [combine(pair) if len(pair) > 1 else pair[0] for pair in pairs]
    return answers[0]


def cut_evenly(sizes: np.ndarray, n_parts: int) -> list[slice]:
    """Cut a row of things into parts of about the same size, none of them empty.

    Args:
        sizes: Of each thing, int [thing].
        n_parts: Parts wanted; there may be fewer, as no thing is cut.
    """
    until = sizes.cumsum()
    inner = np.searchsorted(until, np.linspace(0, until[-1], n_parts + 1)[1:-1]) + 1
    ends = np.unique(np.append(inner, len(sizes)))
    ends = ends[np.diff(np.append(0, until[ends - 1])) > 0]
    ends[-1] = len(sizes)
    return [slice(int(first), int(end)) for first, end in pairwise([0, *ends])]
