"""What stands before the app: key, limits, security headers and metrics, for every request."""

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grocery_demand.serving import problems
from grocery_demand.serving.settings import ServingSettings

_ASKED_BY_MACHINES = ("/health/", "/metrics")
_OPEN_TO_ALL = ("/health/", "/assets/")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_HANG_UP = {"Connection": "close"}
_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Guards:
    """ASGI middleware around the whole app.

    Args:
        app: The app.
        settings: Key and limits.
        registry: Where requests are counted.
        paths: The app's paths, by which requests are counted; others count as `other`.
        note_failure: Is told of each request that is answered by 500 or above, with the status;
            probes and metrics apart.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServingSettings,
        registry: CollectorRegistry,
        paths: Iterable[str],
        note_failure: Callable[[Scope, int], None],
    ) -> None:
        self._app = app
        self._key = settings.api_key.encode()
        self._max_bytes = settings.max_body_bytes
        self._timeout = settings.request_timeout_seconds
        self._too_large = f"The body is larger than {self._max_bytes:,} bytes; send it in parts."
        self._too_slow = f"The body did not arrive within {self._timeout:g} seconds."
        self._paths = frozenset(paths)
        self._note_failure = note_failure
        self._requests = Counter(
            "http_requests",
            "Requests answered, by path and status.",
            ("path", "status"),
            registry=registry,
        )
        self._latency = Histogram(
            "http_request_seconds", "Seconds to answer, by path.", ("path",), buckets=_LATENCY_S,
            registry=registry,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        try:
            await self._answer(scope, receive, send_guarded)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._requests.labels(path, status).inc()
            self._latency.labels(path).observe(time.perf_counter() - begun)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not path.startswith(
                _ASKED_BY_MACHINES
            ):
                self._note_failure(scope, status)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if self._key and not self._is_let_in(scope["path"], headers):
            refusal = problems.respond(
                401,
                "This app asks for its key: as header X-API-Key or Authorization: Bearer, or in "
                "the browser as the password.",
                headers={"WWW-Authenticate": 'Basic realm="grocery-demand"'},
            )
            await refusal(scope, receive, send)
            return
        if _length(headers) > self._max_bytes:
            refusal = problems.respond(413, self._too_large, headers=_HANG_UP)
            await refusal(scope, receive, send)
            return
        await self._app(scope, self._limit(receive), send)

    def _is_let_in(self, path: str, headers: dict[bytes, bytes]) -> bool:
        if path.startswith(_OPEN_TO_ALL):
            return True
        given = headers.get(b"x-api-key") or _key_in(headers.get(b"authorization", b""))
        return hmac.compare_digest(given, self._key)

    def _limit(self, receive: Receive) -> Receive:
        """Return a `receive` that stops at the largest size and the longest time.

        It raises an HTTPException, which the app answers as any other.
        """
        received = 0
        deadline = time.monotonic() + self._timeout
        is_complete = False

        async def receive_limited() -> Message:
            nonlocal received, is_complete
            if is_complete:
                return await receive()
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, self._too_slow, _HANG_UP) from None
            received += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if received > self._max_bytes:
                raise HTTPException(413, self._too_large, _HANG_UP)
            return message

        return receive_limited


def _length(headers: dict[bytes, bytes]) -> int:
    given = headers.get(b"content-length", b"0")
    return int(given) if given.isdigit() else 0


def _key_in(authorization: bytes) -> bytes:
    """Return the key in `Bearer KEY` or `Basic …`, whose password it is."""
    kind, _, value = authorization.partition(b" ")
    if kind.lower() == b"bearer":
        return value.strip()
    if kind.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
