"""A training on a panel in parts is the training on the whole panel, to the bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters, plan_cutoffs
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.long_range import train_long_range
from grocery_demand.core.monitoring.sample import choose_series, describe_series, find_series
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import Backtest, fit_final_model, run_backtest
from parted import PartedPanel
from worlds import SMALL_MODELS, make_panel

FEW_ROWS = {"max_training_rows": 4000, "max_long_range_rows": 4000, "max_backtest_rows": 1000}


def train(panel: PanelParts, model: str) -> tuple[Backtest, pd.DataFrame, TrainedModel]:
    training, settings = TrainingParameters(model=model, **FEW_ROWS), SMALL_MODELS[model]
    tested = run_backtest(panel, training, settings)
    encoding = tested.holdout_forecaster.encoding
    far, far_forecasts = train_long_range(panel, training, settings, encoding)
    return tested, far_forecasts, fit_final_model(panel, training, settings, tested, {}, far)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel(seed=5, n_stores=7, n_items=14, n_days=200)


@pytest.fixture(scope="module")
def parted(panel) -> PartedPanel:
    return PartedPanel(panel, [1, 4])


@pytest.fixture(scope="module")
def trained(panel) -> TrainedModel:
    return train(panel, "lightgbm")[2]


@pytest.mark.parametrize("model", ["lightgbm", "moving_average"])
def test_parts_give_the_same_model_and_the_same_forecasts_beside_sales(panel, parted, model):
    tested, far, trained = train(panel, model)
    other_tested, other_far, other = train(parted, model)
    for name in ("folds", "holdout"):
        pd.testing.assert_frame_equal(getattr(other_tested, name), getattr(tested, name))
    pd.testing.assert_frame_equal(other_far, far)
    pd.testing.assert_frame_equal(other.input_example, trained.input_example)
    assert other.digest == trained.digest
    assert other.metadata == trained.metadata


def test_forecasts_of_parts_are_those_of_the_whole_panel_beyond_the_horizon_too(
    panel, parted, trained
):
    day, steps = panel.n_days - 1, np.array([1, 16, 17, 60])
    expected = trained.forecast(panel, day, steps)
    pd.testing.assert_frame_equal(trained.forecast(parted, day, steps), expected)


def test_forecasts_of_some_series_come_from_the_parts_that_have_them(panel, parted, trained):
    rows = np.array([0, 3, len(panel.series) - 1])
    args = (panel.n_days - 1, np.arange(1, 4), rows)
    expected = trained.forecast(panel, *args)
    pd.testing.assert_frame_equal(trained.forecast(parted, *args), expected)


def test_the_holdout_is_drawn_from_when_it_has_more_rows_than_the_budget(panel):
    training = TrainingParameters(model="moving_average", **FEW_ROWS)
    holdout = run_backtest(panel, training, {}).holdout
    series = holdout[["store_nbr", "item_nbr"]].drop_duplicates()
    begun = panel.first_sale <= plan_cutoffs(panel, training).holdout + training.horizon
    assert len(series) <= 1000 // training.horizon < begun.sum()
    assert series["store_nbr"].nunique() > 3


def test_parts_without_any_sale_to_learn_from_are_refused_as_the_whole_panel_is(panel):
    closed = replace(panel, open_days=np.zeros_like(panel.open_days))
    with pytest.raises(DataShortageError, match="give more days"):
        train(PartedPanel(closed, [3]), "lightgbm")


def test_series_are_found_and_described_in_parts_as_in_the_whole(panel, parted):
    table = panel.series.iloc[[5, 2, 40, 5]]
    unknown = table.assign(item_nbr=1)
    wanted: list[Any] = [table, unknown]
    assert find_series(parted, wanted).tolist() == [2, 5, 40]
    assert find_series(panel, wanted).tolist() == [2, 5, 40]
    described = describe_series(parted, 200, np.array([2, 5, 40]))
    assert described.equals(describe_series(panel, 200)[[2, 5, 40]])


@pytest.mark.parametrize("number", [3, 20, 60, 1000])
def test_the_same_series_are_monitored(panel, parted, number):
    assert choose_series(parted, number).tolist() == choose_series(panel, number).tolist()
