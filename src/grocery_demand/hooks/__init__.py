"""Hooks: what happens around each run, beside the pipelines."""

from grocery_demand.hooks.notebooks import NotebookHook
from grocery_demand.hooks.parameter_names import ParameterNamesHook
from grocery_demand.hooks.progress import ProgressHook
from grocery_demand.hooks.refusal import RefusalHook
from grocery_demand.hooks.summary import SummaryHook
from grocery_demand.hooks.tracking import TrackingHook

__all__ = [
    "NotebookHook",
    "ParameterNamesHook",
    "ProgressHook",
    "RefusalHook",
    "SummaryHook",
    "TrackingHook",
]
