"""Train, checked by the workers of a cluster: block by block, then part by part."""

import atexit
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pickle import PickleBuffer
from typing import Any, SupportsIndex

import polars as pl
from distributed import Client, Future, wait

from grocery_demand.cluster.client import connect, list_workers, only
from grocery_demand.cluster.gathering import Crew, await_workers, do_once_more
from grocery_demand.cluster.handing_out import hand_out
from grocery_demand.cluster.ports import host_of
from grocery_demand.cluster.sources import OpenedParts, warn_of_idle
from grocery_demand.core.parts import Answer
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import ROW, Block, join_kept
from grocery_demand.core.quality.sales_staging import RawSalesParts, Staging
from grocery_demand.storage.manifest import SHARED, PartedPlaceError
from grocery_demand.storage.parted_table import TablePlace

_PER_WORKER = 2
"""Blocks that a worker has: one that it checks, and the next."""

_IN_ALL = 32
"""Blocks that are under way at most, however many workers there are: 1 GiB of text."""

_GROUP_ROWS = 16_384
"""Rows of a block's file, by store, that are read together for a part."""

_EVERY_STORE = (0, 2**31 - 1)
_SECONDS_TO_END = 10


@dataclass(frozen=True)
class StagedParts:
    """Parts of sales that are written and do not stand yet."""

    place: TablePlace
    version: str

    def forget(self) -> None:
        """Remove them, unless they stand; what cannot be reached is left to the next run."""
        with suppress(OSError, PartedPlaceError):
            self.place.forget(self.version)


class ClusterRawSales(RawSalesParts):
    """Train, whose blocks this process reads and hands to workers."""

    def __init__(self, raw: RawTable, place: TablePlace, n_parts: int) -> None:
        """Say what is checked, and where the parts of the sales table are to lie."""
        self.raw, self.n_parts, self._place = raw, n_parts, place

    @contextmanager
    def open(self) -> Iterator["ClusterStaging"]:
        """Stage beside the parts that stand; what a run that was killed left is removed first."""
        parts = StagedParts(self._place, self._place.new_version())
        blocks = StagedParts(self._place, self._place.new_version())
        client = connect()
        self._place.forget_others()
        try:
            self._require_shared(client, blocks.version)
            warn_of_idle(len(list_workers(client)), self.n_parts)
            yield ClusterStaging(client, blocks, parts, f"checking {self.raw.file}")
        except BaseException:
            parts.forget()
            raise
        finally:
            blocks.forget()
        # Parts that nobody saves, as another table was refused, go with this process.
        atexit.register(parts.forget)

    def _require_shared(self, client: Client, version: str) -> None:
        """Raise an error unless all workers see a folder that this process makes."""
        self._place.begin(version)
        stage = f"asking workers whether they see {self._place.uri}"

        def ask(crew: Crew) -> dict[str, bool]:
            submit = partial(client.submit, self._place.has_begun, version, pure=False)
            asked = [submit(**only(home)) for home in crew.homes]
            return dict(
                zip(crew.homes, crew.gather(asked, of="workers", together=True), strict=True)
            )

        seen: dict[str, bool] = do_once_more(
            stage, lambda: Crew(client, await_workers(client), stage), ask
        )
        if blind := sorted({host_of(worker) for worker, sees in seen.items() if not sees}):
            raise PartedPlaceError(
                f"Workers on {', '.join(blind)} do not see the folder that this run began beside "
                f"{self._place.uri}, where the {self._place.thing} is to lie. {SHARED}"
            )


