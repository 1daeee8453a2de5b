import logging
import sys

import pytest

from grocery_demand.hooks import NotebookHook


@pytest.fixture
def logger(monkeypatch) -> logging.Logger:
    """The catalog's logger as Kedro sets it up."""
    logger = logging.getLogger("kedro.io")
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    return logger


def test_in_a_notebook_the_catalog_does_not_say_what_the_cell_says(logger, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    NotebookHook().after_context_created()
    assert not logging.getLogger("kedro.io.data_catalog").isEnabledFor(logging.INFO)


def test_elsewhere_it_says_what_it_loads(logger, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    NotebookHook().after_context_created()
    assert logger.level == logging.NOTSET
