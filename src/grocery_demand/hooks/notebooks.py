"""What is different where the project is loaded in a notebook."""

import logging
import sys
from typing import Any

from kedro.framework.hooks import hook_impl

_TALKATIVE = "kedro.io"
"""The logger that says of each dataset what the cell that loads it says itself."""


class NotebookHook:
    """Keeps the outputs of cells to what they show."""

    @hook_impl
    def after_context_created(self) -> None:
        """Leave out the log of what is loaded, and the traceback of what a user can mend."""
        if "ipykernel" not in sys.modules:
            return
        from IPython.core.getipython import get_ipython

        logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
        shell = get_ipython()
        if shell is not None:
            show_mendable_errors_as_they_say(shell)


def show_mendable_errors_as_they_say(shell: Any) -> None:
    """Let errors that say how they are shown be shown so, whatever else shows tracebacks.

    Kedro's logging puts Rich's tracebacks into the place of IPython's, which ask no error.

    Args:
        shell: IPython's shell.
    """
    others = shell._showtraceback

    def show(kind: type[BaseException], error: BaseException, lines: list[str]) -> None:
        if hasattr(error, "_render_traceback_"):
            type(shell)._showtraceback(shell, kind, error, lines)
        else:
            others(kind, error, lines)

    shell._showtraceback = show
