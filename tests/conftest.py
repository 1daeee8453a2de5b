"""What all tests share; being here, it also puts this folder's modules on the import path."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
from hypothesis import settings

from grocery_demand.core.panel import Panel
from worlds import make_panel

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, database=None, max_examples=10
)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def panel() -> Panel:
    """Sales of 3 stores and 8 items over 200 days, with all that occurs in real ones."""
    return make_panel(seed=1, n_stores=3, n_items=8, n_days=200)
