"""An MLflow store that a test's own process works on for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")


@contextmanager
def mlflow_at(database: Path) -> Iterator[str]:
    """Make a database the tracking and registry address, and give that address.

    MLflow keeps the experiment that was set in its own module and in the environment, whatever
    the store; neither comes in from the tests before nor goes on to those after.
    """
    import mlflow
    from mlflow.tracking import fluent

    address = f"sqlite:///{database}"
    with pytest.MonkeyPatch.context() as patch:
        for name in _VARIABLES:
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setattr(fluent, "_active_experiment_id", None)
        mlflow.set_tracking_uri(address)
        try:
            yield address
        finally:
            mlflow.set_tracking_uri(None)
