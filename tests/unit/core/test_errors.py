"""What a user can mend is told in a line, in a notebook, too."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grocery_demand.core.errors import DataShortageError


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("raise DataShortageError('Give more days.')", ["DataShortageError: Give more days."]),
        ("1 / 0", None),
    ],
)
def test_ipython_shows_an_error_that_can_be_mended_without_its_traceback(
    capsys, monkeypatch, tmp_path, code, lines
):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    shell.push({"DataShortageError": DataShortageError})
    outcome = shell.run_cell(code)
    shown = capsys.readouterr().out.splitlines()
    assert not outcome.success
    assert shown == lines if lines else "Traceback" in "".join(shown)
    InteractiveShell.clear_instance()
