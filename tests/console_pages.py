"""Pages of commands and what is seen then: reading them, typing them, comparing."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer

from pages import find_blocks

LEFT_OUT = "…"
_STATUS = re.compile(r"\(exit status (\d+)\)")
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_DONE = "@@ typed @@"
LONGEST = 600.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Step:
    """A command of a page.

    Attributes:
        place: File and line.
        command: As it is typed.
        shown: The lines that the page shows below it.
        status: The exit status that the page tells of; 0 if it tells of none.
    """

    place: str
    command: str
    shown: tuple[str, ...] = ()
    status: int = 0


def read_steps(page: Path) -> list[Step]:
    """Return the commands of all console blocks: lines that begin with `$`, what follows is shown.

    A line `(exit status N)` says that the command ends with N; without it, it has to succeed.
    """
    steps: list[Step] = []
    for block in find_blocks(page.read_text(encoding="utf-8")):
        if block.language != "console":
            continue
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            if line.startswith("$ "):
                steps.append(Step(f"{page.name}:{number}", line.removeprefix("$ ")))
            elif told := _STATUS.fullmatch(line):
                steps[-1] = replace(steps[-1], status=int(told[1]))
            elif line.strip():
                steps[-1] = replace(steps[-1], shown=(*steps[-1].shown, line))
    return steps


def find_difference(shown: tuple[str, ...], said: str) -> str:
    """Return the first lines shown that were not said; nothing if all were.

    Numbers and spaces may differ. `…` stands for anything in its line; a line of its own, for any
    lines. What a page shows nothing of may say anything.
    """
    if not shown:
        return ""
    lines = [line for line in said.splitlines() if line.strip()]
    at, anywhere = 0, False
    for part in _split(shown):
        if part == [LEFT_OUT]:
            anywhere = True
            continue
        starts = range(at, len(lines) if anywhere else at + 1)
        found = next((start for start in starts if _is_at(part, lines, start)), None)
        if found is None:
            return "\n".join(part)
        at, anywhere = found + len(part), False
    left = lines[at:]
    return "" if anywhere or not left else f"the end, but there is more: {left[0]}"


def _split(shown: tuple[str, ...]) -> list[list[str]]:
    """Part the lines at those that stand for any lines."""
    parts: list[list[str]] = []
    for line in shown:
        if line.strip() == LEFT_OUT or not parts or parts[-1] == [LEFT_OUT]:
            parts.append([line.strip() if line.strip() == LEFT_OUT else line])
        else:
            parts[-1].append(line)
    return parts


def _is_at(part: list[str], lines: list[str], start: int) -> bool:
    there = lines[start : start + len(part)]
    return len(there) == len(part) and all(map(_agrees, part, there))


def _agrees(shown: str, said: str) -> bool:
    texts = [re.escape(_shape(text)) for text in shown.split(LEFT_OUT)]
    return re.fullmatch(".*".join(texts), _shape(said)) is not None


def _shape(text: str) -> str:
    """Return a line with a 0 for each number and one space for several."""
    return re.sub(r"\s+", " ", _NUMBER.sub("0", text)).strip()


class Terminal:
    """A shell in which one command is typed after the other.

    Args:
        folder: Where it begins.
        environment: All of its variables.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()

    def type(self, command: str, seconds: float = LONGEST) -> tuple[str, int]:
        """Return what the command says, and its exit status.

        The shell is killed, with all that it runs, if the command takes longer than is allowed.
        """
        limit = Timer(seconds, self._kill)
        limit.start()
        try:
            self._shell.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{_DONE}%d\\n' $?\n")
            self._shell.stdin.flush()
            said = []
            for line in self._shell.stdout:
                if line.startswith(_DONE):
                    return "".join(said), int(line.removeprefix(_DONE))
                said.append(line)
        finally:
            limit.cancel()
        raise AssertionError(f"The shell ended at: {command}{os.linesep}{''.join(said)}")

    def _kill(self) -> None:
        os.killpg(self._shell.pid, signal.SIGKILL)
