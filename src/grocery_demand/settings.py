"""Project settings: hooks and how configuration is loaded."""

import warnings

from grocery_demand.hooks import (
    ParameterNamesHook,
    ProgressHook,
    SummaryHook,
    TrackingHook,
)

# Raised by kedro and kedro-mlflow about their own code at each start; no user can mend them.
for _message in ("register_new_resolver", ".*Add type hints to the `predict` method"):
    warnings.filterwarnings("ignore", message=_message, category=UserWarning)

HOOKS = (ParameterNamesHook(), TrackingHook(), SummaryHook(), ProgressHook())

CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
