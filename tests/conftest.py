"""What all tests share."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import pytest
from hypothesis import settings

from grocery_demand.core.panel import Panel
from grocery_demand.core.trained_model import TrainedModel
from make_targets import ROOT
from mlflow_store import mlflow_at
from published import small_panel, train_small
from worlds import make_panel

LONGEST_FIRST = (
    "test_the_closed_loop.py", "test_image.py", "test_workshop.py", "test_gocd_story.py",
    "test_dvc_repro.py", "test_the_loop.py", "test_release.py", "test_production.py",
    "test_notebooks.py", "test_mistakes.py", "test_panel_extension.py", "test_the_daily_job.py",
    "test_reproduce.py",
)  # fmt: skip
"""Files that take half a minute or more, one in a process: begun last, they would be waited for."""

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, database=None, max_examples=10
)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the processes take files in this order."""
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(scope="session")
def panel() -> Panel:
    """Sales of 3 stores and 8 items over 200 days, with all that occurs in real ones."""
    return make_panel(seed=1, n_stores=3, n_items=8, n_days=200)


@pytest.fixture(scope="session")
def long_panel() -> Panel:
    """A panel long enough for forecasts beyond the horizon."""
    return small_panel()


@pytest.fixture(scope="session")
def long_model(long_panel) -> TrainedModel:
    """LightGBM trained on it; made once, as that takes seconds."""
    return train_small(long_panel)


@pytest.fixture(scope="session")
def long_tree(long_panel) -> TrainedModel:
    """A decision tree trained on it."""
    return train_small(long_panel, "decision_tree")


@pytest.fixture(scope="session")
def long_average(long_panel) -> TrainedModel:
    """The baseline of moving averages, with what it learnt beyond the horizon."""
    return train_small(long_panel, "moving_average")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """An MLflow database without any run; made once and copied, as its migrations take seconds."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = tmp_path_factory.mktemp("mlflow")
    SqlAlchemyStore(f"sqlite:///{folder}/empty.db", (folder / "artifacts").as_uri())
    return folder / "empty.db"


@pytest.fixture
def mlflow_store(empty_database, tmp_path) -> Iterator[str]:
    """The address of an empty MLflow store, which is tracking and registry address meanwhile."""
    with mlflow_at(Path(shutil.copy(empty_database, tmp_path / "mlflow.db"))) as address:
        yield address


@pytest.fixture
def scripts(monkeypatch):
    """Import a script by its path in the project."""

    def load(path: str):
        folder, _, name = path.rpartition("/")
        monkeypatch.syspath_prepend(str(ROOT / folder))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return import_module(name)

    return load
