"""Refuses `--params` whose first name nobody knows, before anything runs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.parameters import suggestion

_RUNTIME_NAME = re.compile(r"\$\{runtime_params:\s*([\w-]+)")


class ParameterNamesHook:
    """Checks the names of run-time parameters; Kedro itself takes any, and nobody reads them."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse a name that is no group of parameters and is read by no configuration file.

        Raises:
            ParameterError: With the known names, and the one that may be meant.
        """
        loader = context.config_loader
        given = loader.runtime_params or {}
        known = sorted({*_group_names(loader), *_runtime_names(Path(loader.conf_source))})
        for name in given:
            if name not in known:
                raise ParameterError(
                    f"Unknown parameter `{name}` in --params{suggestion(name, known)}. "
                    f"Known: {', '.join(known)}."
                )


def _group_names(loader: AbstractConfigLoader) -> Iterable[str]:
    """Return the groups in parameters.yml; what was given at run time is left out."""
    given: dict[str, Any] = loader.runtime_params or {}
    loader.runtime_params = {}
    try:
        return list(loader["parameters"])
    except MissingConfigException:
        return []
    finally:
        loader.runtime_params = given


def _runtime_names(conf: Path) -> Iterable[str]:
    """Return the names that configuration files read by `${runtime_params:name,default}`."""
    for path in conf.glob("**/*.yml"):
        yield from _RUNTIME_NAME.findall(path.read_text(encoding="utf-8"))
