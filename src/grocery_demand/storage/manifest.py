"""What a manifest says of something in parts, and how it is refused."""

import json
from typing import Any

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.storage.place import Place

SHARED = (
    "Workers and driver have to reach the same folder by this name: name a shared one in "
    "conf/cluster/globals.yml, or s3://bucket/prefix."
)
"""What to do about a part that one of them does not find."""


class PartedPlaceError(GroceryDemandError):
    """What should lie in parts is not there, incomplete or of another version."""


def read_manifest(
    place: Place, name: str, marker: tuple[str, int], thing: str, mend: str
) -> dict[str, Any]:
    """Return what stands in a place.

    Args:
        place: Where it lies.
        name: Of the manifest's file.
        marker: Format and version that this program reads.
        thing: What it is, for messages.
        mend: How to make it.

    Raises:
        PartedPlaceError: If there is none, or of another version of this program.
    """
    where = f"{place.uri}/{name}"
    try:
        manifest = json.loads(place.read(name))
        found = manifest["format"], manifest["version"]
    except FileNotFoundError:
        raise PartedPlaceError(f"There is no {thing} in {place.uri}. {mend}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise PartedPlaceError(f"{where} does not describe a {thing}: {error!r}. {mend}") from error
    if found != marker:
        raise PartedPlaceError(
            f"{where} says {found[0]!r}, version {found[1]!r}; this program reads {marker[0]!r}, "
            f"version {marker[1]}. {mend}"
        )
    return dict(manifest)


def write_manifest(
    place: Place, name: str, marker: tuple[str, int], contents: dict[str, Any]
) -> None:
    """Write a manifest; what it names stands from then on."""
    described = {"format": marker[0], "version": marker[1]} | contents
    place.put(name, json.dumps(described, indent=2).encode() + b"\n")
