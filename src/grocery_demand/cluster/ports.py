"""The ports on which workers find each other while LightGBM fits the same trees on all of them."""

import os
import socket
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from urllib.parse import urlparse

from grocery_demand.cluster.errors import ClusterError

VARIABLE = "GROCERY_DEMAND_TRAINING_PORTS"
_ANY = (0,)

_PATIENCE = 90
"""Seconds to wait for a port; Linux keeps one for 60 after its connections have ended."""


def host_of(worker: str) -> str:
    """Return the host in a worker's address, such as `tcp://10.0.0.7:34567`."""
    return urlparse(worker).hostname or worker


def read_range() -> range | None:
    """Return the range that the environment names; None if it names none.

    Raises:
        ClusterError: If it is none.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    first, colon, last = named.partition(":")
    if colon and first.isdecimal() and last.isdecimal():
        allowed = range(int(first), int(last) + 1)
        if allowed and allowed[0] > 0 and allowed[-1] < 2**16:
            return allowed
    raise ClusterError(f"{VARIABLE} is {named!r}; allowed: first:last, such as 9100:9149.")


def share_ports(workers: Iterable[str]) -> dict[str, Sequence[int]]:
    """Return the ports that each worker may take; workers of one host share none.

    GROCERY_DEMAND_TRAINING_PORTS names a range, such as `9100:9149`, for firewalls. Without it the
    system chooses.

    Args:
        workers: Their addresses.

    Raises:
        ClusterError: If the variable is no range, or too small for the workers of one host.
    """
    allowed = read_range()
    by_host: dict[str, list[str]] = defaultdict(list)
    for worker in workers:
        by_host[host_of(worker)].append(worker)
    if allowed is None:
        return {worker: _ANY for own in by_host.values() for worker in own}
    most = max(map(len, by_host.values()))
    if len(allowed) < most:
        raise ClusterError(
            f"{VARIABLE} names too few ports, {len(allowed)}, as one host has {most} workers: name "
            "a port for each at least."
        )
    return {
        worker: allowed[place :: len(own)]
        for own in by_host.values()
        for place, worker in enumerate(own)
    }


def find_port(allowed: Sequence[int]) -> int:
    """Return a port of this host that LightGBM can listen on; wait for one, if all are in use.

    A port that it listened on cannot be taken again for a minute after the fit.

    Raises:
        ClusterError: If all stay taken.
    """
    deadline = time.monotonic() + _PATIENCE
    while (port := _find_free(allowed)) is None:
        if time.monotonic() > deadline:
            raise ClusterError(
                f"On {socket.gethostname()} every port of {', '.join(map(str, allowed))} is taken, "
                f"on one of which LightGBM would listen: name more of them in {VARIABLE}."
            )
        time.sleep(1)
    return port


def _find_free(allowed: Sequence[int]) -> int | None:
    """Return the first port that can be bound as LightGBM does: without SO_REUSEADDR."""
    for port in allowed:
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("", port))
            return int(tried.getsockname()[1])
    return None
