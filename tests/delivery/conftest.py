"""What the tests of delivery share: the project's files, and programs of the tools' environment."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder of what is deployed."""
    return PROJECT / "deploy"


@pytest.fixture(scope="session")
def compose(deploy) -> dict:
    """compose.yml with its anchors resolved."""
    return yaml.safe_load((deploy / "compose.yml").read_text())


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Name a program of the tools' environment; skip the test where it is not installed."""

    def find(name: str) -> str:
        path = PROJECT / ".tools" / "bin" / name
        if not path.exists():
            pytest.skip(f"{name} is not installed: make tools")
        return str(path)

    return find
