"""What is different where the project is loaded in a notebook."""

import logging
import sys
from typing import Any

from kedro.framework.hooks import hook_impl

from grocery_demand.core.errors import GroceryDemandError

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
            show_mendable_errors_in_a_line(shell)


def show_mendable_errors_in_a_line(shell: Any) -> None:
    """Show what a user can mend as a message, and everything else as before.

    Kedro wraps what a dataset raises, and its logging has Rich show every traceback in full.

    Args:
        shell: IPython's shell.
    """
    others = shell._showtraceback

    def show(kind: type[BaseException], error: BaseException, lines: list[str]) -> None:
        mendable = _find_mendable(error)
        if mendable is None:
            others(kind, error, lines)
        else:
            line = f"{type(mendable).__name__}: {mendable}"
            type(shell)._showtraceback(shell, type(mendable), mendable, [line])

    shell._showtraceback = show


def _find_mendable(error: BaseException | None) -> GroceryDemandError | None:
    while error is not None and not isinstance(error, GroceryDemandError):
        error = error.__cause__
    return error
