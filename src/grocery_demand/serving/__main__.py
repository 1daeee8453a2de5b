"""Starts the web app: `python -m grocery_demand.serving`, which `kedro serve` calls."""

import argparse
import logging
import os
import socket
import sys
from collections.abc import Sequence

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_EXAMPLES = """examples:
  python -m grocery_demand.serving
  python -m grocery_demand.serving --port 8080
  GROCERY_DEMAND_API_KEY=… python -m grocery_demand.serving --host 0.0.0.0
"""


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
        with _listen(settings.host, settings.port) as listening:
            _serve(settings, project, listening)
    except GroceryDemandError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _import_lightgbm_alone() -> None:
    """Import LightGBM without scikit-learn, which it loads for classes that are not used here.

    That would take a third of the start and 80 MB. Champions of scikit-learn import it later.
    """
    if "sklearn" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import lightgbm  # noqa: F401
    finally:
        del sys.modules["sklearn"]


def _serve(settings: "ServingSettings", project: "Path", listening: socket.socket) -> None:  # type: ignore[name-defined]  # noqa: F821
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
    print(f"Grocery demand on http://{shown}:{port}  (Ctrl+C stops it)", flush=True)  # noqa: T201
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        GroceryDemandError: If the port is taken or the address is not this machine's.
    """
    from grocery_demand.core.errors import GroceryDemandError

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
        "--insecure", action="store_true", help="listen to the network without a key"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
