"""A forecast taken apart says the same as the web app."""

from dataclasses import replace

import numpy as np
import pytest

from grocery_demand.core.errors import HorizonError
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.one_forecast import (
    AVERAGE_CORRECTION,
    NothingToExplainError,
    explain_forecast,
    find_promoted_best_seller,
    find_series,
    tabulate_units,
)
from grocery_demand.serving.served_model import Label, ServedModel, ServedPanel, list_effects
from published import started_rows


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def model(long_model):
    return long_model


@pytest.fixture(scope="module")
def served(panel, model):
    label = Label("grocery-demand", 1, None, b"")
    return ServedModel(label, model, ServedPanel("panel", panel, str(panel.cutoff)))


def explain(model, panel, row, step, onpromotion=None):
    series = panel.series.iloc[row]
    date = str(panel.cutoff + step)
    return explain_forecast(
        model, panel, int(series["store_nbr"]), int(series["item_nbr"]), date, onpromotion
    )


@pytest.mark.parametrize("step", [1, 16, 17, 60])
@pytest.mark.parametrize("onpromotion", [None, True, False])
def test_forecast_and_drivers_are_those_of_the_web_app(panel, model, served, step, onpromotion):
    rows = started_rows(panel)[:5]
    what_if = np.full(len(rows), -1 if onpromotion is None else int(onpromotion), np.int8)
    answers = served.answer(rows, np.full(len(rows), step), what_if)
    for i, row in enumerate(rows):
        parts = explain(model, panel, row, step, onpromotion)
        np.testing.assert_allclose([parts.units[n] for n in FORECAST], answers.units[i], rtol=1e-6)
        assert parts.onpromotion == answers.onpromotion[i]
        assert parts.long_range == answers.long_range[i]
        assert parts.usual == pytest.approx(answers.moving_average[i], rel=1e-5, abs=1e-6)
        factors = parts.drivers.set_index("driver")["factor"].round(4).to_dict()
        for effect in list_effects(answers.moves[i]):
            assert factors[effect["driver"]] == effect["factor"]


@pytest.mark.parametrize("step", [3, 40])
def test_the_parts_multiply_to_the_forecast(panel, model, step):
    for row in started_rows(panel):
        parts = explain(model, panel, row, step)
        product = (1 + parts.usual) * parts.drivers["factor"].prod()
        reached = parts.drivers["units"].iloc[-1]
        assert reached == pytest.approx(product - 1, rel=1e-6, abs=1e-6)
        assert parts.units["point"] == pytest.approx(max(reached, 0), rel=1e-4, abs=1e-5)


def test_the_largest_move_comes_first_after_what_all_forecasts_get(panel, model):
    drivers = explain(model, panel, started_rows(panel)[0], 2).drivers
    assert drivers["driver"].iloc[0] == AVERAGE_CORRECTION
    sizes = drivers["move"].abs().to_numpy()[1:]
    assert (np.diff(sizes) <= 0).all()


def test_forecasts_stand_side_by_side_by_their_names(panel, model):
    row = started_rows(panel)[0]
    answers = {"on promotion": explain(model, panel, row, 3, True),
               "not on promotion": explain(model, panel, row, 3, False)}  # fmt: skip
    table = tabulate_units(answers)
    assert table["forecast"].tolist() == list(answers)
    assert table["point"].tolist() == [answer.units["point"] for answer in answers.values()]
    assert list(table.columns) == ["forecast", *FORECAST]


def test_a_series_that_is_not_there_is_told_with_the_stores_that_have_the_item(panel, model):
    store, item = panel.series[["store_nbr", "item_nbr"]].iloc[0]
    with pytest.raises(NothingToExplainError, match=rf"Store 999 has no item {item}.*{store}"):
        find_series(panel, 999, item)
    with pytest.raises(NothingToExplainError, match="No store has it"):
        explain_forecast(model, panel, int(store), -1, str(panel.cutoff + 1))


@pytest.mark.parametrize("step", [0, 10_000])
def test_a_day_that_is_not_ahead_or_too_far_is_refused_with_the_days_that_are_not(
    panel, model, step
):
    with pytest.raises(HorizonError, match=str(panel.cutoff + 1)):
        explain(model, panel, 0, step)


def test_a_model_without_trees_has_nothing_to_explain(panel, long_average):
    with pytest.raises(NothingToExplainError, match=r"moving_average.*training\.model=lightgbm"):
        explain(long_average, panel, 0, 1)


def test_the_best_seller_among_planned_promotions_is_found(panel):
    store, item, date = find_promoted_best_seller(panel)
    row = find_series(panel, store, item)
    assert panel.promotions[row, panel.day_of(date)]
    assert not panel.promotions[row, panel.n_days : panel.day_of(date)].any()
    promoted = panel.promotions[:, panel.n_days :].any(axis=1)
    recent = panel.units[:, -28:].sum(axis=1)
    assert recent[row] == recent[promoted].max()


def test_without_a_plan_the_best_seller_is_found_for_the_next_day(panel):
    bare = replace(panel, promotions=panel.promotions[:, : panel.n_days])
    store, item, date = find_promoted_best_seller(bare)
    recent = panel.units[:, -28:].sum(axis=1)
    assert find_series(panel, store, item) == recent.argmax()
    assert date == str(panel.cutoff + 1)
