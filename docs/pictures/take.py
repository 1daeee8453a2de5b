"""Takes the pictures of the README again: real commands, real servers, a real browser.

    python docs/pictures/take.py                    # plays the story first, in a copy: some minutes
    python docs/pictures/take.py --project FOLDER   # of a project where it was played before

The sales are the simulated sample's. Chromium is needed (Debian's package `chromium`).
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
from chromium import OPTIONS, find_chromium
from playwright.sync_api import Page, sync_playwright

from grocery_demand.rehearsal.copy import copy_project, leave_shared_services
from grocery_demand.rehearsal.web_app import run_web_app

ROOT = Path(__file__).parents[2]
SAMPLE = Path("data/01_raw/sample")
FORECASTS = Path("data/07_model_output/forecasts.parquet")
MONITOR = "run --pipeline monitor"
STORY = [
    "run",
    "run --pipeline fit --params training.model=moving_average",
    "run --pipeline simulate_days --params simulation.end_date=2017-06-14",
    "run --pipeline update",
]
"""What is typed after `kedro` before the pictures are taken; buyers ask after the first line."""

QUESTIONS = 300
DAYS_AHEAD = 7
WIDTH = 1280
QUALITY = 82
SCORES = "^(nwrmsle|r2_score|wape|bias|coverage|pinball_loss)$"
WAIT_MS = 60_000
WAIT_SECONDS = 60


def main() -> None:
    """Play the story if need be; take every picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--project", type=Path, help="a project where the story was played before")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where they go")
    parser.add_argument("--only", choices=PICTURES, nargs="+", default=list(PICTURES))
    given = parser.parse_args()
    leave_shared_services()
    with tempfile.TemporaryDirectory() as folder:
        project = given.project or play_story(Path(folder) / "grocery-demand")
        take_pictures(project.resolve(), given.out, given.only)


def play_story(project: Path) -> Path:
    """Run the loop on the sample in a copy, let buyers ask and days pass, and monitor."""
    copy_project(ROOT, project)
    shutil.copytree(ROOT / SAMPLE, project / SAMPLE)
    for number, typed in enumerate(STORY):
        type_kedro(project, typed)
        if number == 0:
            ask_as_buyers(project)
    ask_as_buyers(project)
    type_kedro(project, MONITOR)
    return project


def type_kedro(project: Path, typed: str) -> None:
    """Run a kedro command in a project."""
    print(f"kedro {typed}")
    subprocess.run([sys.executable, "-m", "kedro", *typed.split()], cwd=project, check=True)


def ask_as_buyers(project: Path) -> None:
    """Ask the web app of a project for forecasts, so that there are events."""
    with run_web_app(project) as app:
        app.ask(pd.read_parquet(project / FORECASTS), QUESTIONS, seed=1)


def take_pictures(project: Path, out: Path, names: Sequence[str]) -> None:
    """Take pictures of a project, each as a WebP file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        for name in names:
            height, scale, take = PICTURES[name]
            page = browser.new_page(
                viewport={"width": WIDTH, "height": height},
                device_scale_factor=scale,
                locale="en-GB",
            )
            page.set_default_timeout(WAIT_MS)
            take(page, project, lambda page=page, name=name: keep(page, out / f"{name}.webp"))
            page.close()
        browser.close()


def keep(page: Page, path: Path) -> None:
    """Write what a page shows to a file."""
    asked = {"format": "webp", "quality": QUALITY}
    shown = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    path.write_bytes(b64decode(shown["data"]))
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def show_forecast(page: Page, project: Path, done: Callable[[], None]) -> None:
    """Ask the buyer's page for the product that sells most, a week ahead."""
    forecasts = pd.read_parquet(project / FORECASTS)
    asked = forecasts[forecasts["step"] == DAYS_AHEAD].nlargest(1, "point").iloc[0]
    with run_web_app(project) as app:
        page.goto(
            f"{app.url}/?item_nbr={asked['item_nbr']}&store_nbr={asked['store_nbr']}"
            f"&date={asked['date']:%Y-%m-%d}"
        )
        page.wait_for_selector(".answer svg")
        done()


def show_monitoring(page: Page, project: Path, done: Callable[[], None]) -> None:
    """Open the page that says what to do with the model."""
    with run_web_app(project) as app:
        page.goto(f"{app.url}/monitoring")
        page.wait_for_selector(".advice")
        done()


def show_lineage(page: Page, project: Path, done: Callable[[], None]) -> None:
    """Open the whole loop in kedro-viz, with the panel of sales beside the graph."""
    state = "{showFeatureHints: false, visible: {sidebar: false, miniMap: false, slicing: false}}"
    page.add_init_script(f"localStorage.setItem('KedroViz', JSON.stringify({state}))")
    with start_server(project, "kedro", "viz", "run", "--no-browser", "--port") as url:
        page.goto(f"{url}/?pid=__default__")
        page.locator(".pipeline-node", has_text="panel").click()
        page.get_by_text("Expand preview").wait_for()
        for reminder in page.get_by_role("button", name="Dismiss").all():
            reminder.click()
        wait_until_still(page)
        done()


def show_runs(page: Page, project: Path, done: Callable[[], None]) -> None:
    """Compare the runs' errors in MLflow, with its assistant closed."""
    with start_server(project, "mlflow", "ui", "--port") as url:
        page.goto(f"{url}/#/experiments/1/runs?compareRunsMode=CHART")
        page.get_by_text("__default__").first.wait_for()
        page.get_by_role("button", name="Close").first.click()
        page.get_by_placeholder("Search metric charts").fill(SCORES)
        wait_until_still(page)
        done()


def wait_until_still(page: Page) -> None:
    """Wait until a page looks the same twice, half a second apart."""
    before = b""
    for _ in range(40):
        now = page.screenshot()
        if now == before:
            return
        before = now
        page.wait_for_timeout(500)


@contextmanager
def start_server(project: Path, *command: str) -> Iterator[str]:
    """Run `python -m COMMAND PORT` on a free port until the block ends; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = [sys.executable, "-m", *command, str(port)]
    process = subprocess.Popen(program, cwd=project, start_new_session=True)
    try:
        wait_until_it_listens(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # kedro-viz and MLflow serve from a child
        process.wait()


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait for a server; fail if it ends before, or takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with status {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{process.args} does not listen on port {port} after {WAIT_SECONDS} s.")


PICTURES = {
    "forecast": (1000, 1, show_forecast),
    "monitoring": (1000, 1, show_monitoring),
    "lineage": (1000, 2, show_lineage),
    "runs": (800, 1, show_runs),
}
"""Name of each picture, its height, its pixels per point, and what shows it."""


if __name__ == "__main__":
    main()
