import numpy as np
import polars as pl
import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.explanation import ALL_DRIVERS, Explanation
from grocery_demand.core.features import Encoding, Snapshot
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.monitoring.explanations import (
    EXPLANATION_COLUMNS,
    check_explanations,
    explain_weeks,
)
from grocery_demand.core.training import fit_point_model
from worlds import SMALL_MODELS, make_panel

DRIVERS = ("recent sales", "promotion", "weekday")


def table(newest: dict[str, tuple[float, float]]) -> pl.DataFrame:
    """Four weeks of training with equal shares, and a week after it."""
    weeks = [f"2017-05-{day:02}" for day in (4, 11, 18, 25)]
    rows = [(week, True, d, 1 / 3, 0.1 + 0.01 * i) for i, week in enumerate(weeks) for d in DRIVERS]
    rows += [("2017-06-01", False, d, *newest.get(d, (1 / 3, 0.1))) for d in DRIVERS]
    return pl.DataFrame(rows, orient="row", schema=list(EXPLANATION_COLUMNS))


@pytest.mark.parametrize(
    ("newest", "state"),
    [
        ({}, "ok"),
        ({"promotion": (0.6, 0.1)}, "watch"),
        ({"promotion": (0.45, 0.1)}, "ok"),
        ({"promotion": (0.3, -0.2)}, "watch"),
        ({"promotion": (0.3, -0.01)}, "ok"),
        ({"promotion": (0.01, -0.2)}, "ok"),
    ],
)
def test_a_group_that_dominates_or_changes_sign_is_watched(newest, state):
    check = check_explanations(table(newest))[0]
    assert check.state == state


def test_a_model_that_is_not_explained_is_unknown():
    empty = pl.DataFrame(schema=dict.fromkeys(EXPLANATION_COLUMNS, pl.String))
    assert check_explanations(empty)[0].state == "unknown"


def test_weeks_of_which_none_was_trained_on_are_unknown():
    later = table({}).filter(~pl.col("is_training"))
    assert check_explanations(later)[0].state == "unknown"


N_DAYS, TRAINED = 160, 130


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=8, n_stores=3, n_items=8, n_days=N_DAYS)


def forecaster_of(panel, model: str) -> Forecaster:
    encoding = Encoding.fit(panel.series)
    training = TrainingParameters(model=model, max_training_rows=3000)
    fitted = fit_point_model(panel, TRAINED, training, SMALL_MODELS[model], encoding)
    return Forecaster(model, fitted, encoding, Intervals.unknown(), str(panel.date_of(TRAINED)))


@pytest.fixture(scope="module")
def forecaster(panel) -> Forecaster:
    return forecaster_of(panel, "lightgbm")


ROWS = np.arange(6)


def weeks_of(panel, forecaster, trained=TRAINED, last=N_DAYS - 1) -> pl.DataFrame:
    return explain_weeks(forecaster, lambda day: Snapshot(panel, day), ROWS, trained, last)


def test_weeks_before_and_since_the_training_are_explained(panel, forecaster):
    weeks = weeks_of(panel, forecaster).group_by("week", "is_training").len().sort("week")
    before = [TRAINED + 1 - 7 * weeks for weeks in (7, 5, 3, 1)]
    since = [N_DAYS - 1 - 7 * weeks for weeks in (3, 2, 1, 0)]
    assert weeks["week"].to_list() == [str(panel.date_of(day)) for day in (*before, *since)]
    assert weeks["is_training"].to_list() == [True] * 4 + [False] * 4
    assert set(weeks["len"]) == {len(ALL_DRIVERS)}


def test_shares_and_means_are_those_of_the_contributions(panel, forecaster):
    found = weeks_of(panel, forecaster).filter(week=str(panel.cutoff))
    matrix = Snapshot(panel, N_DAYS - 1).features(
        forecaster.encoding, np.arange(1, 8), forecaster.feature_names, ROWS
    )
    moves = Explanation.of(forecaster.model).contributions(matrix)
    size = np.abs(moves).mean(axis=0)
    assert found["driver"].to_list() == list(ALL_DRIVERS)
    assert found["share"].to_list() == pytest.approx(list(size / size.sum()))
    assert found["mean"].to_list() == pytest.approx(list(moves.mean(axis=0)))


def test_right_after_the_training_only_its_weeks_are_there(panel, forecaster):
    weeks = weeks_of(panel, forecaster, last=TRAINED)
    assert weeks["is_training"].all()
    assert check_explanations(weeks)[0].state == "ok"


def test_a_training_before_the_first_day_leaves_nothing_to_compare_with(panel, forecaster):
    weeks = weeks_of(panel, forecaster, trained=-100)
    assert not weeks["is_training"].any()
    assert check_explanations(weeks)[0].state == "unknown"


@pytest.mark.parametrize("model", ["decision_tree", "seasonal_naive"])
def test_other_models_are_not_explained(panel, model):
    weeks = weeks_of(panel, forecaster_of(panel, model))
    assert weeks.is_empty()
    assert list(weeks.columns) == list(EXPLANATION_COLUMNS)
