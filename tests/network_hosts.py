"""Hosts with addresses of their own on this machine: network namespaces behind one bridge."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_SUBNET = "10.213.7"


@dataclass(frozen=True)
class Host:
    """A host that has nothing in common with the others but files.

    Attributes:
        namespace: Its name for `ip netns`.
        address: Its only address but 127.0.0.1.
    """

    namespace: str
    address: str

    @property
    def within(self) -> list[str]:
        """What precedes a command that is to run there."""
        return [shutil.which("ip") or "ip", "netns", "exec", self.namespace]

    def start(
        self, words: list[str], folder: Path, variables: Mapping[str, str], **options: Any
    ) -> subprocess.Popen:
        """Start a command there, without what a local cluster left in the environment."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
        return subprocess.Popen(
            [*self.within, *words], cwd=folder, env={**known, **variables}, **options
        )


@contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """Bring up hosts that reach each other and nothing else; the first is the bridge itself.

    Skips the test where that is not possible: it takes root, and `ip` of iproute2.
    """
    if shutil.which("ip") is None:
        pytest.skip("`ip` is missing: iproute2")
    found = [
        Host(f"demand-{os.getpid()}-{place}", f"{_SUBNET}.{place + 1}") for place in range(number)
    ]
    try:
        _bring_up(found)
    except subprocess.CalledProcessError as error:
        _tear_down(found)
        pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
    try:
        yield found
    finally:
        _tear_down(found)


def _bring_up(found: list[Host]) -> None:
    bridge, *others = found
    for host in found:
        _ip("netns", "add", host.namespace)
        _ip("-n", host.namespace, "link", "set", "lo", "up")
    subprocess.run([*bridge.within, "true"], check=True, capture_output=True, text=True)
    of_bridge = ("-n", bridge.namespace)
    _ip(*of_bridge, "link", "add", "bridge", "type", "bridge")
    _ip(*of_bridge, "addr", "add", f"{bridge.address}/24", "dev", "bridge")
    _ip(*of_bridge, "link", "set", "bridge", "up")
    for place, host in enumerate(others):
        port, there = f"port{place}", ("-n", host.namespace)
        _ip(*of_bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0",
            "netns", host.namespace)  # fmt: skip
        _ip(*of_bridge, "link", "set", port, "master", "bridge", "up")
        _ip(*there, "addr", "add", f"{host.address}/24", "dev", "eth0")
        _ip(*there, "link", "set", "eth0", "up")


def _tear_down(found: list[Host]) -> None:
    for host in found:
        subprocess.run(["ip", "netns", "del", host.namespace], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
