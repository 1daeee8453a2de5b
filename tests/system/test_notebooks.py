"""The notebooks run from start to end in a plain kernel, on a project that was run and asked."""

import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from published import serve

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
QUICK = """
training: {max_training_rows: 20000}
model_settings: {lightgbm: {n_estimators: 12, learning_rate: 0.3}}
gate: {max_nwrmsle: 0.9}
"""
"""Parameters of the project, for its runs and notebooks alike."""

AT_ONCE = 2
FIGURE = "application/vnd.plotly.v1+json"


def execute(notebook: nbformat.NotebookNode, project: Path, **options: object) -> None:
    """Execute a notebook as Jupyter does that was started in the folder of the notebooks."""
    known = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    place = {"metadata": {"path": str(project / "notebooks")}}
    NotebookClient(notebook, kernel_name="python3", resources=place, **options).execute(env=known)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / name, as_version=4)


def code_of(name: str) -> list[str]:
    return [cell.source for cell in read(name).cells if cell.cell_type == "code"]


def outputs_of(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def text_of(notebook: nbformat.NotebookNode) -> str:
    shown = [output for output in outputs_of(notebook) if FIGURE not in output.get("data", {})]
    return "\n".join(output["data"].get("text/html", "") for output in shown if "data" in output)


@pytest.fixture(scope="module")
def fresh(project) -> nbformat.NotebookNode:
    """What all notebooks begin with, in one, executed before anything was run."""
    shutil.copytree(FOLDER, project / "notebooks")
    begun = nbformat.v4.new_notebook()
    begun.cells.append(nbformat.v4.new_code_cell("%load_ext kedro.ipython"))
    for name in NOTEBOOKS:
        imports, loads = code_of(name)[1:3]
        assert "catalog.load" in loads
        begun.cells += [nbformat.v4.new_code_cell(imports), nbformat.v4.new_code_cell(loads)]
    execute(begun, project, allow_errors=True)
    return begun


@pytest.fixture(scope="module")
def prepared(project, fresh, world, kedro) -> Path:
    """The project after a run, with questions that people and programs asked its web app."""
    local = project / "conf" / "local"
    local.mkdir(exist_ok=True)
    (local / "parameters.yml").write_text(QUICK)
    outcome = kedro("run")
    assert outcome.returncode == 0, outcome.stderr
    with serve(project) as app, app.client() as client:
        products = client.get("/api/v1/products").json()["products"]
        day = client.get("/api/v1/model").json()["cutoff"]
        near, far = (str(date.fromisoformat(day) + timedelta(days=ahead)) for ahead in (3, 90))
        asked = [{"date": near, "item_nbr": p["item_nbr"]} for p in products[:5]]
        asked.append({"date": far, "item_nbr": products[0]["item_nbr"]})
        named = {"X-Client-Name": "till 7"}
        answers = client.post("/api/v1/forecasts", json={"requests": asked}, headers=named)
        assert answers.status_code == 200, answers.text
        assert client.get("/prediction?date=soon&item_nbr=1").status_code == 422
    return project


@pytest.fixture(scope="module")
def executed(prepared) -> dict[str, nbformat.NotebookNode]:
    """All notebooks with their outputs, by name."""
    notebooks = {name: read(name) for name in NOTEBOOKS}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda notebook: execute(notebook, prepared), notebooks.values()):
            pass
    return notebooks


def test_before_anything_was_run_a_notebook_says_in_one_line_what_to_run(fresh):
    loading = [cell for cell in fresh.cells[1:] if "catalog.load" in cell.source]
    assert len(loading) == len(NOTEBOOKS)
    for cell in loading:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert len(errors) == 1, cell.source
        assert len(errors[0].traceback) == 1
        assert "`make run`" in errors[0].traceback[0]
        assert "\n" not in errors[0].traceback[0]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_start_to_end_and_shows_tables_and_figures(executed, name):
    notebook = executed[name]
    figures = [o["data"][FIGURE] for o in outputs_of(notebook) if FIGURE in o.get("data", {})]
    assert figures
    assert "<caption>" in text_of(notebook)
    told = [output for cell in notebook.cells[3:] for output in cell.get("outputs", [])]
    assert not [output for output in told if output.output_type == "stream"]
    for figure in figures:
        layout = figure["layout"]
        assert "simulated data" in layout["title"]["subtitle"]["text"]
        axis = layout["yaxis"].get("title", {}), layout["xaxis"].get("title", {})
        assert any(title.get("text") for title in axis) or figure["data"][0]["type"] == "heatmap"
    for caption in re.findall(r"<caption>(.*?)</caption>", text_of(notebook)):
        assert caption.endswith("simulated data")


def test_the_exploration_finds_christmas(executed):
    text = text_of(executed["1-exploration.ipynb"])
    assert "2016-12-25" in text
    assert "Sunday" in text


def test_each_feature_that_is_tried_is_kept_or_dropped(executed):
    text = text_of(executed["2-feature-engineering.ipynb"])
    assert re.search(r"(keep|drop) rivals_on_promotion", text)
    assert re.search(r"(keep|drop) onpromotion\*", text)


def test_the_runs_are_those_of_the_project(executed):
    text = text_of(executed["3-comparing-runs.ipynb"])
    assert "challenger, champion" in text


def test_the_forecast_that_is_explained_is_one_on_promotion(executed):
    text = text_of(executed["4-explaining-a-forecast.ipynb"])
    assert "promotion" in text
    assert "not on promotion" in text


def test_the_events_are_those_that_were_asked_for(executed):
    notebook = executed["5-querying-events.ipynb"]
    text = text_of(notebook)
    assert "16.7%" in text
    assert "1 (14.3% of all)" in text
    bars = [
        o["data"][FIGURE]["data"][0] for o in outputs_of(notebook) if FIGURE in o.get("data", {})
    ]
    assert any("till 7" in bar["y"] for bar in bars if "y" in bar)
