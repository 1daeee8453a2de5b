"""Errors that a user can mend: told in one message, without a traceback."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from kedro.validation.exceptions import ParameterValidationError

from grocery_demand.core.errors import GroceryDemandError

_LOGS_ERRORS_THAT_ARE_RAISED = (
    "kedro.pipeline.node",
    "kedro.runner.sequential_runner",
    "kedro.validation.parameter_validator",
)

_WRAPPED_PARAMETER = re.compile(r"- Parameter '.*?': (?:Failed to instantiate .*? '.*?': )?(.*)")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors that a user can mend into one message and exit status 1."""
    try:
        yield
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        raise click.ClickException(message) from error


def leave_out_of_logs() -> None:
    """Let Kedro log no error, with its traceback, that the user is told of at the end."""
    for name in _LOGS_ERRORS_THAT_ARE_RAISED:
        logging.getLogger(name).addFilter(_is_no_user_error)


def explain(error: BaseException) -> str | None:
    """Return what to tell the user about an error; None if it is a bug, not a mistake."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GroceryDemandError):
            return str(cause)
        if isinstance(cause, ParameterValidationError):
            return "\n".join(_WRAPPED_PARAMETER.findall(str(cause))) or str(cause)
        cause = cause.__cause__ or cause.__context__
    unknown_pipeline = str(error).startswith("Failed to find the pipeline named")
    return str(error) if unknown_pipeline else None


def _is_no_user_error(_: logging.LogRecord) -> bool:
    """Keep a log record unless it is about an error that the user is told of at the end."""
    error = sys.exc_info()[1]
    return error is None or explain(error) is None
