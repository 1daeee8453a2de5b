import logging
import sys
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grocery_demand.core.errors import DataShortageError
from grocery_demand.hooks import NotebookHook
from grocery_demand.hooks.notebooks import show_mendable_errors_in_a_line


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The catalog's logger as Kedro sets it up."""
    logger = logging.getLogger("kedro.io")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield logger
    logger.setLevel(before)


def test_in_a_notebook_the_catalog_does_not_say_what_the_cell_says(logger, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    NotebookHook().after_context_created()
    assert not logging.getLogger("kedro.io.data_catalog").isEnabledFor(logging.INFO)


def test_elsewhere_it_says_what_it_loads(logger, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    NotebookHook().after_context_created()
    assert logger.level == logging.NOTSET


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    """IPython's shell as Kedro's logging leaves it: Rich shows the tracebacks."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    shell.push({"DataShortageError": DataShortageError})
    assert shell.run_cell("from rich.traceback import install; install()").success
    yield shell
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("times", [1, 2])
def test_an_error_that_can_be_mended_is_one_line_and_a_bug_a_traceback(shell, capsys, times):
    for _ in range(times):
        show_mendable_errors_in_a_line(shell)
    capsys.readouterr()
    assert not shell.run_cell("raise DataShortageError('Give more days.')").success
    assert capsys.readouterr().out == "DataShortageError: Give more days.\n"
    caught = "try:\n  raise DataShortageError('Give more.')\nexcept Exception as error:\n  "
    wrapped = caught + "raise OSError('wrapped') from error"
    assert not shell.run_cell(wrapped).success
    assert capsys.readouterr().out == "DataShortageError: Give more.\n"
    assert not shell.run_cell("1 / 0").success
    shown = "".join(capsys.readouterr())
    assert "Traceback" in shown
    assert "ZeroDivisionError" in shown
