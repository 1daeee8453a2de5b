"""The real loop, typed as a user types it: real files, real MLflow store, real processes.

The tests of this module are one story and stand in its order: each goes on with the project as
the one before has left it.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from chromium import OPTIONS, find_chromium
from mlflow import MlflowClient

from grocery_demand.core.forecaster import FORECAST
from mlflow_store import mlflow_at
from project_copies import EASY_GATE, SMALL_WORLD, WEAK
from published import FOLDER, as_json, serve

ROOT = Path(__file__).parents[2]
NAME = "grocery-demand"
BETTER = "training.max_training_rows=60000,model_settings.lightgbm.n_estimators=80"


needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def client(project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project}/mlflow.db")


@pytest.fixture(scope="module")
def first(kedro, world):
    """The whole loop on the small world, with a weak model."""
    return kedro("run", "--params", WEAK)


def newest_run(client):
    experiment = client.get_experiment_by_name(NAME)
    return client.search_runs([experiment.experiment_id], max_results=1)[0]


def version_of(client, alias):
    return int(client.get_model_version_by_alias(NAME, alias).version)


def published(project):
    """What the web app serves."""
    return as_json(project / FOLDER / "current.json")


def test_the_simulation_ends_by_saying_what_it_made(world):
    assert "Simulated " in world.stderr
    assert "data/01_raw/  sample" in world.stdout
    assert "kedro run  the whole loop on the simulated sales" in world.stdout


def test_the_loop_ends_with_scores_verdict_places_and_next_steps(first):
    assert first.returncode == 0, first.stderr
    scores = re.findall(r"^  (\w+) +(\d\.\d{4})", first.stdout, re.MULTILINE)
    assert scores[0][0] == "lightgbm"
    assert {name for name, _ in scores} == {"lightgbm", "moving_average", "seasonal_naive"}
    for told in (
        "simulated rows",
        "Promoted",
        "data/07_model_output/",
        "report.html",
        "challenger is version 1, champion is version 1",
        "mlflow ui",
        "kedro viz",
    ):
        assert told in first.stdout
    assert "28/28" in first.stderr
    assert "Traceback" not in first.stderr


def test_forecasts_cover_every_series_and_the_16_days_after_the_sales(first, project):
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    series = forecasts.groupby(["store_nbr", "item_nbr"]).size()
    assert (series == 16).all()
    assert forecasts["date"].min() == pd.Timestamp("2017-06-01")
    assert forecasts["date"].max() == pd.Timestamp("2017-06-16")
    assert (forecasts["quantile_0.1"] <= forecasts["quantile_0.5"]).all()
    assert (forecasts["quantile_0.5"] <= forecasts["quantile_0.9"]).all()
    assert (forecasts["interval_low"] <= forecasts["interval_high"]).all()
    submission = pd.read_csv(project / "data/07_model_output/submission.csv")
    plan = pd.read_csv(project / "data/01_raw/sample/test.csv.gz")
    assert submission["id"].tolist() == plan["id"].tolist()


def test_the_run_is_recorded_with_parameters_scores_data_and_code(first, project, client):
    run = newest_run(client)
    assert run.info.status == "FINISHED"
    assert run.data.params["model"] == "lightgbm"
    assert run.data.params["feature_set"] == "full"
    assert run.data.params["model_settings.n_estimators"] == "12"
    assert run.data.params["training.horizon"] == "16"
    assert run.data.params["gate.max_nwrmsle"] == "0.9"
    metrics = json.loads((project / "data/08_reporting/metrics.json").read_text())
    assert run.data.metrics == pytest.approx(metrics)
    digest = json.loads((project / "data/02_intermediate/data_quality.json").read_text())["digest"]
    assert run.data.tags["data_digest"] == digest
    assert run.data.tags["simulated_data"] == "true"
    assert run.data.tags["kedro_command"] == f"kedro run --params {WEAK}"
    assert len(run.data.tags["lock_digest"]) == 64
    assert {"git_commit", "git_dirty"} <= set(run.data.tags)
    dataset = run.inputs.dataset_inputs[0].dataset
    assert digest.startswith(dataset.digest)


def test_tables_figures_and_card_lie_on_the_run(first, client):
    run_id = newest_run(client).info.run_id
    top = {artifact.path for artifact in client.list_artifacts(run_id)}
    assert {"verdict.json", "scores.parquet", "model_card.md", "report.html"} <= top
    figures = {artifact.path for artifact in client.list_artifacts(run_id, "figures")}
    assert len(figures) == 7
    data = {artifact.path for artifact in client.list_artifacts(run_id, "data")}
    assert data == {"data/data_quality.json", "data/quarantined_rows.parquet"}


def test_the_search_of_the_workshop_finds_the_run(first, project, client):
    experiment = client.get_experiment_by_name(NAME).experiment_id
    wanted = 'metrics.nwrmsle < 1 and params.model = "lightgbm"'
    assert len(client.search_runs([experiment], wanted)) == 1
    assert not client.search_runs([experiment], wanted.replace("lightgbm", "random_forest"))


def test_the_web_app_serves_the_stored_forecasts_of_the_champion(first, project):
    assert published(project)["model_version"] == 1
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    asked = forecasts.assign(date=forecasts["date"].dt.strftime("%Y-%m-%d"))
    asked = asked[["date", "store_nbr", "item_nbr"]].to_dict(orient="records")
    with serve(project) as app, app.client() as client:
        told = client.post("/api/v1/forecasts", json={"requests": asked}).json()
        page = client.get("/model").text
    served = [answer["forecast"]["units"] for answer in told["answers"]]
    assert served == forecasts["point"].astype(float).round(4).tolist()
    assert "Promoted" in page
    assert "Model card: grocery demand, version 1" in page


def test_kedro_viz_shows_the_layers_in_order_and_what_lies_in_each_dataset(first, kedro, project):
    outcome = kedro("viz", "build", "--include-previews")
    assert outcome.returncode == 0, outcome.stderr
    assert "could not be previewed" not in outcome.stdout + outcome.stderr
    site = project / "build/api"
    graph = as_json(site / "main")
    assert graph["layers"] == [
        "01 raw", "02 intermediate", "03 primary", "05 backtest", "06 models", "07 model output",
        "08 reporting",
    ]  # fmt: skip
    shown = {
        node["name"]: as_json(site / "nodes" / node["id"]).get("preview")
        for node in graph["nodes"]
        if node["type"] == "data" and node["layer"]
    }
    unseen = {name for name, preview in shown.items() if not preview}
    assert unseen == {
        "challenger", "champion", "incumbent", "served_challenger",
        "model_card", "published_card", "report",
    }  # fmt: skip
    assert shown["sales"]["data"][0][0].startswith("201")
    assert shown["total_sales_figure"]["data"]


@needs_chromium
def test_the_pictures_of_the_readme_can_be_taken_again(first, project, tmp_path):
    names = ["forecast", "lineage", "runs"]
    typed = [ROOT / "docs/pictures/take.py", "--project", project, "--out", tmp_path, "--only"]
    outcome = subprocess.run(
        [sys.executable, *typed, *names], check=False, capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stderr
    assert all((tmp_path / f"{name}.webp").stat().st_size > 10_000 for name in names)


def test_a_better_model_replaces_the_champion(first, kedro, project, client):
    outcome = kedro("run", "--pipeline", "train", "--params", f"{BETTER},{EASY_GATE}")
    assert outcome.returncode == 0, outcome.stderr
    assert "replaces champion version 1" in outcome.stdout
    aliases = {alias: version_of(client, alias) for alias in ("challenger", "champion", "previous")}
    assert aliases == {"challenger": 2, "champion": 2, "previous": 1}
    assert published(project)["model_version"] == 2


def test_the_same_run_in_a_new_process_gives_the_same_model(start_kedro, client):
    process = start_kedro("run", "--pipeline", "train", "--params", f"{BETTER},{EASY_GATE}")
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert "the same model as champion version 2" in stdout
    digests = [
        client.get_model_version(NAME, str(number)).tags["model_digest"] for number in (2, 3)
    ]
    assert digests[0] == digests[1]
    assert version_of(client, "champion") == 2


def test_a_decision_tree_with_the_features_of_the_workshop_is_stopped(kedro, client):
    tree = "training.model=decision_tree,training.feature_set=workshop"
    outcome = kedro("run", "--pipeline", "train", "--params", f"{tree},gate.max_nwrmsle=0.6")
    assert outcome.returncode == 1
    assert "decision_tree" in outcome.stdout
    message = outcome.stderr[outcome.stderr.index("Error: ") :]
    assert "was rejected; version 2 stays champion" in message
    assert re.search(r"NWRMSLE \d\.\d{4} is not within the bar of 0\.6", message)
    assert "Traceback" not in outcome.stderr
    assert newest_run(client).info.status == "FAILED"
    assert version_of(client, "champion") == 2


def test_a_run_killed_while_it_fits_leaves_everything_whole(start_kedro, kedro, project, client):
    before = {path: path.read_bytes() for path in (project / "data").rglob("*.parquet")}
    process = start_kedro("run", "--pipeline", "train", "--params", WEAK)
    for line in process.stderr:
        if "Backtest: fitting" in line:
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    after = {path: path.read_bytes() for path in (project / "data").rglob("*.parquet")}
    assert before.keys() <= after.keys()
    assert all(len(pd.read_parquet(path).columns) for path in after)
    assert version_of(client, "champion") == 2
    killed = newest_run(client).info
    assert killed.status == "RUNNING"
    assert kedro("run", "--pipelines", "forecast").returncode == 0
    assert client.get_run(killed.run_id).info.status == "KILLED"


def test_an_interrupted_run_is_killed_in_the_records(start_kedro, client):
    process = start_kedro("run", "--pipeline", "train", "--params", WEAK)
    for line in process.stderr:
        if "Backtest: fitting" in line:
            process.send_signal(signal.SIGTERM)
            break
    process.communicate()
    assert process.returncode != 0
    assert newest_run(client).info.status == "KILLED"


def test_rollback_puts_the_previous_champion_back_and_records_it(kedro, project, client):
    outcome = kedro("rollback", "--reason", "too high since Monday")
    assert outcome.returncode == 0, outcome.stderr
    assert "Champion is version 1 again, instead of version 2" in outcome.stdout
    assert version_of(client, "champion") == 1
    assert version_of(client, "previous") == 2
    assert published(project)["model_version"] == 1
    assert published(project)["history"][-1]["kind"] == "rollback"
    tags = client.get_registered_model(NAME).tags
    changes = [json.loads(tags[name]) for name in sorted(tags) if "champion_change" in name]
    assert [(c["kind"], c["replaced"], c["champion"]) for c in changes] == [
        ("promotion", None, 1),
        ("promotion", 1, 2),
        ("rollback", 2, 1),
    ]
    assert changes[-1]["reason"] == "too high since Monday"
    assert changes[-1]["by"]
    assert changes[-1]["at"].startswith("20")


def test_the_restored_champion_forecasts_and_its_report_says_whose_scores_it_shows(kedro, project):
    outcome = kedro("run", "--pipelines", "train,forecast,report", "--params", WEAK)
    assert outcome.returncode == 0, outcome.stderr
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    assert set(forecasts["model_version"]) == {"1"}
    card = (project / "data/08_reporting/model_card.md").read_text()
    assert "version 1" in card


def test_a_new_day_joins_the_panel_and_moves_the_forecasts_on(first, kedro, project):
    assert first.returncode == 0
    later = f"{SMALL_WORLD},simulation.end_date=2017-06-01"
    made = kedro("run", "--pipeline", "simulate_days", "--params", later)
    assert made.returncode == 0, made.stderr
    assert "kedro run --pipeline update" in made.stdout
    outcome = kedro("run", "--pipeline", "update")
    assert outcome.returncode == 0, outcome.stderr
    assert "Files that arrived: 2 taken in" in outcome.stdout
    assert "train again, on all these days" in outcome.stdout
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    assert forecasts["date"].min() == pd.Timestamp("2017-06-02")
    assert published(project)["cutoff"] == "2017-06-01"
    assert forecasts["date"].max() == pd.Timestamp("2017-06-17")
    sales = pd.read_parquet(project / "data/02_intermediate/sales")
    assert str(sales["date"].max())[:10] == "2017-06-01"


def test_a_broken_file_is_refused_and_said_and_the_daily_job_goes_on(kedro, project):
    panel = project / "data/03_primary/panel/units.npy"
    written = panel.stat().st_mtime_ns, panel.stat().st_ino
    broken = project / "data/01_raw/incoming/train-2017-06-02.csv"
    broken.write_text("date,store_nbr,item_nbr,unit_sales,onpromotion\n2017-06-01,44,1,1,False\n")
    outcome = kedro("run", "--pipeline", "update")
    assert outcome.returncode == 0, outcome.stderr
    assert "Files that arrived: 2 with nothing new, 1 refused" in outcome.stdout
    assert "train-2017-06-02.csv (in " in outcome.stdout
    assert "other date than the file's name says" in outcome.stderr
    assert "Nothing new in " in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert (panel.stat().st_mtime_ns, panel.stat().st_ino) == written


def test_new_days_are_taken_in_and_learnt_by_one_command(kedro, project):
    later = f"{SMALL_WORLD},simulation.end_date=2017-06-02,daily_files.first_day=2017-06-02"
    assert kedro("run", "--pipeline", "simulate_days", "--params", later).returncode == 0
    outcome = kedro("run", "--pipeline", "retrain", "--params", f"{WEAK},{EASY_GATE}")
    assert outcome.returncode == 0, outcome.stderr
    assert "Files that arrived: 2 taken in, 2 with nothing new" in outcome.stdout
    card = (project / "data/08_reporting/model_card.md").read_text()
    assert "| sales it learnt from | 2016-08-01 … 2017-06-02 |" in card


def test_the_page_on_the_sample_is_what_the_command_prints(kedro, project):
    shutil.copytree(ROOT / "data/01_raw/sample", project / "data/01_raw/committed")
    outcome = kedro("describe-sample", "--folder", "data/01_raw/committed")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == (ROOT / "docs/sample.md").read_text(encoding="utf-8")


@needs_chromium
def test_the_report_draws_its_figures_in_a_browser(first, project, tmp_path):
    options = [*OPTIONS, "--headless", "--virtual-time-budget=20000"]
    page = project / "data/08_reporting/report.html"
    outcome = subprocess.run(
        [find_chromium(), *options, f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    shown = outcome.stdout
    assert shown.count('class="main-svg"') >= 7
    assert "Error by day ahead" in shown
    assert "Simulated data" in shown


def test_the_registered_champion_can_be_loaded_by_mlflow_alone(first, project):
    with mlflow_at(project / "mlflow.db"):
        model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
        forecasts = model.predict(model.input_example)
    assert list(forecasts) == list(FORECAST)
    assert (forecasts >= 0).all(axis=None)
