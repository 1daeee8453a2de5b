"""A holdout of four rows, all of its numbers one less than a power of two, and its scores.

Each error of a logarithm is thus a whole number of ln 2.
"""

import json
import math

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core import metrics
from grocery_demand.core.scores import (
    SLICES,
    compare_errors,
    row_weights,
    score_table,
    summarise_scores,
)

LN2 = math.log(2)

HOLDOUT = pd.DataFrame(
    {
        "store_nbr": [9, 9, 10, 10],
        "type": ["A", "A", "B", "B"],
        "family": ["GROCERY I", "DAIRY", "GROCERY I", "DAIRY"],
        "perishable": [0, 1, 0, 1],
        "step": [2, 10, 2, 10],
        "is_new": [False, False, True, False],
        "unit_sales": [1.0, 3.0, 7.0, 0.0],
        "point": [3.0, 3.0, 1.0, 0.0],
        "quantile_0.1": [1.0, 1.0, 0.0, 0.0],
        "quantile_0.5": [3.0, 1.0, 1.0, 0.0],
        "quantile_0.9": [7.0, 7.0, 3.0, 1.0],
        "interval_low": [1.0, 1.0, 0.0, 0.0],
        "interval_high": [7.0, 2.0, 2.0, 0.0],
        "seasonal_naive": [1.0, 7.0, 3.0, 1.0],
        "moving_average": [0.0, 1.0, 7.0, 3.0],
    }
)
SCORES = ["nwrmsle", "r2_score", "wape", "bias", "pinball_loss", "coverage"]


def scores_of(model: str, slice_name: str = "total", value: str = "all") -> dict[str, float]:
    scores = score_table(HOLDOUT, "lightgbm", "holdout").set_index(["model", "slice", "value"])
    return scores.loc[(model, slice_name, value)].to_dict()


def test_the_total_scores_of_the_model_are_those_worked_out_by_hand():
    scores = scores_of("lightgbm")
    assert scores == {
        "evaluation": "holdout",
        "rows": 4,
        "zero_share": 1 / 4,
        "nwrmsle": pytest.approx(LN2 * math.sqrt((1 * 1 + 1 * 4) / 4.5)),
        "r2_score": pytest.approx(1 - 40 / 28.75),
        "wape": pytest.approx(8 / 11),
        "bias": pytest.approx(-4 / 11),
        "pinball_loss": pytest.approx((0.225 + 1.25 + 1.175) / 3),
        "coverage": pytest.approx(2 / 4),
    }


def test_the_baselines_are_scored_on_the_same_rows_without_quantiles():
    naive, average = scores_of("seasonal_naive"), scores_of("moving_average")
    assert naive["nwrmsle"] == pytest.approx(LN2 * math.sqrt((1.25 + 1 + 1.25) / 4.5))
    assert average["nwrmsle"] == pytest.approx(LN2 * math.sqrt((1 + 1.25 + 1.25 * 4) / 4.5))
    assert (naive["wape"], naive["bias"]) == (pytest.approx(9 / 11), pytest.approx(1 / 11))
    for scores in (naive, average):
        assert math.isnan(scores["pinball_loss"])
        assert math.isnan(scores["coverage"])


@pytest.mark.parametrize(
    ("slice_name", "value", "squares", "weight"),
    [
        ("step", "2", 1 + 4, 2),
        ("step", "10", 0, 2.5),
        ("family", "GROCERY I", 1 + 4, 2),
        ("family", "DAIRY", 0, 2.5),
        ("store_nbr", "9", 1, 2.25),
        ("store_nbr", "10", 4, 2.25),
        ("type", "A", 1, 2.25),
        ("type", "B", 4, 2.25),
        ("new", "True", 4, 1),
        ("new", "False", 1, 3.5),
        ("interval", "above zero", 1, 2.25),
        ("interval", "from zero", 4, 2.25),
    ],
)
def test_each_slice_is_scored_by_its_own_rows(slice_name, value, squares, weight):
    expected = LN2 * math.sqrt(squares / weight)
    assert scores_of("lightgbm", slice_name, value)["nwrmsle"] == pytest.approx(expected)


def test_every_score_of_every_slice_and_model_equals_one_of_rows_picked_by_a_loop():
    table = score_table(HOLDOUT, "lightgbm", "holdout")
    rows = HOLDOUT.to_dict(orient="records")
    for record in table.to_dict(orient="records"):
        column = SLICES.get(record["slice"])
        if record["slice"] == "interval":
            is_above = record["value"] == "above zero"
            picked = [row for row in rows if (row["interval_low"] > 0) == is_above]
        else:
            picked = [row for row in rows if column is None or str(row[column]) == record["value"]]
        actual = np.array([row["unit_sales"] for row in picked])
        name = "point" if record["model"] == "lightgbm" else record["model"]
        forecast = np.array([row[name] for row in picked])
        weight = np.array([1.25 if row["perishable"] else 1.0 for row in picked])
        expected = [
            len(picked),
            metrics.nwrmsle(actual, forecast, weight),
            metrics.r2_score(actual, forecast),
            metrics.wape(actual, forecast),
            metrics.bias(actual, forecast),
        ]
        found = [record[name] for name in ("rows", *SCORES[:4])]
        np.testing.assert_allclose(found, expected, err_msg=str(record))


