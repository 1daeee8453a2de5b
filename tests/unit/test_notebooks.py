"""What is committed as notebooks: text and short cells, no outputs, no logic."""

import ast
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))

LOGIC = (
    ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.IfExp, ast.Try,
    ast.With,
)  # fmt: skip
READERS = re.compile(r"\b(read_\w+|scan_\w+|open|Path|connect|MlflowClient)\(")


@pytest.fixture(params=NOTEBOOKS)
def notebook(request) -> dict:
    return json.loads((FOLDER / request.param).read_text(encoding="utf-8"))


def sources_of(notebook: dict, kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_there_are_the_five_that_the_readme_names():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 5
    assert sorted(set(re.findall(r"\]\((\d-[\w-]+\.ipynb)\)", readme))) == NOTEBOOKS


def test_nothing_that_a_run_left_behind_is_committed(notebook):
    for cell in notebook["cells"]:
        assert "outputs" not in cell or cell["outputs"] == []
        assert cell.get("execution_count") is None
        assert cell["metadata"].keys() <= {"tags"}


def test_a_single_title_stands_first_and_headings_lie_below_it(notebook):
    assert notebook["cells"][0]["cell_type"] == "markdown"
    text = "\n".join(sources_of(notebook, "markdown"))
    levels = [len(found) for found in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1
    assert len(levels) > 3
    assert set(levels[1:]) == {2}


def test_the_first_cell_finds_the_project_and_needs_no_other_set_up(notebook):
    code = sources_of(notebook, "code")
    assert code[0] == "%load_ext kedro.ipython"
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert first["metadata"] == {"tags": ["remove-output"]}, "what it logs is not for readers"
    assert not any(line.startswith(("%", "!")) for cell in code[1:] for line in cell.split("\n"))


def test_everything_is_loaded_through_the_catalog(notebook):
    code = "\n".join(sources_of(notebook, "code"))
    assert "catalog.load(" in code
    assert not READERS.search(code)


def test_logic_lies_in_the_package(notebook):
    for cell in sources_of(notebook, "code")[1:]:
        assert not [node for node in ast.walk(ast.parse(cell)) if isinstance(node, LOGIC)], cell


def test_the_text_states_no_result_that_a_cell_has_to_compute(notebook):
    """Numbers in the text are settings, dates of the calendar and names, never measurements."""
    text = re.sub(
        r"`[^`]*`|\([^)]*\)|\[[^]]*\]|1 \+ units", "", "\n".join(sources_of(notebook, "markdown"))
    )
    assert not re.findall(r"\d+[.,]\d+|\d+ %(?! interval)|\d{3,}", text)


def test_a_cell_is_short(notebook):
    assert max(cell.count("\n") + 1 for cell in sources_of(notebook, "code")) <= 16