class ClusterStaging(Staging):
    """Blocks and parts of train, written and read by workers in a place that all of them reach."""

    def __init__(self, client: Client, blocks: StagedParts, place: StagedParts, stage: str) -> None:
        """Say where blocks and parts are to lie, and what is told of the work."""
        self._client, self._blocks, self.place, self._stage = client, blocks, place, stage
        self._n_blocks = 0

    def check_blocks(
        self,
        read: Callable[[], Iterator[Block]],
        check: Callable[..., tuple[pl.DataFrame, Answer]],
        follow: Callable[[Iterator[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Have workers check the blocks, a few at a time, and write their rows by store.

        The work of a worker that ends is done by another; if all of them end, the file is read
        anew.
        """

        def work(crew: Crew) -> Answer:
            # What is shared goes with each block: kept by one worker, it would draw all of them
            # to that one, as Dask lets work be done where lies what it needs.
            give = partial(
                self._client.submit, _check_block, check=check, shared=shared,
                staged=self._blocks, pure=False,
            )  # fmt: skip
            answers = hand_out(
                enumerate(read()),
                lambda numbered: give(numbered[0], Parcel(numbered[1])),
                lambda future: crew.gather([future])[0],
                min(_PER_WORKER * len(crew.homes), _IN_ALL),
                self._let_end,
            )
            with closing(answers):
                return follow(self._count(answers))

        answer: Answer = do_once_more(
            self._stage,
            lambda: Crew(self._client, await_workers(self._client), self._stage, pinned=False),
            work,
        )
        return answer

    def ask_blocks(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Have workers read the rows of each block again, and bring the answers together."""
        read = partial(_read_rows, self._blocks, *_EVERY_STORE)
        blocks = self._open_parts(read, self._n_blocks)
        answer: Answer = blocks.reduce(function, combine, shared, None)
        return answer

    def make_parts(
        self,
        stores: Sequence[tuple[int, int]],
        make: Callable[..., tuple[pl.DataFrame, Answer]],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Have each part brought together from the files of all blocks, made and written."""
        read = partial(_bring_together, self._blocks, self._n_blocks, stores)
        parts = self._open_parts(read, len(stores))
        given = [make, self.place, *shared]
        answer: Answer = parts.reduce(_make_part, combine, given, range(len(stores)))
        return answer

    def _open_parts(self, read: Callable[[int], Any], n_parts: int) -> OpenedParts:
        return OpenedParts(self._client, n_parts, read, keep=False)

    def _count(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        self._n_blocks = 0
        for answer in answers:
            self._n_blocks += 1
            yield answer

    def _let_end(self, futures: list[Future]) -> None:
        """Wait for work that nobody wants any more, so that it writes nothing afterwards."""
        with suppress(Exception), self._client.as_current():
            wait(futures, _SECONDS_TO_END)


@dataclass(frozen=True)
class Parcel:
    """A block on its way to a worker, where it is a block again.

    Dask sends what pickle leaves out of its stream as it lies, without copying it several times.
    """

    block: Block

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Leave the text out of the stream."""
        text, row, header = self.block.text, self.block.first_row, self.block.header
        return _unpack, (PickleBuffer(text), row, header)


def _unpack(text: memoryview, first_row: int, header: list[str]) -> Block:
    return Block(bytes(text), first_row, header)


def _check_block(
    number: int,
    block: Block,
    check: Callable[..., tuple[pl.DataFrame, Answer]],
    shared: tuple[Any, ...],
    staged: StagedParts,
) -> Answer:
    rows, answer = check(block, *shared)
    staged.place.write_part(staged.version, number, rows.to_arrow(), _GROUP_ROWS)
    return answer


def _read_rows(staged: StagedParts, first: int, last: int, number: int) -> pl.DataFrame:
    """Return the rows of some stores in a block."""
    table = staged.place.read_staged(staged.version, number, "store_nbr", first, last)
    return pl.DataFrame(table)


def _bring_together(
    staged: StagedParts, n_blocks: int, stores: Sequence[tuple[int, int]], part: int
) -> pl.DataFrame:
    """Return the rows of a part's stores in all blocks, in the order of the file."""
    rows = join_kept([_read_rows(staged, *stores[part], number) for number in range(n_blocks)])
    return rows.sort(ROW)


def _make_part(
    rows: pl.DataFrame,
    part: int,
    make: Callable[..., tuple[pl.DataFrame, Answer]],
    staged: StagedParts,
    *shared: Any,
) -> Answer:
    kept, answer = make(rows, *shared)
    staged.place.write_part(staged.version, part, kept.to_arrow())
    return answer
