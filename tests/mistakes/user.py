"""A user who makes mistakes, and the ways to describe one.

Whatever a mistake breaks is mended afterwards, so that all of them share a project.
"""

import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from typed_commands import Outcome, type_command

SAMPLE = "data/01_raw/sample"
OUTPUT = "data/07_model_output"
FORECAST = "kedro run --pipeline forecast"
PREPROCESS = "kedro run --pipeline preprocess"
_HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion\n"


class User:
    """Somebody who tries things out.

    Args:
        project: A project that has been run.
        bare: One without data and runs.
        app: A client of the web app on the first.
    """

    def __init__(self, project: Path, bare: Path, app: httpx.Client) -> None:
        self.project, self.bare, self.app = project, bare, app

    def types(self, line: str, folder: Path | None = None, **options: object) -> Outcome:
        return type_command(line.split(), folder or self.project, **options)

    def asks(self, path: str, **query: object) -> Outcome:
        answer = self.app.get(path, params=query)
        return Outcome(answer.status_code, answer.text)

    @contextmanager
    def without(self, name: str) -> Iterator[Path]:
        """Take a file or folder away for a while."""
        path = self.project / name
        safe = self.project / f"safe-{path.name}"
        path.rename(safe)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
            safe.rename(path)

    @contextmanager
    def changed(self, name: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
        """Change the contents of a file for a while."""
        held = (self.project / name).read_bytes()
        with self.without(name) as path:
            path.write_bytes(change(held))
            yield

    @contextmanager
    def arrived(self, name: str, rows: str) -> Iterator[None]:
        """Let a file of new sales arrive, and undo what an update makes of it."""
        kept = ("data/02_intermediate", "data/03_primary", OUTPUT)
        with ExitStack() as undo:
            for folder in kept:
                safe = self.project / f"{folder}.safe"
                shutil.copytree(self.project / folder, safe)
                undo.callback(safe.rename, self.project / folder)
                undo.callback(shutil.rmtree, self.project / folder)
            path = self.project / "data/01_raw/incoming" / name
            path.parent.mkdir(exist_ok=True)
            undo.callback(shutil.rmtree, path.parent)
            path.write_text(_HEADER + rows)
            yield


Make = Callable[[User], Outcome]


@dataclass(frozen=True)
class Mistake:
    """A mistake.

    Attributes:
        make: Makes it; returns how that ended.
        status: The exit status, or status of an answer, that it ends with.
    """

    make: Make
    status: int


MISTAKES: dict[str, Mistake] = {}


def mistake(name: str, status: int = 1) -> Callable[[Make], Make]:
    """Register what makes a mistake under its name, and the status that it ends with."""

    def register(make: Make) -> Make:
        assert name not in MISTAKES, name
        MISTAKES[name] = Mistake(make, status)
        return make

    return register


def typed(name: str, line: str, status: int = 1) -> None:
    """Register a line that is typed where all has been run."""
    mistake(name, status)(lambda user: user.types(line))


def typed_first(name: str, line: str) -> None:
    """Register a line that is typed where nothing has been run."""
    mistake(name)(lambda user: user.types(line, user.bare))


def with_changed(name: str, file: str, change: Callable[[bytes], bytes], line: str) -> None:
    """Register a line that is typed while a file's contents are others."""

    @mistake(name)
    def _(user: User) -> Outcome:
        with user.changed(file, change):
            return user.types(line)


def half(held: bytes) -> bytes:
    return held[: len(held) // 2]


def garbage(_: bytes) -> bytes:
    return b"no such thing\n" * 9


def unpacked(former: str, new: str, times: int = -1) -> Callable[[bytes], bytes]:
    """Return a change of a packed file's text."""

    def change(held: bytes) -> bytes:
        text = gzip.decompress(held).decode().replace(former, new, times)
        return gzip.compress(text.encode(), 1)

    return change


def in_text(former: str, new: str) -> Callable[[bytes], bytes]:
    """Return a change of a file's text."""

    def change(held: bytes) -> bytes:
        assert former.encode() in held
        return held.replace(former.encode(), new.encode())

    return change
