"""Parts that workers open or make, and the asking of each where it lies."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from distributed import Client, Future

from grocery_demand.cluster.asking import Chain, ask_part, itself, pack
from grocery_demand.cluster.client import list_workers, pin
from grocery_demand.cluster.gathering import Crew, await_workers, do_once_more
from grocery_demand.core.parts import combine_pairs

logger = logging.getLogger(__name__)


@cache
def warn_of_idle(n_workers: int, n_parts: int) -> None:
    """Warn, once of the same numbers, that some workers will hold no part."""
    if n_workers > n_parts:
        logger.warning(
            "%d of %d workers will hold nothing, as there are %d parts: raise `parts` in "
            "conf/cluster/globals.yml to %d at least, and run `kedro run --env cluster` anew. "
            "A part is one store at least.",
            n_workers - n_parts,
            n_workers,
            n_parts,
            n_workers,
        )


class Source(ABC):
    """Parts of something, each with the worker that works on it.

    Attributes:
        client: The connection to the workers.
        n_parts: Number of parts.
        homes: The worker of each part; another list whenever workers were lost.
    """

    client: Client
    n_parts: int
    homes: list[str]

    @abstractmethod
    def settle(self) -> None:
        """Give the parts of workers that are gone to others."""

    @abstractmethod
    def submit(
        self, function: Callable[..., Any], shared: Sequence[Any], own: Sequence[Any] | None
    ) -> list[Future]:
        """Have the function called for each part, as `PanelParts.map` says, where it lies."""

    def ask(
        self, function: Callable[..., Any], shared: Sequence[Any], own: Sequence[Any] | None
    ) -> list[Any]:
        """Ask every part, and gather the answers in order."""
        stage = f"asking {self.n_parts} parts ({function.__name__.strip('_')})"
        return list(self.retry(stage, lambda crew: crew.gather(self.submit(function, shared, own))))

    def reduce(
        self,
        function: Callable[..., Any],
        combine: Callable[[Sequence[Any]], Any],
        shared: Sequence[Any],
        own: Sequence[Any] | None,
    ) -> Any:
        """Ask every part, and have the answers brought together by the workers, two by two."""
        stage = f"asking {self.n_parts} parts ({function.__name__.strip('_')})"

        def work(crew: Crew) -> Any:
            answers = self.submit(function, shared, own)
            submit = partial(self.client.submit, combine, pure=False)
            return crew.gather([combine_pairs(answers, submit)], counted=answers)[0]

        return self.retry(stage, work)

    def retry(self, stage: str, work: Callable[[Crew], Any]) -> Any:
        """Do some work, and once more if it was lost with its workers."""

        def settled() -> Crew:
            self.settle()
            return Crew(self.client, self.homes, stage)

        return do_once_more(stage, settled, work)

    def _call(
        self,
        open_part: Callable[[Any], Any],
        parts: Sequence[Any],
        function: Callable[..., Any],
        shared: Sequence[Any],
        own: Sequence[Any] | None,
    ) -> list[Future]:
        """Have each part opened by its worker, and the function called for it there."""
        known = self.client.submit(tuple, shared, pure=False)
        return [
            self.client.submit(
                ask_part, open_part, part, function, value, known, pure=False, **pin(home)
            )
            for part, value, home in zip(parts, pack(own, self.n_parts), self.homes, strict=True)
        ]


class OpenedParts(Source):
    """Parts that lie in a place that all workers reach; each opens its own."""

    def __init__(
        self, client: Client, n_parts: int, open_part: Callable[[int], Any], *, keep: bool
    ) -> None:
        """Have the parts opened.

        Args:
            client: The connection to the workers.
            n_parts: Number of parts.
            open_part: Returns a part by its number, on a worker; importable, and pure.
            keep: Whether workers hold what they opened, or open it anew for each question.
        """
        self.client, self.n_parts, self.homes = client, n_parts, []
        self._open, self._keep = open_part, keep
        self._parts: list[Future] = []

    def settle(self) -> None:
        """Give each part to a worker that is there, if one of its workers is not."""
        if self.homes and set(self.homes) <= set(list_workers(self.client)):
            return
        workers = await_workers(self.client)
        if self._keep:
            warn_of_idle(len(workers), self.n_parts)
        self.homes = [workers[i * len(workers) // self.n_parts] for i in range(self.n_parts)]
        if self._keep:
            self._parts = [
                self.client.submit(self._open, part, pure=False, **pin(home))
                for part, home in enumerate(self.homes)
            ]

    def submit(
        self, function: Callable[..., Any], shared: Sequence[Any], own: Sequence[Any] | None
    ) -> list[Future]:
        """Have the function called for each part, where it lies."""
        if self._keep:
            return self._call(itself, self._parts, function, shared, own)
        return self._call(self._open, range(self.n_parts), function, shared, own)


class KeptParts(Source):
    """What was made of each part of another source, held by the worker that made it."""

    def __init__(
        self,
        source: Source,
        make: Callable[..., Any],
        shared: Sequence[Any],
        own: Sequence[Any] | None,
    ) -> None:
        """Have it made; see `Source.submit`."""
        self.client, self.n_parts, self.homes = source.client, source.n_parts, []
        self._source, self._made_by = source, (make, shared, own)
        self._parts: list[Future] = []

    def settle(self) -> None:
        """Have it made anew, if workers were lost."""
        self._source.settle()
        if self.homes is not self._source.homes:
            self._parts = self._source.submit(*self._made_by)
            self.homes = self._source.homes

    def submit(
        self, function: Callable[..., Any], shared: Sequence[Any], own: Sequence[Any] | None
    ) -> list[Future]:
        """Have the function called for each part, where it lies."""
        return self._call(itself, self._parts, function, shared, own)


class MadeParts(Source):
    """What is made of each part of another source, anew for each question, and let go of."""

    def __init__(
        self,
        source: Source,
        make: Callable[..., Any],
        shared: Sequence[Any],
        own: Sequence[Any] | None,
    ) -> None:
        """Say how it is made; see `Source.submit`."""
        self.client, self.n_parts, self.homes = source.client, source.n_parts, []
        self._source, self._make, self._shared, self._own = source, make, shared, own

    def settle(self) -> None:
        """Let the source settle."""
        self._source.settle()
        self.homes = self._source.homes

    def submit(
        self, function: Callable[..., Any], shared: Sequence[Any], own: Sequence[Any] | None
    ) -> list[Future]:
        """Have each part made, and the function called for it, where it lies."""
        each = zip(pack(self._own, self.n_parts), pack(own, self.n_parts), strict=True)
        chain = Chain(self._make, function, len(self._shared))
        return self._source.submit(chain, [*self._shared, *shared], list(each))
