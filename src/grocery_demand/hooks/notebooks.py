"""What is different where the project is loaded in a notebook."""

import logging
import sys

from kedro.framework.hooks import hook_impl

_TALKATIVE = "kedro.io"
"""The logger that says of each dataset what the cell that loads it says itself."""


class NotebookHook:
    """Keeps the outputs of cells to what they show."""

    @hook_impl
    def after_context_created(self) -> None:
        """Leave out what is logged on each dataset that a cell loads."""
        if "ipykernel" in sys.modules:
            logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
