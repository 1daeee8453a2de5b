"""The project as the reference reads it: its folder, configuration and pipelines."""

from functools import cache
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.pipeline import Pipeline

from grocery_demand.hooks.warnings_of_others import leave_out_warnings_of_others

leave_out_warnings_of_others()

ROOT = Path(__file__).resolve().parents[3]


def configuration() -> OmegaConfigLoader:
    """Return what stands in conf/base.

    Each time by a loader of its own: in one process `${globals:…}` means the newest loader's.
    """
    # conf/local is a person's own and not described: a folder that is not there stands for it.
    conf = str(ROOT / "conf")
    return OmegaConfigLoader(conf, base_env="base", default_run_env="base")


@cache
def pipelines() -> dict[str, Pipeline]:
    """Return the registered pipelines by name."""
    from grocery_demand.pipeline_registry import register_pipelines

    return register_pipelines()


@cache
def catalog() -> dict[str, dict[str, Any]]:
    """Return the entries of the catalog by name; those beginning with `_` are YAML's own."""
    return {name: entry for name, entry in configuration()["catalog"].items() if name[0] != "_"}


def entry_of(dataset: str) -> str | None:
    """Return the entry that makes a dataset: its own, or the pattern that it matches."""
    if dataset in catalog():
        return dataset
    for pattern in (name for name in catalog() if "{" in name):
        before, after = pattern.split("{name}")
        if dataset.startswith(before) and dataset.endswith(after):
            return pattern
    return None
