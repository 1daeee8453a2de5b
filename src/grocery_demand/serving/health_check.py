"""Says by its exit status whether the web app beside it is well: a container's health check.

Called as `python -m grocery_demand.serving.health_check [/health/ready]`.
"""

import http.client
import os
import sys

_SECONDS = 3.0


def main(path: str = "/health/live") -> int:
    """Return 0 if the web app of this machine answers 200, else 1, with the reason on stderr."""
    port = int(os.environ.get("GROCERY_DEMAND_PORT") or 5005)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer on port {port}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    if status != http.HTTPStatus.OK:
        print(f"{path} answers {status}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
