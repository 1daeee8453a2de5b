"""Whether a model can be fitted with the settings it is given, found before hours are spent."""

import re
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor
from lightgbm.basic import LightGBMError

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.models import fit_model, needs_fitting
from grocery_demand.core.models.fit_plan import OWN_SETTINGS
from grocery_demand.core.models.gradient_boosted import LightGBM
from grocery_demand.core.parameters import require, suggestion

_ROWS, _FEATURES = 64, ("a", "b")
_PARAMETER = re.compile(r"^\[(\w+): ", re.MULTILINE)
"""A line of LightGBM's model text, which lists all parameters that it knows."""


def require_settings(name: str, settings: dict[str, Any]) -> None:
    """Fit a small model on made-up rows, so that the library says what it does not accept.

    Args:
        name: One of `core.models.MODELS`.
        settings: The library's own parameters, as in `model_settings`.

    Raises:
        ParameterError: If a name is unknown or a value is not allowed, naming them.
    """
    if not needs_fitting(name):
        return
    if name == "lightgbm":
        for own in OWN_SETTINGS & settings.keys():
            allowed = "a whole number from 1"
            require(_is_count(settings[own]), _path(name, own), settings[own], allowed)
    few = {"n_estimators": 1} if _is_count(settings.get("n_estimators")) else {}
    try:
        model = _fit(name, settings | few)
    except (ValueError, TypeError, LightGBMError) as error:
        first = str(error).strip().splitlines()[0].split(" at /")[0]
        raise ParameterError(
            f"`model_settings.{name}` in conf/base/parameters.yml, or what --params put there, "
            f"cannot be used: {first} (given: {settings})"
        ) from error
    if isinstance(model, LightGBM):
        known = _names_of_lightgbm(model) | OWN_SETTINGS
        for given in sorted(settings.keys() - known):
            raise ParameterError(
                f"`{_path(name, given)}` is no parameter of this model{suggestion(given, known)}: "
                "it takes LightGBM's, by their first names or those of LGBMRegressor, and "
                f"{', '.join(sorted(OWN_SETTINGS))}."
            )


def _names_of_lightgbm(model: LightGBM) -> set[str]:
    """Return its parameters but for the number of trees, which is `n_estimators` here."""
    names = set(_PARAMETER.findall(model.booster_texts[0])) | set(LGBMRegressor().get_params())
    return names - {"num_iterations"}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _fit(name: str, settings: dict[str, Any]) -> Any:
    generator = np.random.default_rng(0)
    matrix = generator.random((_ROWS, len(_FEATURES)), np.float32)
    target = generator.random(_ROWS, np.float32)
    weight = np.ones(_ROWS, np.float32)
    return fit_model(name, _FEATURES, matrix, target, weight, settings, seed=0)


def _path(model: str, name: str) -> str:
    return f"model_settings.{model}.{name}"
