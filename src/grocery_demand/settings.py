"""Project settings: hooks and how configuration is loaded."""

from grocery_demand.hooks import (
    NotebookHook,
    ParameterNamesHook,
    ProgressHook,
    RefusalHook,
    SummaryHook,
    TrackingHook,
)
from grocery_demand.hooks.warnings_of_others import leave_out_warnings_of_others

leave_out_warnings_of_others()

HOOKS = (
    ParameterNamesHook(),
    TrackingHook(),
    SummaryHook(),
    ProgressHook(),
    NotebookHook(),
    RefusalHook(),
)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # A file conf/<env>/parameters.yml may name single parameters of a group, as --params does.
    "merge_strategy": {"parameters": "soft"},
}
