"""Which version of the data a run reads, by the name that DVC gives it.

Only DVC's files are read, so that DVC need not be installed.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

RAW = "raw"
PANEL = "panel"

_PANEL = PurePosixPath("data/03_primary/panel")
_BLOCK = 1 << 20


def describe_data_version(project: Path, raw_dir: str, reads: Iterable[str]) -> dict[str, str]:
    """Return tags for the versions of what a run reads; none outside of DVC.

    `dvc_data` is the raw folder's version: worked out from its files if the run reads them, else
    what the lock says of the panel that the run reads, which is `dvc_panel`. `dvc_data_kept_by`
    says who keeps the raw files of that version: `dvc`, `git` or `nobody`.

    Args:
        project: The project's folder.
        raw_dir: The folder of raw files, seen from there; one elsewhere has no version.
        reads: `raw`, `panel` or both.
    """
    if not (project / ".dvc" / "config").is_file():
        return {}
    tags = _describe_panel(project, raw_dir) if PANEL in reads else {}
    folder = project / raw_dir
    is_inside = folder.is_dir() and folder.resolve().is_relative_to(project.resolve())
    if RAW in reads and raw_dir and is_inside:
        tags["dvc_data"] = version_of(folder)
    if "dvc_data" in tags:
        tags["dvc_data_kept_by"] = _find_keeper(folder, tags["dvc_data"])
    return tags


def version_of(folder: Path) -> str:
    """Return the MD5 of a folder as DVC counts it: that of the list of its files and their MD5."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = sorted((name, path) for name, path in paths.items() if path.is_file())
    text = json.dumps([{"md5": _digest(path), "relpath": name} for name, path in files])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() + ".dir"


def _digest(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _describe_panel(project: Path, raw_dir: str) -> dict[str, str]:
    """Return the panel's version and that of the raw files it was made of, if the lock has them."""
    stages = _read(project / "dvc.lock").get("stages") or {}
    for stage in stages.values():
        made = _find_entry(stage, "outs", _PANEL)
        if made and _is_version(project / _PANEL, made):
            read = _find_entry(stage, "deps", PurePosixPath(raw_dir))
            return {"dvc_panel": made["md5"]} | ({"dvc_data": read["md5"]} if "md5" in read else {})
    return {}


def _find_entry(stage: dict[str, Any], kind: str, path: PurePosixPath) -> dict[str, Any]:
    """Return what the lock says of a file that a stage reads or makes; nothing if it does not."""
    return next((entry for entry in stage.get(kind) or [] if entry.get("path") == str(path)), {})


def _is_version(folder: Path, entry: dict[str, Any]) -> bool:
    """Tell whether a folder is of the version; its size is compared first, as that is quick."""
    if not folder.is_dir() or _size(folder) != entry.get("size"):
        return False
    return version_of(folder) == entry.get("md5")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _find_keeper(folder: Path, version: str) -> str:
    """Return `dvc` or `git` if it holds this version, `nobody` otherwise."""
    tracked = _read(folder.with_name(f"{folder.name}.dvc")).get("outs") or []
    if tracked:
        return "dvc" if tracked[0].get("md5") == version else "nobody"
    known = _ask_git(folder, "ls-files")
    changed = _ask_git(folder, "status", "--porcelain", "--ignored")
    return "git" if known and changed == "" else "nobody"


def _ask_git(folder: Path, *arguments: str) -> str | None:
    command = ["git", *arguments, "--", "."]
    try:
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of DVC says; nothing if it is not there or damaged."""
    try:
        contents = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return contents if isinstance(contents, dict) else {}
