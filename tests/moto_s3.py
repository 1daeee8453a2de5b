"""An S3 on this machine, by moto, for as long as a test needs it."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PYTHON = Path(__file__).parents[1] / ".tools" / "bin" / "python"
BUCKET = "demand"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SERVER = f"""
import sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address=sys.argv[1], port=0, verbose=False)
server.start()
address = "http://%s:%d" % server.get_host_and_port()
boto3.client("s3", endpoint_url=address).create_bucket(Bucket={BUCKET!r})
print(address, flush=True)
sys.stdin.read()
"""


@contextmanager
def running_s3(within: Sequence[str] = (), address: str = "127.0.0.1") -> Iterator[dict[str, str]]:
    """Start it with an empty bucket; give the environment by which it is reached.

    Without moto (`make tools`) there is none, and the environment is empty.

    Args:
        within: What precedes the command, on a host of its own.
        address: On which it listens.
    """
    if not _PYTHON.exists():
        yield {}
        return
    server = subprocess.Popen(
        [*within, _PYTHON, "-c", _SERVER, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=CREDENTIALS,
        text=True,
    )
    address = server.stdout.readline().strip()
    yield CREDENTIALS | {"AWS_ENDPOINT_URL": address}
    server.communicate("")
