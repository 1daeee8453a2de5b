import pandas as pd
import pytest

from grocery_demand.analysis.runs import (
    label_runs,
    list_differences,
    note_of_runs,
    relate_to_baselines,
    tabulate_scores,
)

RUNS = pd.DataFrame(
    {
        "run_id": ["b", "a"],
        "started": pd.to_datetime(["2026-01-02 10:00", "2026-01-01 09:30"]),
        "seconds": [61.4, 30.2],
        "version": ["2", "1"],
        "roles": ["", "champion"],
        "data_digest": ["0123456789abcdef"] * 2,
        "git_commit": ["same"] * 2,
        "model": ["random_forest", "lightgbm"],
        "training.model": ["random_forest", "lightgbm"],
        "training.seed": ["7", "7"],
        "model_settings.n_estimators": ["10", "200"],
        "model_settings.num_leaves": [None, "31"],
        "gate.max_nwrmsle": ["0.8", "0.9"],
        "nwrmsle": [0.62, 0.58],
    }
)


@pytest.mark.parametrize(
    ("simulated", "note"),
    [
        (["true", "true"], "simulated data"),
        (["false", "true"], "partly simulated data"),
        (["false", ""], ""),
    ],
)
def test_scores_of_simulated_data_are_called_so(simulated, note):
    assert note_of_runs(RUNS.assign(simulated=simulated)) == note


def test_a_run_is_labelled_by_version_model_and_role():
    labels = label_runs(RUNS)["label"].tolist()
    assert labels == ["version 2: random_forest", "version 1: lightgbm, champion"]


def test_scores_are_listed_from_the_least_error():
    table = tabulate_scores(RUNS)
    assert table["nwrmsle"].tolist() == [0.58, 0.62]
    assert table["data_digest"].tolist() == ["01234567"] * 2
    assert table["model"].tolist() == ["lightgbm", "random_forest"]
    assert table["started"].tolist() == ["2026-01-01 09:30", "2026-01-02 10:00"]
    assert table["bias"].isna().all()


def test_only_what_differs_in_training_is_listed():
    table = list_differences(RUNS)
    assert table.index.tolist() == [
        "training.model", "model_settings.n_estimators", "model_settings.num_leaves",
    ]  # fmt: skip
    assert table.loc["model_settings.num_leaves"].tolist() == ["–", "31"]
    assert table.loc["model_settings.n_estimators"].tolist() == ["10", "200"]


def test_other_data_and_other_code_are_listed():
    runs = RUNS.assign(data_digest=["x", "y"], git_commit=["p", "q"])
    assert {"data_digest", "git_commit"} <= set(list_differences(runs).index)


def test_a_single_run_differs_from_nothing():
    assert list_differences(RUNS[:1]).empty


def test_families_are_held_against_the_baselines_the_worst_first():
    errors = {"EGGS": (0.5, 1.0, 0.4), "DELI": (0.9, 0.9, 1.0)}
    scores = pd.DataFrame(
        [
            {"evaluation": evaluation, "slice": "family", "value": family, "model": model,
             "nwrmsle": error}
            for evaluation in ("holdout", "backtest")
            for family, of_family in errors.items()
            for model, error in zip(
                ("lightgbm", "seasonal_naive", "moving_average"), of_family, strict=True
            )
        ]
    )  # fmt: skip
    table = relate_to_baselines(scores, "lightgbm")
    assert table.index.tolist() == ["EGGS", "DELI"]
    assert table["over the seasonal naive"].round(6).tolist() == [0.5, 1.0]
    assert table["over the moving average"].round(6).tolist() == [1.25, 0.9]