def test_the_table_has_one_row_per_model_and_slice_value_in_their_order():
    table = score_table(HOLDOUT, "lightgbm", "backtest")
    assert list(table) == ["evaluation", "model", "slice", "value", "rows", "zero_share", *SCORES]
    assert set(table["evaluation"]) == {"backtest"}
    models = ["lightgbm", "seasonal_naive", "moving_average"]
    slices = {
        "total": ["all"],
        "step": ["2", "10"],
        "family": ["DAIRY", "GROCERY I"],
        "store_nbr": ["9", "10"],
        "type": ["A", "B"],
        "new": ["False", "True"],
        "interval": ["above zero", "from zero"],
    }
    assert table[["slice", "value", "model"]].to_numpy().tolist() == [
        [name, value, model] for name, values in slices.items() for value in values
        for model in models
    ]  # fmt: skip


def test_the_rows_of_a_slice_add_up_to_the_total():
    table = score_table(HOLDOUT, "lightgbm", "holdout")
    rows = table[table["model"] == "lightgbm"].groupby("slice")["rows"].sum()
    assert rows.to_dict() == dict.fromkeys(["total", *SLICES, "interval"], 4)


def test_a_family_of_which_nothing_is_there_has_no_row():
    families = pd.CategoricalDtype(["BEVERAGES", "DAIRY", "GROCERY I"])
    table = score_table(HOLDOUT.astype({"family": families}), "lightgbm", "holdout")
    found = table.loc[table["slice"] == "family", "value"]
    assert set(found) == {"DAIRY", "GROCERY I"}


def test_rows_of_perishable_items_weigh_a_quarter_more():
    assert row_weights(HOLDOUT).tolist() == [1, 1.25, 1, 1.25]
    fresh = HOLDOUT.assign(perishable=1)
    heavier = score_table(fresh, "lightgbm", "holdout")["nwrmsle"][0]
    assert heavier == pytest.approx(LN2 * math.sqrt(5 / 4))


@pytest.mark.parametrize(
    ("model", "other"),
    [("moving_average", "seasonal_naive"), ("seasonal_naive", "moving_average")],
)
def test_a_scored_baseline_is_scored_once_as_the_model_that_it_is(model, other):
    table = score_table(HOLDOUT, model, "holdout")
    total = table[table["slice"] == "total"].set_index("model")
    assert list(total.index) == [model, other]
    assert total.loc[model, SCORES].tolist() == [scores_of("lightgbm")[name] for name in SCORES]
    assert total.loc[other, "nwrmsle"] == scores_of(other)["nwrmsle"]


@pytest.fixture
def both_evaluations() -> pd.DataFrame:
    """Scores of the holdout, and of a backtest in which all forecasts are those of row 0."""
    first = ["point", "seasonal_naive", "moving_average"]
    folds = HOLDOUT.assign(**{name: HOLDOUT[name].iloc[0] for name in first})
    return pd.concat(
        [score_table(HOLDOUT, "lightgbm", "holdout"), score_table(folds, "lightgbm", "backtest")]
    )


def test_the_summary_names_the_scores_of_the_holdout_the_baselines_and_the_backtest(
    both_evaluations,
):
    baselines = ["baseline_seasonal_naive_nwrmsle", "baseline_moving_average_nwrmsle"]
    names = [*SCORES, *baselines]
    summary = summarise_scores(both_evaluations, "lightgbm")
    assert set(summary) == {*names, *(f"backtest_{name}" for name in names)}


def test_the_summary_repeats_the_total_scores(both_evaluations):
    summary = summarise_scores(both_evaluations, "lightgbm")
    for name in SCORES:
        assert summary[name] == scores_of("lightgbm")[name]
    for name in ("seasonal_naive", "moving_average"):
        assert summary[f"baseline_{name}_nwrmsle"] == scores_of(name)["nwrmsle"]
    assert summary["backtest_nwrmsle"] == pytest.approx(LN2 * math.sqrt((1 + 1 + 1.25 * 4) / 4.5))
    assert summary["backtest_baseline_moving_average_nwrmsle"] == pytest.approx(
        LN2 * math.sqrt((1 + 1.25 * 4 + 9) / 4.5)
    )


def test_the_summary_of_a_baseline_has_its_scores_without_a_prefix():
    summary = summarise_scores(score_table(HOLDOUT, "moving_average", "holdout"), "moving_average")
    assert set(summary) == {*SCORES, "baseline_seasonal_naive_nwrmsle"}


def test_what_is_unknown_is_left_out_of_the_summary():
    unsold = HOLDOUT.assign(unit_sales=0.0, moving_average=np.inf)
    summary = summarise_scores(score_table(unsold, "lightgbm", "holdout"), "lightgbm")
    assert set(summary) == {
        "nwrmsle",
        "pinball_loss",
        "coverage",
        "baseline_seasonal_naive_nwrmsle",
    }


def test_the_summary_is_json_of_plain_numbers(both_evaluations):
    summary = summarise_scores(both_evaluations, "lightgbm")
    assert {type(value) for value in summary.values()} == {float}
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_errors_stand_beside_the_baselines_in_the_order_of_the_steps():
    scores = score_table(HOLDOUT, "lightgbm", "holdout")
    table = compare_errors(scores, "lightgbm", "step")
    assert list(table.columns) == ["value", "model", "seasonal_naive", "moving_average"]
    assert table["value"].tolist() == ["2", "10"]
    for column, model in (("model", "lightgbm"), ("moving_average", "moving_average")):
        expected = [scores_of(model, "step", step)["nwrmsle"] for step in ("2", "10")]
        assert table[column].tolist() == expected


def test_a_baseline_that_is_the_model_does_not_stand_beside_itself():
    scores = score_table(HOLDOUT, "moving_average", "holdout")
    other = scores.assign(evaluation="backtest")
    table = compare_errors(pd.concat([other, scores]), "moving_average", "family")
    assert list(table.columns) == ["value", "model", "seasonal_naive"]
    assert table["value"].tolist() == ["DAIRY", "GROCERY I"]
