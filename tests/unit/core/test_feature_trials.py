"""Trials of features find what helps, and never look at the holdout."""

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters, compare_with_sales, plan_cutoffs
from grocery_demand.core.errors import ParameterError
from grocery_demand.core.feature_trials import (
    AS_IT_IS,
    BETTER,
    NO_DIFFERENCE,
    WORSE,
    FeatureTrial,
    compare_feature_sets,
    summarise_trials,
)
from grocery_demand.core.features import Encoding
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.scores import row_weights
from grocery_demand.core.training import fit_point_model
from worlds import SMALL_MODELS, scramble_sales_after

TRAINING = TrainingParameters(max_training_rows=3000, backtest_folds=3)
SETTINGS = SMALL_MODELS["lightgbm"]


def know_it_all(known, ahead):
    """What will be sold: no feature that could be had, but one that has to be found useful."""
    return np.log1p(known.panel.units[ahead.rows[:, None], known.day + ahead.steps])


def say_nothing(known, ahead):
    return np.zeros((len(ahead.rows), 1))


ORACLE = FeatureTrial("the future", added={"sold": know_it_all})
CONSTANT = FeatureTrial("a constant", added={"nothing": say_nothing})
NO_LEVELS = FeatureTrial("without the past", left_out=("moving_average", "*_relative", "*_mean*"))
TRIALS = [ORACLE, CONSTANT, NO_LEVELS]


@pytest.fixture(scope="module")
def scores(panel) -> pd.DataFrame:
    return compare_feature_sets(panel, TRIALS, TRAINING, SETTINGS)


def test_each_trial_is_scored_at_each_cutoff_of_the_backtest(scores, panel):
    folds = [pd.Timestamp(panel.date_of(day)) for day in plan_cutoffs(panel, TRAINING).folds]
    assert scores["cutoff"].unique().tolist() == sorted(folds)
    assert scores["trial"].unique().tolist() == [AS_IT_IS, *(trial.name for trial in TRIALS)]
    assert len(scores) == len(folds) * (len(TRIALS) + 1)
    assert (scores.groupby("cutoff")["rows"].nunique() == 1).all()
    assert (scores.loc[scores["trial"] == AS_IT_IS, "ratio"] == 1).all()


def test_what_helps_is_kept_and_what_says_nothing_dropped(scores):
    summary = summarise_trials(scores, TRIALS).set_index("trial")
    assert summary.loc["the future", "finding"] == BETTER
    assert summary.loc["the future", "decision"] == "keep sold"
    assert summary.loc["a constant", "change"] == 0
    assert summary.loc["a constant", "decision"] == "drop nothing"
    assert summary.loc["without the past", "change"] > 0


def test_the_set_as_it_is_scores_as_the_model_that_training_fits(scores, panel):
    day = max(plan_cutoffs(panel, TRAINING).folds)
    encoding = Encoding.fit(panel.series)
    model = fit_point_model(panel, day, TRAINING, SETTINGS, encoding)
    forecaster = Forecaster("lightgbm", model, encoding, Intervals.unknown(), "")
    table = compare_with_sales(forecaster, panel, day, np.arange(1, 17))
    expected = nwrmsle(table["unit_sales"], table["point"], row_weights(table))
    found = scores[(scores["trial"] == AS_IT_IS)].iloc[-1]
    assert found["nwrmsle"] == pytest.approx(expected, rel=1e-6)
    assert found["rows"] == len(table)


def test_the_holdout_is_never_looked_at(scores, panel):
    changed = scramble_sales_after(panel, plan_cutoffs(panel, TRAINING).holdout)
    again = compare_feature_sets(changed, TRIALS, TRAINING, SETTINGS)
    pd.testing.assert_frame_equal(again, scores)


def table_of(ratios: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"trial": "idea", "ratio": ratios})


@pytest.mark.parametrize(
    ("ratios", "finding", "added", "left_out"),
    [
        ([0.95, 0.96, 0.97], BETTER, "keep", "drop"),
        ([1.05, 1.04, 1.03], WORSE, "drop", "keep"),
        ([0.90, 1.02, 1.05], NO_DIFFERENCE, "drop", "drop"),
        ([0.90], NO_DIFFERENCE, "drop", "drop"),
    ],
)
def test_a_finding_has_to_be_beyond_chance(ratios, finding, added, left_out):
    """A single cutoff tells nothing about others."""
    trials = {
        added: FeatureTrial("idea", added={"x": say_nothing}),
        left_out: FeatureTrial("idea", left_out=("x",)),
    }
    for decision, trial in ((added, trials[added]), (left_out, trials[left_out])):
        row = summarise_trials(table_of(ratios), [trial]).iloc[0]
        assert row["finding"] == finding
        assert row["decision"] == f"{decision} x"


def test_the_interval_is_students_on_the_logarithms():
    row = summarise_trials(
        table_of([0.9, 1.0, 1.1, 1.2]), [FeatureTrial("idea", {"x": say_nothing})]
    )
    logs = np.log([0.9, 1.0, 1.1, 1.2])
    half = 3.182446 * logs.std(ddof=1) / 2
    assert row["low"].iloc[0] == pytest.approx(np.expm1(logs.mean() - half), abs=1e-6)
    assert row["high"].iloc[0] == pytest.approx(np.expm1(logs.mean() + half), abs=1e-6)
    assert row["better_at"].iloc[0] == 1


@pytest.mark.parametrize("change", [{}, {"added": {"x": say_nothing}, "left_out": ("step",)}])
def test_a_trial_changes_one_thing(change):
    with pytest.raises(ParameterError, match="one of the two"):
        FeatureTrial("idea", **change)


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        (FeatureTrial("idea", left_out=("mean_8_relativ",)), "did you mean `mean_"),
        (FeatureTrial("idea", added={"step": say_nothing}), "in the set already"),
    ],
)
def test_a_trial_that_does_not_fit_the_set_is_refused_before_anything_is_fitted(panel, trial, told):
    with pytest.raises(ParameterError, match=told):
        compare_feature_sets(panel, [trial], TRAINING, SETTINGS)


def test_a_baseline_has_no_features_to_try(panel):
    training = TrainingParameters(model="moving_average")
    with pytest.raises(ParameterError, match="reads no features"):
        compare_feature_sets(panel, TRIALS, training, {})
