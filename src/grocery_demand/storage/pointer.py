"""The pointer of a publication: what is to be served, in one file that is replaced as a whole."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.rollout import Rollout, RolloutError
from grocery_demand.storage.atomic import whole_file

POINTER = "current.json"
FORMAT = "grocery-demand publication"
VERSION = 1
MEND = "Publish it with `kedro run --pipeline publish`."

_LEFT_OUT_IF_EMPTY = ("challenger", "rollouts")


class PublicationError(GroceryDemandError):
    """Nothing is published, or what is published cannot be read."""


@dataclass(frozen=True)
class Pointer:
    """Which models and which panel are to be served, and what is known of other versions.

    Attributes:
        model_name: Name of the registered model.
        model_version: Number of the champion's version in the registry.
        run_id: MLflow run that made it, if one did.
        panel: Name of the panel's folder.
        cutoff: Last day with sales in that panel, ISO date.
        published_at: When, ISO in UTC.
        history: Every change of the champion, the oldest first; see `ChampionChange`.
        versions: Versions of the model with their scores, the newest first.
        challenger: The challenger that is served beside the champion; None if none is.
        rollouts: Every change of what challenger is served, the oldest first; see `RolloutChange`.
    """

    model_name: str
    model_version: int
    run_id: str | None
    panel: str
    cutoff: str
    published_at: str
    history: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    challenger: Rollout | None = None
    rollouts: list[dict[str, Any]] = field(default_factory=list)


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Put a pointer in the place of the former one.

    What an earlier web app does not know is left out where it is empty, so that it reads the rest.
    """
    contents = {"format": FORMAT, "version": VERSION} | asdict(pointer)
    for name in _LEFT_OUT_IF_EMPTY:
        if not contents[name]:
            del contents[name]
    with whole_file(folder / POINTER) as beside:
        beside.write_text(json.dumps(contents, indent=1, allow_nan=False), encoding="utf-8")


def read_pointer(folder: Path) -> Pointer:
    """Return what is to be served.

    Raises:
        PublicationError: If nothing is published or the pointer cannot be read.
    """
    path = folder / POINTER
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        if (contents.pop("format"), contents.pop("version")) != (FORMAT, VERSION):
            raise ValueError(f"it is not of format {FORMAT!r}, version {VERSION}")
        challenger = contents.pop("challenger", None)
        return Pointer(**contents, challenger=Rollout(**challenger) if challenger else None)
    except FileNotFoundError:
        raise PublicationError(
            f"No champion is published in {folder}. Train one with `kedro run`, or, if there is "
            f"one: {MEND[0].lower()}{MEND[1:]}"
        ) from None
    except (KeyError, TypeError, ValueError, RolloutError) as error:
        raise PublicationError(f"{path} cannot be read: {error}. {MEND}") from error
