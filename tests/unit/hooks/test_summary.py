"""What a run says at its end."""

import mlflow
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from mlflow import MlflowClient

from grocery_demand.core.errors import GateError
from grocery_demand.datasets import JsonDataset, RawFolderDataset, RawTableDataset, TableDataset
from grocery_demand.hooks import SummaryHook
from grocery_demand.hooks.summary import tabulate_scores
from runs import run_with_hook

SCORES = pd.DataFrame(
    [
        ("holdout", "moving_average", "total", 12345, 0.7, -0.25, 0.9, 0.05),
        ("holdout", "lightgbm", "total", 12345, 0.51236, 0.5, 0.4, -0.1),
        ("holdout", "lightgbm", "family", 7, 0.1, 0.9, 0.1, 0.0),
        ("backtest", "lightgbm", "total", 999, 0.2, 0.9, 0.1, 0.0),
        ("holdout", "seasonal_naive", "total", 12345, 0.6, 0.125, 0.5, -0.2),
    ],
    columns=["evaluation", "model", "slice", "rows", "nwrmsle", "r2_score", "wape", "bias"],
)
TABULATED = """\
Scores on the holdout, 12,345 rows:
                   NWRMSLE        R²      WAPE      bias
  lightgbm          0.5124    0.5000    0.4000   -0.1000
  seasonal_naive    0.6000    0.1250    0.5000   -0.2000
  moving_average    0.7000   -0.2500    0.9000    0.0500"""
QUALITY = {"rows_read": 1234567, "rows_quarantined": 1089, "simulated": False}
VERDICT = {
    "reasons": ["Promoted: there was no champion.", "NWRMSLE is within the bar.", "R² is, too."],
    "challenger": {"version": 3},
}
VIZ = "kedro viz"


@pytest.fixture
def catalog(tmp_path) -> DataCatalog:
    """Some of the project's datasets, in files where the project has them."""
    data = tmp_path / "data"
    return DataCatalog(
        {
            "data_quality": JsonDataset(filepath=str(data / "02_intermediate" / "quality.json")),
            "items": TableDataset(filepath=str(data / "02_intermediate" / "items.parquet")),
            "scores": TableDataset(filepath=str(data / "08_reporting" / "scores.parquet")),
            "verdict": JsonDataset(filepath=str(data / "08_reporting" / "verdict.json")),
            "raw_sales": RawTableDataset(filepath=str(data / "raw"), table="train"),
            "simulated_raw": RawFolderDataset(filepath=str(data / "raw")),
        }
        | {
            name: MemoryDataset()
            for name in ("panel", "challenger", "champion", "forecasts", "model_card", "metrics")
        }
    )


@pytest.fixture
def hook(make_context) -> SummaryHook:
    hook = SummaryHook()
    hook.after_context_created(make_context({"base/globals.yml": "model_name: demand\n"}))
    return hook


@pytest.fixture
def said(hook, catalog, capsys):
    """Run nodes that make the values; return what the hook wrote, one text per paragraph.

    A value that is a function is made by calling it.
    """

    def said(**values: object) -> list[str]:
        makers = {name: v if callable(v) else lambda v=v: v for name, v in values.items()}
        # Kedro runs nodes that do not depend on each other in the order of their names.
        nodes = [
            node(make, None, name, name=f"{position}_{name}")
            for position, (name, make) in enumerate(makers.items())
        ]
        run_with_hook(hook, Pipeline(nodes), catalog)
        return capsys.readouterr().out.strip("\n").split("\n\n")

    return said


@pytest.fixture
def next_steps(hook, catalog, capsys):
    """Tell the hook what was saved; return the commands that it proposes."""

    def next_steps(*saved: str, env: str | None = None) -> list[str]:
        hook.before_pipeline_run(run_params={"env": env})
        for name in saved:
            hook.after_dataset_saved(name)
        hook.after_pipeline_run(catalog)
        lines = capsys.readouterr().out.partition("Next:\n")[2].splitlines()
        return [line.strip().partition("  ")[0] for line in lines]

    return next_steps


def test_scores_are_tabulated_the_best_model_first():
    assert "\n".join(tabulate_scores(SCORES)) == TABULATED


