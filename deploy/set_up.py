"""Prepares a service of compose.yml before others use it, and may be run again at any time.

    python set_up.py bucket          # makes the bucket S3_BUCKET at S3_URL
    python set_up.py elasticsearch   # users, index template, retention
    python set_up.py kibana          # data view and dashboard

Addresses and passwords come from the environment, as compose.yml gives them.
"""

import base64
import json
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
SECONDS = 60.0


class SetUpError(Exception):
    """A service cannot be prepared; the message says which and why."""


def make_bucket() -> None:
    """Make the bucket unless it is there."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = os.environ["S3_BUCKET"]
    try:
        client = boto3.client("s3", endpoint_url=os.environ["S3_URL"])
        if bucket not in [found["Name"] for found in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        raise SetUpError(f"bucket {bucket} at {os.environ['S3_URL']}: {error}") from error


def prepare_elasticsearch() -> None:
    """Give Kibana and Fluentd their users, and the events' indices their fields and their end."""
    folder, url = HERE / "elasticsearch", os.environ["ELASTICSEARCH_URL"]
    writer = {"password": os.environ["EVENTS_WRITER_PASSWORD"], "roles": ["events_writer"]}
    send_json(
        "POST", f"{url}/_security/user/kibana_system/_password",
        {"password": os.environ["KIBANA_PASSWORD"]},
    )  # fmt: skip
    send_json("PUT", f"{url}/_security/role/events_writer", read(folder / "events_writer.json"))
    send_json("PUT", f"{url}/_security/user/events_writer", writer)
    send_json("PUT", f"{url}/_ilm/policy/grocery-demand", read(folder / "retention.json"))
    send_json("PUT", f"{url}/_index_template/grocery-demand", read(folder / "template.json"))


def import_dashboard() -> None:
    """Import the saved objects, in place of those of an earlier start.

    Raises:
        SetUpError: If Kibana refuses one of them.
    """
    boundary = uuid.uuid4().hex
    objects = (HERE / "kibana" / "saved_objects.ndjson").read_bytes()
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        'filename="saved_objects.ndjson"\r\nContent-Type: application/ndjson\r\n\r\n'
    )
    body = head.encode() + objects + f"\r\n--{boundary}--\r\n".encode()
    url = f"{os.environ['KIBANA_URL']}/api/saved_objects/_import?overwrite=true"
    answer = send("POST", url, body, f"multipart/form-data; boundary={boundary}")
    if not answer["success"]:
        raise SetUpError(f"Kibana refuses saved objects: {json.dumps(answer['errors'])}")


def send_json(method: str, url: str, content: dict[str, Any]) -> dict[str, Any]:
    """Send JSON as user `elastic`; return the answer."""
    return send(method, url, json.dumps(content).encode(), "application/json")


def send(method: str, url: str, body: bytes, content_type: str) -> dict[str, Any]:
    """Send a body as user `elastic`; return the answer.

    Raises:
        SetUpError: If nobody answers, or the answer is an error.
    """
    user = base64.b64encode(f"elastic:{os.environ['ELASTIC_PASSWORD']}".encode()).decode()
    headers = {"Authorization": f"Basic {user}", "Content-Type": content_type, "kbn-xsrf": "set-up"}
    request = Request(url, body, headers, method=method)  # noqa: S310
    where = f"{method} {urlsplit(url).path} at {urlsplit(url).netloc}"
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as error:
        raise SetUpError(f"{where}: {error.code} {error.read(2000).decode()}") from error
    except URLError as error:
        raise SetUpError(f"{where}: {error.reason}") from error


def read(path: Path) -> dict[str, Any]:
    """Return a file's JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


TASKS: dict[str, Callable[[], None]] = {
    "bucket": make_bucket,
    "elasticsearch": prepare_elasticsearch,
    "kibana": import_dashboard,
}


def main(arguments: list[str]) -> int:
    """Do the named task; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in TASKS:
        print(f"Name one of: {', '.join(TASKS)}", file=sys.stderr)
        return 2
    try:
        TASKS[arguments[0]]()
    except KeyError as error:
        print(f"Not set: {error}", file=sys.stderr)
        return 1
    except SetUpError as error:
        print(f"Not set up: {error}", file=sys.stderr)
        return 1
    print(f"Set up: {arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
