"""Which series a report shows."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd

from grocery_demand.pipelines.reporting.examples import choose_examples
from grocery_demand.pipelines.reporting.nodes import draw_forecast_examples
from grocery_demand.pipelines.reporting.subject import Subject


def with_units(panel, units):
    """Return a panel of so many series that sold these units."""
    return replace(panel.select(np.arange(len(units))), units=np.array(units, np.float32))


def test_the_largest_a_middling_and_an_intermittent_series_are_shown(panel):
    n_days = panel.n_days
    rarely = np.arange(n_days) % 4 == 0
    given_up = np.zeros(n_days)
    given_up[-56:-42] = 1
    units = [
        np.full(n_days, 10.0),
        np.zeros(n_days),
        given_up,
        rarely * 3.0,
        np.full(n_days, 90.0),
        np.full(n_days, 40.0),
    ]
    chosen = {example.role: example.row for example in choose_examples(with_units(panel, units))}
    assert chosen == {"Largest": 4, "Middling": 0, "Intermittent": 3}


def test_series_that_all_sell_daily_have_no_intermittent_example(panel):
    units = np.outer([5.0, 9.0, 1.0], np.ones(panel.n_days))
    chosen = {example.role: example.row for example in choose_examples(with_units(panel, units))}
    assert chosen == {"Largest": 1, "Middling": 0}


def test_the_workshops_products_come_first_each_series_once(panel):
    units = np.outer([1.0, 7.0, 3.0, 2.0], np.ones(panel.n_days))
    numbers = {"store_nbr": [47, 47, 47, 48], "item_nbr": [99197, 105574, 300000, 99197]}
    small = with_units(panel, units)
    small = replace(small, series=small.series.assign(**numbers))
    chosen = [(example.role, example.row) for example in choose_examples(small)]
    assert chosen == [("Milk", 0), ("Cheese", 1), ("Middling", 3)]


def test_a_panel_without_recent_sales_has_no_examples_to_draw(panel):
    silent = replace(panel, units=np.zeros_like(panel.units))
    assert choose_examples(silent) == []
    subject = Subject("version 3 (tree)", "version 3 (tree)", "tree", True, None)
    figure = draw_forecast_examples(silent, pd.DataFrame(), pd.DataFrame(), subject)
    assert len(figure.data) == 0
    json.loads(figure.to_json())
