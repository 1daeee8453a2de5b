"""Leaves out warnings that libraries raise about themselves at each start."""

import logging

_NOT_OURS = (
    "register_new_resolver() is deprecated",  # kedro and kedro-mlflow, about OmegaConf
    "Add type hints to the `predict` method",  # kedro-mlflow, shown by MLflow in spite of filters
)


def leave_out_warnings_of_others() -> None:
    """Send warnings to the log and drop those that no user of this project can mend."""
    logging.captureWarnings(True)
    log = logging.getLogger("py.warnings")
    if _is_of_interest not in log.filters:
        log.addFilter(_is_of_interest)


def _is_of_interest(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_OURS)
