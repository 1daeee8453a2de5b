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
    taken from the lock, if that knows the panel which the run reads. `dvc_data_kept_by` says who
    keeps that version: `dvc`, `git` or `nobody`. `dvc_panel` is the version of the panel.

    Args:
        project: The project's folder.
        raw_dir: The folder of raw files, seen from there; one elsewhere has no version.
        reads: `raw`, `panel` or both.
    """
    folder, reads = project / raw_dir, set(reads)
    if not (project / ".dvc" / "config").is_file():
        return {}
    tags = {}
    if PANEL in reads and (project / _PANEL).is_dir():
        tags["dvc_panel"] = version_of(project / _PANEL)
    if not raw_dir or not folder.resolve().is_relative_to(project.resolve()):
        return tags
    is_read = RAW in reads and folder.is_dir()
    version = version_of(folder) if is_read else _find_raw(project, raw_dir, tags.get("dvc_panel"))
    if version is None:
        return tags
    return tags | {"dvc_data": version, "dvc_data_kept_by": _find_keeper(folder, version)}


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


def _find_raw(project: Path, raw_dir: str, panel: str | None) -> str | None:
    """Return the raw folder's version that the lock has for this very panel."""
    stages = _read(project / "dvc.lock").get("stages") or {}
    for stage in stages.values():
        made = {entry["path"]: entry.get("md5") for entry in stage.get("outs", [])}
        if panel is not None and made.get(str(_PANEL)) == panel:
            read = {entry["path"]: entry.get("md5") for entry in stage.get("deps", [])}
            return read.get(str(PurePosixPath(raw_dir)))
    return None


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
