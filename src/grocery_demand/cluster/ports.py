"""The ports on which workers find each other while LightGBM fits the same trees on all of them."""

import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Sequence

from grocery_demand.cluster.client import host_of
from grocery_demand.cluster.errors import ClusterError

VARIABLE = "GROCERY_DEMAND_TRAINING_PORTS"
_ANY = (0,)


def share_ports(workers: Iterable[str]) -> dict[str, Sequence[int]]:
    """Return the ports that each worker may take; workers of one host share none.

    GROCERY_DEMAND_TRAINING_PORTS names a range, such as `9100:9109`, for firewalls. Without it the
    system chooses.

    Args:
        workers: Their addresses.

    Raises:
        ClusterError: If the variable is no range, or too small for the workers of one host.
    """
    allowed = _read_range()
    by_host: dict[str, list[str]] = defaultdict(list)
    for worker in workers:
        by_host[host_of(worker)].append(worker)
    if allowed is None:
        return {worker: _ANY for own in by_host.values() for worker in own}
    most = max(map(len, by_host.values()))
    if len(allowed) < most:
        raise ClusterError(
            f"{VARIABLE} has {len(allowed)} ports, but one host has {most} workers: name a port "
            "for each at least."
        )
    return {
        worker: allowed[place :: len(own)]
        for own in by_host.values()
        for place, worker in enumerate(own)
    }


def find_port(allowed: Sequence[int]) -> int:
    """Return a port of this host that nobody listens on.

    Raises:
        ClusterError: If all are taken.
    """
    for port in allowed:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("", port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    raise ClusterError(
        f"On {socket.gethostname()} every port of {', '.join(map(str, allowed))} is taken, "
        f"on one of which LightGBM would listen: name more of them in {VARIABLE}."
    )


def _read_range() -> range | None:
    """Return the range that the environment names; None if it names none."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    first, colon, last = named.partition(":")
    if colon and first.isdecimal() and last.isdecimal():
        allowed = range(int(first), int(last) + 1)
        if allowed and allowed[0] > 0 and allowed[-1] < 2**16:
            return allowed
    raise ClusterError(f"{VARIABLE} is {named!r}; allowed: first:last, such as 9100:9109.")
