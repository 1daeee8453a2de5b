"""Takes over a publication that was made elsewhere, such as by another pipeline's agent."""

import shutil
from pathlib import Path

from grocery_demand.storage.atomic import whole_file, whole_folder
from grocery_demand.storage.pointer import POINTER, Pointer, read_pointer
from grocery_demand.storage.publication import read_publication


def copy_publication(source: Path, target: Path) -> Pointer:
    """Copy what a folder publishes; an app that follows the target goes on meanwhile.

    A target that was published later is left as it is: a rollback or a canary of then must not be
    undone by an older champion that is delivered once more.

    Args:
        source: Folder of publications, as `kedro run --pipeline publish` leaves it.
        target: The folder that the app follows.

    Returns:
        What is published now.

    Raises:
        PublicationError: If nothing is published in the source, or it is damaged.
    """
    pointer = read_publication(source).pointer
    if (target / POINTER).is_file():
        standing = read_pointer(target)
        if standing.published_at > pointer.published_at:
            return standing
    for part in sorted(source.glob("*/*")):
        if part.is_dir() and not part.name.startswith("."):
            with whole_folder(target / part.relative_to(source)) as beside:
                shutil.copytree(part, beside, dirs_exist_ok=True)
    with whole_file(target / POINTER) as beside:
        shutil.copyfile(source / POINTER, beside)
    return pointer
