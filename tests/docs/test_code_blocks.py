"""What pages show as code is code of that language."""

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from make_targets import ROOT
from pages import Block, find_blocks, find_pages, read_page


def fault_of(block: Block) -> str:
    """Return what is wrong with a block; nothing if it parses or is of no language known here."""
    try:
        if block.language == "python":
            ast.parse(block.text)
        elif block.language in ("yaml", "yml"):
            list(yaml.safe_load_all(block.text))
        elif block.language == "json":
            json.loads(block.text)
        elif block.language in ("bash", "sh"):
            read = subprocess.run(
                ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
            )
            return read.stderr.strip()
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("path", find_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_of_code_parse(path: Path):
    blocks = find_blocks(read_page(path))
    assert {f"line {b.line}": fault_of(b) for b in blocks if fault_of(b)} == {}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "def f(:"),
        ("yaml", "a: [1"),
        ("json", "{'a': 1}"),
        ("bash", "if true; then"),
    ],
)
def test_a_block_with_a_mistake_is_found(language, text):
    assert fault_of(Block(1, language, text))
