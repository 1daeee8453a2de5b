"""What a worker does for one part: it opens it, and calls a function for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grocery_demand.cluster.sizes import let_go_of_pages


def pack(own: Sequence[Any] | None, n_parts: int) -> list[tuple[Any, ...]]:
    """Return what is meant for each part as further arguments: one or none."""
    return [()] * n_parts if own is None else [(value,) for value in own]


def itself(part: Any) -> Any:
    """Return a part that is open already."""
    return part


def ask_part(
    open_part: Callable[[Any], Any],
    part: Any,
    function: Callable[..., Any],
    own: tuple[Any, ...],
    shared: tuple[Any, ...],
) -> Any:
    """Open a part and call a function for it; let go of what was read of its files."""
    opened = open_part(part)
    try:
        return function(opened, *own, *shared)
    finally:
        let_go_of_pages(opened)


@dataclass(frozen=True)
class Chain:
    """Two functions, one after the other.

    Attributes:
        make: Makes something of a part.
        then: Is called with that.
        n_shared: Arguments that are meant for the first.
    """

    make: Callable[..., Any]
    then: Callable[..., Any]
    n_shared: int

    def __call__(
        self, part: Any, own: tuple[tuple[Any, ...], tuple[Any, ...]], *shared: Any
    ) -> Any:
        """Call both; `own` has what is meant for the part of each."""
        made = self.make(part, *own[0], *shared[: self.n_shared])
        return self.then(made, *own[1], *shared[self.n_shared :])