def test_scores_are_said(said):
    assert said(scores=SCORES)[0] == TABULATED


@pytest.mark.parametrize(
    ("quality", "told"),
    [
        (
            {},
            "Read 1,234,567 rows, set 1,089 aside; "
            "see data/02_intermediate/quarantined_rows.parquet",
        ),
        ({"rows_quarantined": 0, "simulated": True}, "Read 1,234,567 simulated rows, set 0 aside"),
    ],
)
def test_the_quality_of_the_data_is_said(said, quality, told):
    assert said(data_quality=QUALITY | quality)[0] == told


def test_the_verdict_is_said_with_its_reasons(said):
    assert said(verdict=VERDICT)[0].splitlines() == [
        "Verdict on version 3: Promoted: there was no champion.",
        "  - NWRMSLE is within the bar.",
        "  - R² is, too.",
    ]


def test_everything_is_said_in_the_order_of_the_run(said):
    told = said(verdict=VERDICT, scores=SCORES, data_quality=QUALITY)
    begins = ["Read ", "Scores on the holdout", "Verdict on version 3", "Made:", "Next:"]
    assert [paragraph.startswith(begin) for paragraph, begin in zip(told, begins, strict=True)] == [
        True
    ] * 5


def test_files_are_listed_by_folder_seen_from_the_project(said):
    items = pd.DataFrame({"item_nbr": [7]})
    told = said(data_quality=QUALITY, items=items, verdict=VERDICT, metrics={"nwrmsle": 0.5})
    assert told[-2].splitlines() == [
        "Made:",
        "  data/02_intermediate/  quality.json, items.parquet",
        "  data/08_reporting/  verdict.json",
    ]


