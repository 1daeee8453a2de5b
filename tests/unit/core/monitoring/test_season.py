from datetime import date, timedelta

import numpy as np
import pytest

from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.panel import Panel
from worlds import make_panel


def days(first: str, number: int = 7) -> list[date]:
    return [date.fromisoformat(first) + timedelta(i) for i in range(number)]


def season(hard: dict[str, float] | None = None) -> Season:
    """Every day as hard as any other from 2014 on, but for the weeks after some dates."""
    start = np.datetime64("2014-01-01")
    weight, squares = np.full(1400, 2.0), np.full(1400, 2.0)
    for first, error in (hard or {}).items():
        day = int((np.datetime64(first) - start).astype(int))
        squares[day : day + 7] = 2 * error**2
    return Season(start, weight, squares)


USUAL = days("2017-03-01", 60)


@pytest.mark.parametrize(
    ("hard", "factor"),
    [
        ({}, 1),
        ({"2014-12-20": 3.0, "2015-12-20": 3.0, "2016-12-20": 3.0}, 3),
        ({"2014-12-20": 1.2, "2015-12-20": 1.5, "2016-12-20": 3.0}, 1.5),
        ({"2016-12-20": 3.0}, 1),
        ({"2016-12-20": 0.5, "2015-12-20": 0.5, "2014-12-20": 0.5}, 1),
        ({"2016-11-20": 3.0, "2015-11-20": 3.0, "2014-11-20": 3.0}, 1),
    ],
)
def test_dates_are_as_hard_as_in_the_middle_of_the_years_and_never_easier_than_usual(hard, factor):
    assert season(hard).factor(days("2017-12-20"), USUAL) == pytest.approx(factor)


def test_each_year_is_held_against_its_own_usual_days():
    """2014 was twice as hard altogether, as young sales are; its Christmas was no harder."""
    whole_year = {str(day): 2.0 for day in days("2014-01-01", 364)[::7]}
    young = season(whole_year | {"2015-12-20": 1.5, "2016-12-20": 1.5})
    assert young.factor(days("2017-12-20"), USUAL) == pytest.approx(1.5)
    only = Season(young.start_date, young.weight[:365], young.squares[:365])
    assert only.factor(days("2015-12-20"), days("2015-03-01", 60)) == pytest.approx(1)


def test_a_year_whose_usual_days_are_not_known_says_nothing():
    start = np.datetime64("2015-06-01")
    squares = np.full(900, 2.0)
    squares[28:60] = 8.0
    begun_in_june = Season(start, np.full(900, 2.0), squares)
    assert begun_in_june.factor(days("2017-07-01"), USUAL) == 1


def test_the_29th_of_february_is_held_against_the_28th():
    leap = season({"2015-02-28": 2.0})
    usual = days("2016-03-10", 60)
    assert leap.factor(days("2016-02-29", 1), usual) == pytest.approx((1 + 2) / 2)


@pytest.mark.parametrize(
    ("dates", "usual"), [(days("2017-12-20"), []), (days("2014-06-01"), USUAL)]
)
def test_without_usual_days_or_earlier_years_dates_count_as_usual(dates, usual):
    assert season({"2016-12-20": 3.0}).factor(dates, usual) == 1


def naive(panel: Panel, rows: list[int], day: int) -> tuple[float, float]:
    weight = squares = 0.0
    for row in rows:
        lags = [day - lag for lag in (7, 14, 21, 28)]
        store = panel.store_position[row]
        if min(lags) < panel.series["first_sale"][row] or not panel.open_days[store, day]:
            continue
        error = np.log1p(panel.units[row, day]) - np.mean([np.log1p(panel.units[row, lags])])
        weight += panel.weights[row]
        squares += panel.weights[row] * error**2
    return weight, squares


def test_the_plain_forecast_is_the_mean_of_four_weeks_as_by_a_loop():
    panel = make_panel(seed=6, n_stores=3, n_items=6, n_days=60)
    rows = [0, 2, 3, 7]
    found = Season.of(panel, np.array(rows))
    expected = [naive(panel, rows, day) if day >= 28 else (0, 0) for day in range(60)]
    np.testing.assert_allclose(found.weight, [w for w, _ in expected])
    np.testing.assert_allclose(found.squares, [s for _, s in expected], rtol=1e-4)
    assert found.squares.any()


def test_days_too_few_for_a_plain_forecast_measure_nothing():
    found = Season.of(make_panel(n_days=28), np.arange(3))
    assert not found.weight.any()
    assert found.factor(days("2015-06-20"), days("2015-06-01")) == 1
