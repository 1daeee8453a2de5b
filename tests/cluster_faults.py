"""Faults that a worker has when a test asks for them: `dask worker --preload` loads this.

A test orders a fault by a file in the folder that FAULTS names, called after the place in the work
where it is to happen. The worker that comes there first takes the order, and has the fault; a
file `NAME.always` is there for all. `hold` lets a worker stay at its work until the test has ended.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import lightgbm

from grocery_demand.core import rows
from grocery_demand.core.quality import sales_in_parts

_ORDERS = Path(os.environ.get("FAULTS", "nowhere"))
_TREE = 5
_LONG = 600
_ESTABLISHED, _LISTENS = "01", "0A"


def take(place: str) -> bool:
    """Return whether a fault is due here; what was ordered once is due once."""
    order = _ORDERS / place
    try:
        order.rename(order.with_suffix(".taken"))
    except FileNotFoundError:
        return order.with_suffix(".always").exists()
    return True


def die() -> None:
    """End as by the kernel's hand."""
    os.kill(os.getpid(), signal.SIGKILL)


def _vanish() -> None:
    """Leave this host without a network, as by a pulled cable: nobody is told."""
    subprocess.run(["ip", "link", "set", "eth0", "down"], check=True)


def _at(place: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def with_fault(*arguments: Any, **named: Any) -> Any:
        if take(place):
            die()
        if take("hold"):
            time.sleep(_LONG)
        return function(*arguments, **named)

    return with_fault


def _in_a_tree(environment: lightgbm.callback.CallbackEnv) -> None:
    if environment.iteration == _TREE:
        _note_connections()
        if take("training"):
            die()
        if take("vanish"):
            _vanish()


def _note_connections() -> None:
    """Write the ports of this host's connections to others, one line for the two ends of each.

    And where it listens: address, as the kernel writes it, and port.
    """
    read = [Path(f"/proc/net/{table}").read_text().splitlines()[1:] for table in ("tcp", "tcp6")]
    every = [line.split() for lines in read for line in lines]
    listens = [row[1].split(":") for row in every if row[3] == _LISTENS]
    told = [f"{address} {int(port, 16)}" for address, port in listens]
    (_ORDERS / f"listeners-of-{os.getpid()}").write_text("\n".join(told))
    rows = [line.split() for line in read[0]]
    ends = [row[1:3] for row in rows if row[3] == _ESTABLISHED]
    ports = [" ".join(str(int(end.split(":")[1], 16)) for end in both) for both in ends]
    (_ORDERS / f"connections-of-{os.getpid()}").write_text("\n".join(ports))


rows.make_rows = _at("features", rows.make_rows)
sales_in_parts.check_block = _at("checking", sales_in_parts.check_block)
_train = lightgbm.train
lightgbm.train = lambda *given, **named: _train(*given, callbacks=[_in_a_tree], **named)
