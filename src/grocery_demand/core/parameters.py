"""Typed parameters: checked before any node runs, with errors that name the mend."""

import dataclasses
import difflib
import typing
from collections.abc import Callable, Collection
from typing import Any, dataclass_transform

from grocery_demand.core.errors import ParameterError


@dataclass_transform(frozen_default=True, kw_only_default=True)
def parameters(group: str) -> Callable[[type], type]:
    """Make a class a frozen dataclass whose construction refuses wrong names and types.

    Args:
        group: The name of the group in `parameters.yml`, used in messages.

    Raises:
        ParameterError: On construction, naming the parameter, the value and what is allowed.
    """

    def decorate(cls: type) -> type:
        kind: Any = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        generated_init = kind.__init__

        def checked_init(self: Any, **values: Any) -> None:
            _refuse_unknown_names(group, kind, values)
            types = typing.get_type_hints(kind)
            generated_init(self, **{k: _typed(group, k, v, types[k]) for k, v in values.items()})

        kind.__init__ = checked_init
        return kind

    return decorate


def require(condition: bool, name: str, value: object, allowed: str) -> None:
    """Raise a `ParameterError` that names the parameter and what is allowed."""
    if not condition:
        raise ParameterError(f"Parameter `{name}` is {value!r}; allowed: {allowed}.")


def require_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise a `ParameterError` unless the value is one of the choices."""
    require(value in choices, name, value, ", ".join(choices) + suggestion(value, choices))


def suggestion(word: str, known: Collection[str]) -> str:
    """Return ` (did you mean …?)` for a word close to a known one, else an empty string."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _refuse_unknown_names(group: str, kind: type, values: dict[str, Any]) -> None:
    fields = dataclasses.fields(kind)
    known = [field.name for field in fields]
    for name in values:
        if name not in known:
            raise ParameterError(
                f"Unknown parameter `{group}.{name}`{suggestion(name, known)}. "
                f"Known in `{group}`: {', '.join(known)}."
            )
    required = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    missing = [name for name in required if name not in values]
    if missing:
        raise ParameterError(
            f"Parameter `{group}.{missing[0]}` is missing; set it in conf/base/parameters.yml "
            f"or with --params {group}.{missing[0]}=…"
        )


def _typed(group: str, name: str, value: Any, expected: Any) -> Any:
    """Return the value, an int widened to float where a float is asked for."""
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    kinds = tuple(typing.get_origin(k) or k for k in typing.get_args(expected) or [expected])
    if typing.get_origin(expected) in (dict, list, tuple):
        kinds = (typing.get_origin(expected),)
    wrong_bool = isinstance(value, bool) and bool not in kinds
    if wrong_bool or not isinstance(value, kinds):
        wanted = " or ".join(getattr(k, "__name__", str(k)) for k in kinds)
        wanted += f", such as [{value}]" if kinds == (list,) else ""
        raise ParameterError(
            f"Parameter `{group}.{name}` is {value!r} ({type(value).__name__}); "
            f"allowed: a value of type {wanted}."
        )
    return value
