"""Handing work out a few pieces at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from grocery_demand.cluster.errors import ClusterError
from grocery_demand.core.parts import Answer

Thing = TypeVar("Thing")
Given = TypeVar("Given")


def hand_out(
    things: Iterable[Thing],
    give: Callable[[Thing], Given],
    take: Callable[[Given], Answer],
    most: int,
    end: Callable[[list[Given]], None],
) -> Generator[Answer, None, None]:
    """Give things out to be worked on, a few at a time, and return what becomes of each, in order.

    Args:
        things: Taken one by one, when there is room for the next.
        give: Begins the work on a thing.
        take: Waits for it, and returns what it gave.
        most: Things that are worked on at once, at least one.
        end: Called with what is still worked on, if nobody wants it any more; not if the run is
            stopped or its workers are lost.
    """
    given: deque[Given] = deque()
    try:
        for thing in things:
            given.append(give(thing))
            del thing
            if len(given) >= most:
                yield take(given.popleft())
        while given:
            yield take(given.popleft())
    except (ClusterError, KeyboardInterrupt, SystemExit):
        given.clear()
        raise
    finally:
        if given:
            end(list(given))