def test_files_outside_of_the_project_are_listed_in_full(said, catalog, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    catalog["scores"] = TableDataset(filepath=str(elsewhere / "scores.parquet"))
    assert said(scores=SCORES)[1] == f"Made:\n  {elsewhere}/  scores.parquet"


def test_what_an_earlier_run_has_made_is_not_said_again(said):
    said(scores=SCORES, verdict=VERDICT)
    told = "\n\n".join(said(data_quality=QUALITY))
    assert "Scores" not in told
    assert "Verdict" not in told
    assert "verdict.json" not in told


def test_a_run_that_made_nothing_only_says_what_can_be_done(said):
    assert said() == [f"Next:\n  {VIZ}  the graph, with what lies in it"]


def test_the_versions_are_said_when_one_was_made(said, mlflow_store, tmp_path):
    client = MlflowClient()
    client.create_registered_model("demand")
    for _ in range(2):
        client.create_model_version("demand", source=(tmp_path / "model").as_uri())
    client.set_registered_model_alias("demand", "challenger", "2")
    client.set_registered_model_alias("demand", "champion", "1")
    told = "  Registered model demand: challenger is version 2, champion is version 1"
    assert told in said(challenger="a model")[0].splitlines()
    assert told in said(champion="a decision")[0].splitlines()
    assert told not in said(forecasts="a table")[0].splitlines()


def test_the_run_is_said_with_how_to_open_it(said, mlflow_store):
    with mlflow.start_run() as run:
        made, following = said(metrics={"nwrmsle": 0.5})
    assert made == f"Made:\n  MLflow run {run.info.run_id} in experiment Default"
    assert f"mlflow ui --backend-store-uri {mlflow_store}  runs, metrics, models" in following


def test_in_the_folder_of_the_runs_they_open_without_an_address(
    said, mlflow_store, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    with mlflow.start_run():
        _, following = said(metrics={"nwrmsle": 0.5})
    assert [line.split() for line in following.splitlines()[1:]] == [
        ["mlflow", "ui", "runs,", "metrics,", "models"],
        ["kedro", "viz", "the", "graph,", "with", "what", "lies", "in", "it"],
    ]


@pytest.mark.parametrize(
    ("saved", "commands"),
    [
        (["simulated_raw"], ["kedro run"]),
        (["incoming_files"], ["kedro run --pipeline update"]),
        (["panel"], ["kedro run --pipeline train"]),
        (["challenger"], ["kedro run --pipeline promote"]),
        (["panel", "challenger", "champion"], ["kedro run --pipeline forecast"]),
        (["champion", "forecasts"], ["kedro run --pipeline report"]),
        (["panel", "challenger", "champion", "forecasts", "model_card"], []),
    ],
)
def test_the_next_step_follows_from_what_was_made(next_steps, mlflow_store, saved, commands):
    assert next_steps(*saved) == [*commands, VIZ]


def test_sales_simulated_elsewhere_are_named_in_the_next_step(next_steps, catalog, tmp_path):
    catalog["simulated_raw"] = RawFolderDataset(filepath=str(tmp_path / "longer"))
    assert next_steps("simulated_raw") == [f"kedro run --params raw_dir={tmp_path}/longer", VIZ]


def test_new_files_written_elsewhere_are_named_in_the_next_step(make_context, catalog, capsys):
    hook = SummaryHook()
    globals_file = {"base/globals.yml": "model_name: demand\n"}
    hook.after_context_created(make_context(globals_file, new_dir="data/01_raw/coming"))
    hook.after_dataset_saved("incoming_files")
    hook.after_pipeline_run(catalog)
    command = "kedro run --pipeline update --params new_dir=data/01_raw/coming"
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    ("env", "command"),
    [
        ("cluster", "kedro run --env cluster --pipeline promote"),
        ("local", "kedro run --pipeline promote"),
        (None, "kedro run --pipeline promote"),
    ],
)
def test_the_next_step_is_taken_in_the_same_environment(next_steps, env, command):
    assert command in next_steps("challenger", env=env)


def test_a_rejected_challengers_scores_are_said_all_the_same(said, capsys):
    def reject():
        raise GateError("The challenger was rejected.")

    with pytest.raises(GateError):
        said(scores=SCORES, verdict=reject)
    assert capsys.readouterr().out.strip("\n") == TABULATED


def test_other_errors_are_not_commented(said, capsys):
    def fail():
        raise ValueError("no way on")

    with pytest.raises(ValueError, match="no way on"):
        said(scores=SCORES, verdict=fail)
    assert capsys.readouterr().out == ""


def test_files_that_arrived_are_counted_and_the_refused_ones_say_why(said, catalog, tmp_path):
    catalog["new_data_quality"] = JsonDataset(filepath=str(tmp_path / "new.json"))
    files = [
        {"status": "taken_in", "reason": None},
        {"status": "refused", "reason": "train-2.csv is empty.\nPut the whole file there."},
        {"status": "known", "reason": "taken in before"},
    ]
    assert said(new_data_quality=QUALITY | {"files": files})[0].splitlines()[1:] == [
        "Files that arrived: 1 taken in, 1 with nothing new, 1 refused",
        "  - train-2.csv is empty.",
    ]


@pytest.mark.parametrize(("status", "proposed"), [("taken_in", True), ("known", False)])
def test_after_an_update_monitoring_is_proposed_and_a_fit_if_anything_was_new(
    said, catalog, tmp_path, status, proposed
):
    catalog["new_data_quality"] = JsonDataset(filepath=str(tmp_path / "new.json"))
    catalog["new_sales"] = MemoryDataset()
    report = QUALITY | {"files": [{"status": status, "reason": None}]}
    told = said(new_data_quality=report, new_sales=1, panel=1)[-1]
    assert ("kedro run --pipeline refit" in told) is proposed
    assert "kedro run --pipeline monitor" in told


def test_copies_that_a_cluster_leaves_for_one_machine_are_listed(said, catalog, tmp_path):
    pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")
    from grocery_demand.cluster import PartedForecastsDataset

    places = {name: str(tmp_path / "data" / name / "forecasts.parquet") for name in ("parts", "07")}
    catalog["forecasts"] = PartedForecastsDataset(
        filepath=places["parts"], copy={"filepath": places["07"]}
    )
    made = next(text for text in said(forecasts=SCORES) if text.startswith("Made:"))
    assert made.splitlines()[1:3] == [
        "  data/07/  forecasts.parquet",
        "  data/parts/  forecasts.parquet",
    ]
