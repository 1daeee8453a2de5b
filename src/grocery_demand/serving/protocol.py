"""HTTP connections that do not wait forever for a request."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class ImpatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which hangs up when a request's head does not arrive in time.

    A client that opens connections and sends nothing, or a byte now and then, holds none of them
    for long.
    """

    seconds_to_wait = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.seconds_to_wait, self._hang_up)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request's head."""
        self._deadline.cancel()
        self._deadline = self.loop.call_later(self.seconds_to_wait, self._hang_up)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait no more: the head is there."""
        self._deadline.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more: the connection is gone."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def impatient_protocol(seconds_to_wait: float) -> type[ImpatientProtocol]:
    """Return the protocol with a time of its own."""
    return type("ImpatientProtocol", (ImpatientProtocol,), {"seconds_to_wait": seconds_to_wait})
