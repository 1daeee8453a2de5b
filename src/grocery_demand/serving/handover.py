"""Hands the listening socket to the process that replaces this one: no request is lost.

A deployed app keeps a file that says where it listens, and a Unix socket beside it. Its successor
fetches the listening socket there and accepts on it, too, once it can forecast; then the former
process may stop. Connections that wait in between belong to the socket, not to a process.
"""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from grocery_demand.storage.atomic import whole_file

FILE = "running.json"
_SECONDS_TO_ANSWER = 5.0


@dataclass(frozen=True)
class Running:
    """A deployed app that runs.

    Attributes:
        pid: Its process.
        url: Its address.
        handover: Unix socket on which it gives its listening socket away.
    """

    pid: int
    url: str
    handover: str


class Handover:
    """Offers a listening socket to a successor, from `open` to `close`.

    Args:
        folder: Where the deployed app is described.
        listening: The socket that it listens on.
        url: Its address.
    """

    def __init__(self, folder: Path, listening: socket.socket, url: str) -> None:
        self._file = folder / FILE
        self._listening = listening
        self._url = url
        self._running: Running | None = None

    def open(self) -> None:
        """Say that the app runs, and answer successors from now on."""
        # The path of a Unix socket must be short, and nobody else may reach it.
        place = Path(tempfile.mkdtemp(prefix="grocery-demand-")) / "handover"
        self._running = Running(os.getpid(), self._url, str(place))
        offer = socket.socket(socket.AF_UNIX)
        offer.bind(self._running.handover)
        offer.listen()
        threading.Thread(target=self._answer, args=(offer,), daemon=True).start()
        with whole_file(self._file) as beside:
            beside.write_text(json.dumps(asdict(self._running)), encoding="utf-8")

    def close(self) -> None:
        """Say that it runs no more, unless a successor has said that it does."""
        if self._running is None:
            return
        if _read(self._file) == self._running:
            self._file.unlink(missing_ok=True)
        shutil.rmtree(Path(self._running.handover).parent, ignore_errors=True)

    def _answer(self, offer: socket.socket) -> None:
        while True:
            asking, _ = offer.accept()
            # While the app ends, its socket is closed already, but it still runs.
            handed = [number for number in [self._listening.fileno()] if number >= 0]
            with asking, contextlib.suppress(OSError):
                socket.send_fds(asking, [b"."], handed)


def find_running(folder: Path) -> Running | None:
    """Return the app that a folder describes; None if there is none, or it runs no more."""
    running = _read(folder / FILE)
    return running if running is not None and is_running(running) else None


def is_running(running: Running) -> bool:
    """Return whether an app answers on its Unix socket, which it does until it ends."""
    handed = _ask(running)
    for number in handed or []:
        os.close(number)
    return handed is not None


def take_over(folder: Path, host: str, port: int) -> socket.socket | None:
    """Return the socket of the running app, if it listens where it is wanted to.

    Args:
        folder: Where the deployed app is described.
        host: Address to listen on.
        port: Port to listen on.
    """
    running = _read(folder / FILE)
    handed = _ask(running) if running is not None else None
    if not handed:
        return None
    listening = socket.socket(fileno=handed[0])
    if _is_at(listening, host, port):
        return listening
    listening.close()
    return None


def _is_at(listening: socket.socket, host: str, port: int) -> bool:
    """Return whether a socket listens at an address; port 0 is any."""
    here = listening.getsockname()[:2]
    try:
        wanted = socket.getaddrinfo(host, port or here[1], type=socket.SOCK_STREAM)
    except OSError:
        return False
    return here in [address[:2] for *_, address in wanted]


def _ask(running: Running) -> list[int] | None:
    """Return the descriptors that a running app hands over; None if it does not answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_SECONDS_TO_ANSWER)
        try:
            asking.connect(running.handover)
            answer, handed, _, _ = socket.recv_fds(asking, 1, 1)
        except OSError:
            return None
    return handed if answer else None


def _read(path: Path) -> Running | None:
    try:
        return Running(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        return None
