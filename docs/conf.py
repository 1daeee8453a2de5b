"""How the documentation site is built: `make docs`, by Sphinx and MyST.

The source folder is the project's, so that a link between pages, to a notebook or to a file of
the code reads the same here, in an editor and on a site that shows the repository.
"""

import os
import sys
from pathlib import Path

_DOCS = Path(__file__).parent
sys.path[:0] = [str(_DOCS / "extensions"), str(_DOCS.parent / "src")]

project = "Grocery demand"
author = "the Grocery demand project"
language = "en"
root_doc = "docs/index"

include_patterns = [
    "docs/**.md",
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "benchmarks/README.md",
    "benchmarks/results/*.md",
    "CHANGELOG.md",
]
exclude_patterns = [".venv", ".tools", ".git", "build", "src", "tests", "mlartifacts", "mlruns"]

extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "generated_text",
    "mathml",
    "start_page",
]

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
nb_execution_mode = "force" if os.environ.get("NOTEBOOKS") == "run" else "off"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_ipywidgets_js = {}

# A shell prompt or an ellipsis is no syntax that anybody would want highlighted.
highlight_language = "none"
# Of a block with prompts only the commands are copied.
copybutton_prompt_text = "$ "
linkcheck_ignore = [r"http://(127\.0\.0\.1|localhost).*"]
linkcheck_timeout = 20

html_theme = "furo"
html_title = "Grocery demand"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {"navigation_with_keys": True}
templates_path: list[str] = []
