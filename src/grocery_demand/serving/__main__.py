"""Starts the web app: `python -m grocery_demand.serving`, which `kedro serve` calls."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grocery_demand.serving.handover import Handover, take_over

if TYPE_CHECKING:
    import uvicorn

    from grocery_demand.serving.settings import ServingSettings

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_EXAMPLES = """examples:
  python -m grocery_demand.serving
  python -m grocery_demand.serving --port 8080
  GROCERY_DEMAND_API_KEY=… python -m grocery_demand.serving --host 0.0.0.0
"""

_SECONDS_TO_READ_REQUESTS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit status."""
    _import_lightgbm_alone()

    from grocery_demand.core.errors import GroceryDemandError
    from grocery_demand.serving.settings import default_env, load_settings, project_folder

    options = _parse(arguments)
    given = {"host": options.host, "port": options.port, "insecure": options.insecure or None}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s",
                        datefmt="%H:%M:%S")  # fmt: skip
    project = project_folder()
    try:
        settings = load_settings(project, options.env or default_env(), os.environ, given)
        with _listen(settings.host, settings.port, options.deployed) as listening:
            _serve(settings, project, listening, options.deployed)
    except GroceryDemandError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        pass  # Uvicorn has ended in order and tells of the signal once more.
    return 0


def _import_lightgbm_alone() -> None:
    """Import LightGBM without scikit-learn, which it loads for classes that are not used here.

    That would take time and memory at each start. Champions of scikit-learn import it later.
    """
    if "sklearn" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import lightgbm  # noqa: F401
    finally:
        del sys.modules["sklearn"]


def _serve(
    settings: "ServingSettings", project: Path, listening: socket.socket, deployed: Path | None
) -> None:
    import uvicorn

    from grocery_demand.serving.app import create_app
    from grocery_demand.serving.protocol import impatient_protocol

    app = create_app(settings, project)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=15,
        timeout_graceful_shutdown=20, lifespan="on", ws="none", proxy_headers=False,
        http=impatient_protocol(settings.request_timeout_seconds), backlog=4096,
    )  # fmt: skip
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    print(f"Grocery demand on {url}  (Ctrl+C stops it)", flush=True)  # noqa: T201
    if deployed is None:
        uvicorn.Server(config).run(sockets=[listening])
        return
    _serve_deployed(uvicorn.Server(config), listening, Handover(deployed, listening, url))


def _serve_deployed(server: "uvicorn.Server", listening: socket.socket, handover: Handover) -> None:
    """Serve, and offer the socket to a successor while requests are answered.

    At the end it first stops accepting and answers who is connected: uvicorn would hang up on a
    connection whose request it has not read yet. And as uvicorn then raises the signal that stopped
    it once more, nothing can be done after `run`.
    """
    start, end = server.startup, server.shutdown

    async def start_and_offer(sockets: list[socket.socket] | None = None) -> None:
        await start(sockets)
        handover.open()

    async def end_and_withdraw(sockets: list[socket.socket] | None = None) -> None:
        for accepting in server.servers:
            accepting.close()
        await asyncio.sleep(_SECONDS_TO_READ_REQUESTS)
        await end(sockets)
        handover.close()

    server.startup = start_and_offer  # type: ignore[method-assign]
    server.shutdown = end_and_withdraw  # type: ignore[method-assign]
    server.run(sockets=[listening])


def _listen(host: str, port: int, deployed: Path | None) -> socket.socket:
    """Return a socket that listens; that of the deployed app which is to be replaced, if any.

    Raises:
        GroceryDemandError: If the port is taken or the address is not this machine's.
    """
    from grocery_demand.core.errors import GroceryDemandError

    taken_over = take_over(deployed, host, port) if deployed is not None else None
    if taken_over is not None:
        return taken_over
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as error:
        raise GroceryDemandError(
            f"The web app cannot listen on {host}, port {port}: {error.strerror or error}. Take "
            "another port with --port, or stop what uses this one."
        ) from error


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m grocery_demand.serving",
        description="Serve the champion's forecasts as web page and API.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (5005)")
    parser.add_argument("--env", "-e", help="folder of conf/ to take settings from (local)")
    parser.add_argument(
        "--deployed", type=Path, metavar="FOLDER",
        help="replace the app that this folder describes, without losing a request",
    )  # fmt: skip
    parser.add_argument(
        "--insecure", action="store_true", help="listen to the network without a key"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
