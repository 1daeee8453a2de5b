"""A receiver of Fluentd's forward protocol."""

import contextlib
import socket
import threading

import msgpack


class Receiver:
    """A server of the forward protocol on TCP, with acknowledgements.

    Args:
        port: Its port; 0 for any.
        ignores: Messages that it takes without an acknowledgement before it hangs up.
    """

    def __init__(self, port: int = 0, ignores: int = 0) -> None:
        self.records: list[dict] = []
        self.tags: set[str] = set()
        self.ignored: list[dict] = []
        self._ignores = ignores
        self._listening = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = self._listening.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._talk, args=(link,), daemon=True).start()

    def _talk(self, link: socket.socket) -> None:
        unpacker = msgpack.Unpacker()
        while True:
            try:
                received = link.recv(65536)
            except OSError:
                return
            if not received:
                return
            unpacker.feed(received)
            for tag, entries, option in unpacker:
                records = [record for _, record in entries]
                assert all(isinstance(at, msgpack.ExtType) and at.code == 0 for at, _ in entries)
                if self._ignores:
                    self._ignores -= 1
                    self.ignored += records
                    link.close()
                    return
                self.tags.add(tag)
                self.records += records
                with contextlib.suppress(OSError):
                    link.sendall(msgpack.packb({"ack": option["chunk"]}))

    def die(self) -> None:
        """Hang up and listen no more."""
        for link in (self._listening, *self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
