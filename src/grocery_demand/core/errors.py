"""Errors that a user can mend: shown without a traceback, with the mend in the message."""


class GroceryDemandError(Exception):
    """Something the user can mend.

    The message says what is wrong, where (file, row, column, parameter), and how to mend it.
    """


class ParameterError(GroceryDemandError, ValueError):
    """A parameter has an unknown name, a wrong type or a value that is not allowed."""


class RawDataError(GroceryDemandError):
    """A raw file is missing, empty, misses a column, or holds too many bad rows."""


class DataShortageError(GroceryDemandError):
    """The sales cover too few days or series for what was asked."""


class HorizonError(GroceryDemandError):
    """A date lies further ahead than the model answers."""


class GateError(GroceryDemandError):
    """A challenger missed an absolute bar or a baseline; the champion stays as it was."""


class RegistryError(GroceryDemandError):
    """The model registry does not hold the version or alias that is asked for."""


class ModelFileError(GroceryDemandError):
    """A model file is damaged or was not written by this project."""
