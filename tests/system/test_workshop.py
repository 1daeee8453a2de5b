"""The workshop's pages: every command is typed in one clone, in order, and says what is shown.

So that it takes minutes less, the clone's conf/local has fewer rows and trees, the release leaves
out its checks, and the app has a free port. Nothing else differs from what a reader does. The
pages are one story.
"""

import os
import shutil
from pathlib import Path

import pytest

from clones import environment, link_environments, make_repository, run
from console_pages import Step, Terminal, find_difference, read_steps
from grocery_demand.serving.handover import find_running
from make_targets import ROOT
from pages import find_blocks
from ports import free_port

FOLDER = ROOT / "docs" / "workshop"
PAGES = sorted(FOLDER.glob("[1-5]-*.md"))
PORT = "5005"
FEWER_ROWS = """
training: {max_training_rows: 30000, max_backtest_rows: 300000, max_long_range_rows: 3000,
           backtest_folds: 2, backtest_fits: 1}
model_settings: {lightgbm: {n_estimators: 60}}
gate: {champion_tolerance: 0.02, max_slice_loss: 1}
"""

needs_programs = pytest.mark.skipif(
    not (ROOT / ".tools/bin/dvc").exists() or shutil.which("curl") is None,
    reason="The pages need DVC (set up by `make tools`) and curl (Debian's package of this name)",
)


class Reader:
    """Types what the pages say, beginning in a fresh repository."""

    def __init__(self, folder: Path, port: str) -> None:
        self.repository = make_repository(folder / "repository", small=False)
        self.clone = folder / "workshop"
        self.port = port

    def read(self, page: Path) -> None:
        """Type all commands of a page, until one does not do what is shown."""
        folder = self.clone if self.clone.exists() else self.repository
        with Terminal(folder, self._variables()) as terminal:
            for step in read_steps(page):
                self._type(step, terminal)

    def _type(self, step: Step, terminal: Terminal) -> None:
        said, status = terminal.type(step.command.replace(PORT, self.port))
        told = f"{step.place}\n$ {step.command}\n{said}"
        assert status == step.status, f"{told}\nended with status {status}, not {step.status}"
        missing = find_difference(step.shown, said)
        assert not missing, f"{told}\nshould have said:\n{missing}"
        if step.command.startswith("git clone") and not (self.clone / ".venv").exists():
            link_environments(self.clone)
            (self.clone / "conf/local/parameters.yml").write_text(FEWER_ROWS)

    def _variables(self) -> dict[str, str]:
        others = {"GROCERY_DEMAND_PORT": self.port, "CHECKS": "none", "PYTHONUNBUFFERED": "1"}
        return environment(self.clone, **others)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A reader with a free port; the app that is left running is stopped at the end."""
    reader = Reader(tmp_path_factory.mktemp("workshop"), str(free_port()))
    yield reader
    if find_running(reader.clone / "build/deploy"):
        run(["make", "stop"], reader.clone)


@needs_programs
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_exercise_does_what_is_shown(page, reader):
    reader.read(page)


def test_there_are_five_exercises_and_all_of_their_blocks_are_typed():
    assert [page.name[0] for page in PAGES] == list("12345")
    for page in FOLDER.glob("*.md"):
        blocks = find_blocks(page.read_text(encoding="utf-8"))
        assert {block.language for block in blocks} <= {"console"}, page.name


def test_the_smaller_loop_is_handed_to_the_rehearsal():
    """It takes minutes, so the page names it in its text; the test of the closed loop plays it."""
    typed = ["make", "--dry-run", "loop", "DAYS=10", "STORES=5", "ITEMS=100"]
    said = run([*typed, "--assume-old=.venv/ready"], ROOT).stdout.split()
    options = ["--quiet-days", "10", "--recovered-days", "10", "--stores", "5", "--items", "100"]
    assert [word for word in said if word in options] == options


SAID = "Reading …\n\nRead 1,234 rows\nScore 0.5799, in run 0a1b2c, \nNext: nothing\n"


@pytest.mark.parametrize(
    "shown",
    [
        (),
        ("…",),
        ("…", "Read 99 rows", "…"),
        ("…", "Score 0.61, in run …,", "Next: nothing"),
        ("Reading …", "Read 12 rows", "…", "Next: …"),
    ],
)
def test_what_is_said_agrees_with_what_is_shown_but_for_numbers(shown):
    assert find_difference(shown, SAID) == ""


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (("…", "Read 99 lines", "…"), "Read 99 lines"),
        (("Read 1,234 rows", "…"), "Read 1,234 rows"),
        (("…", "Read 1,234 rows", "Next: nothing"), "Read 1,234 rows\nNext: nothing"),
        (("…", "Next: nothing", "…", "Read 1,234 rows", "…"), "Read 1,234 rows"),
        (("…", "Score 0.5799, in run …,"), "the end, but there is more: Next: nothing"),
    ],
)
def test_what_is_not_said_as_shown_is_noticed(shown, missing):
    assert find_difference(shown, SAID) == missing


def test_a_command_that_does_not_end_is_killed_with_all_that_it_started(tmp_path):
    with Terminal(tmp_path, {"PATH": os.environ["PATH"]}) as terminal:
        assert terminal.type("echo one; false") == ("one\n\n", 1)
        with pytest.raises(AssertionError, match="The shell ended at: sleep 60"):
            terminal.type("sleep 60 & echo two; wait", seconds=0.5)


def test_a_failing_command_is_read_with_its_exit_status(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Type\n\n```console\n$ false\n(exit status 1)\n$ echo 1\n2\n```\n")
    first, second = read_steps(page)
    assert first == Step("page.md:4", "false", (), 1)
    assert second == Step("page.md:6", "echo 1", ("2",), 0)
