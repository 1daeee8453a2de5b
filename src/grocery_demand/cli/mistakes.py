"""Errors that a user can mend: told in one message, without a traceback."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from kedro.validation.exceptions import ParameterValidationError

from grocery_demand.cli.foreign_errors import DEEPEST_FIRST, OUTERMOST_FIRST
from grocery_demand.core.errors import GroceryDemandError

_LOGS_ERRORS_THAT_ARE_RAISED = (
    "kedro.pipeline.node",
    "kedro.runner.sequential_runner",
    "kedro.validation.parameter_validator",
    "mlflow.store.db.utils",
)

_WRAPPED_PARAMETER = re.compile(r"- Parameter '.*?': (?:Failed to instantiate .*? '.*?': )?(.*)")

_AS_IT_WAS = (
    "Champion, panel and forecasts are as the last command that ended left them; type the command "
    "again to begin anew."
)


class Terminated(SystemExit):
    """The process was told to end, by SIGTERM."""


class Stopped(click.ClickException):
    """The user has stopped a command."""

    exit_code = 130

    def __init__(self, how: str = "Interrupted") -> None:
        super().__init__(f"{how}. {_AS_IT_WAS}")


class StoppedBySigterm(Stopped):
    """The process was told to end."""

    exit_code = 143

    def __init__(self) -> None:
        super().__init__("Stopped by SIGTERM")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors that a user can mend into one message and exit status 1.

    A command that was stopped ends with 128 and the signal's number, as others do.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise Stopped() from error
    except Terminated as error:
        raise StoppedBySigterm() from error
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
    causes = list(_find_causes(error))
    told = (
        describe(cause)
        for descriptions, ordered in (
            ((_describe_own,), causes),
            (DEEPEST_FIRST, causes[::-1]),
            (OUTERMOST_FIRST, causes),
        )
        for describe in descriptions
        for cause in ordered
    )
    return next((message for message in told if message is not None), None)


def _find_causes(error: BaseException) -> Iterator[BaseException]:
    """Give the error, what it was raised from, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _describe_own(error: BaseException) -> str | None:
    """Return the message of an error of this project, or of a wrong parameter within it."""
    if isinstance(error, GroceryDemandError):
        return str(error)
    if isinstance(error, ParameterValidationError):
        return "\n".join(_WRAPPED_PARAMETER.findall(str(error))) or str(error)
    return None


def _is_no_user_error(_: logging.LogRecord) -> bool:
    """Keep a log record unless it is about an error that the user is told of at the end."""
    error = sys.exc_info()[1]
    return error is None or explain(error) is None
