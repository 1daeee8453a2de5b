"""Volumes and what is usual of them, against a loop over series and days."""

from dataclasses import replace

import numpy as np
import pytest

from grocery_demand.core.monitoring.volume import MEASURES, check_volumes, measure_volumes
from grocery_demand.core.panel import Panel
from worlds import make_panel

YEAR, N_BEFORE = 364, 56


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Fifteen weeks and some days, with closed stores, promotions and series that begin late."""
    return make_panel(seed=11, n_stores=3, n_items=8, n_days=108)


def measure_day(panel: Panel, row: int, day: int) -> tuple[float, float, float]:
    """What one series sold on a day, by the three measures."""
    units = float(panel.units[row, day])
    usual = np.log1p(panel.units[row, -YEAR:]).mean(dtype=float)
    return float(units > 0), min(units, 8 * np.exp(usual)), np.log1p(units)


def is_looked_at(panel: Panel, row: int, day: int) -> bool:
    store = list(panel.stores["store_nbr"]).index(panel.series["store_nbr"][row])
    begun = panel.series["first_sale"][row] <= day
    return bool(begun and panel.open_days[store, day] and panel.promotions[row, day] == 0)


def naive_ratio(panel: Panel, rows: list[int], day: int, measure: int) -> float:
    """ln((sold + 1) / (expected + 1)) of some series; NaN where nothing was expected."""
    sold = expected = 0.0
    for row in rows:
        before = [day - 7 * week for week in range(1, 9)]
        known = [measure_day(panel, row, d)[measure] for d in before if is_looked_at(panel, row, d)]
        if is_looked_at(panel, row, day) and len(known) >= 4:
            sold += measure_day(panel, row, day)[measure]
            expected += sum(known) / len(known)
    return np.log((sold + 1) / (expected + 1)) if expected > 0 else np.nan


def groups_of(panel: Panel) -> dict[str, dict[str, list[int]]]:
    def rows_by(column: str, name: str = "{}") -> dict[str, list[int]]:
        values = panel.series[column]
        return {
            name.format(value): [row for row in range(len(values)) if values[row] == value]
            for value in sorted(set(values))
        }

    return {
        "volume of all sales": {"all stores": list(range(len(panel.series)))},
        "volume by store": rows_by("store_nbr", "store {}"),
        "volume by family": rows_by("family"),
    }


def test_volumes_are_those_of_a_loop_over_series_and_days(panel):
    volumes = measure_volumes(panel, 10)
    n_expected = 0
    for check, groups in groups_of(panel).items():
        found = volumes[check]
        assert set(found.names) == set(groups)
        assert found.first == panel.n_days - 105 + N_BEFORE
        assert found.ratios.shape == (len(MEASURES), len(groups), panel.n_days - found.first)
        for name, rows in groups.items():
            for day in range(found.first, panel.n_days, 3):
                for measure in range(len(MEASURES)):
                    expected = naive_ratio(panel, rows, day, measure)
                    given = found.ratios[measure, found.names.index(name), day - found.first]
                    assert given == pytest.approx(expected, rel=1e-4, abs=1e-5, nan_ok=True)
                    n_expected += not np.isnan(expected)
    assert n_expected > 200


LEAST = {"volume of all sales": (1.45, 1.75, 1.45), "volume by store": (1.75, 2.5, 1.75)}
FACTORS = {"volume of all sales": 1.25, "volume by store": 2.0}


def naive_excess(panel: Panel, check: str, n_recent: int) -> tuple[float, float]:
    """The worst ratio of the last days and its limit, both as factors: as the documents say it."""
    worst = (-np.inf, 0.0, 0.0)
    for rows in groups_of(panel)[check].values():
        for measure in range(len(MEASURES)):
            sizes = {
                day: abs(naive_ratio(panel, rows, day, measure))
                for day in range(panel.n_days - 105 + N_BEFORE, panel.n_days)
            }
            past = [size for day, size in sizes.items() if day < panel.n_days - n_recent]
            usual = np.quantile(np.nan_to_num(past), 0.99)
            limit = max(np.log(LEAST[check][measure]), FACTORS[check] * usual)
            for day in range(panel.n_days - n_recent, panel.n_days):
                size = np.nan_to_num(sizes[day])
                worst = max(worst, (size / limit, np.exp(size), np.exp(limit)))
    return worst[1:]


@pytest.mark.parametrize("check", ["volume of all sales", "volume by store"])
@pytest.mark.parametrize("factor", [1, 1000])
def test_the_worst_of_the_last_days_is_held_against_what_history_did(panel, check, factor):
    units = panel.units.copy()
    units[:, -2] *= factor
    damaged = replace(panel, units=units)
    found = {c.name: c for c in check_volumes(damaged, 5)}[check]
    value, limit = naive_excess(damaged, check, 5)
    assert (found.value, found.threshold) == (
        pytest.approx(value, rel=1e-3),
        pytest.approx(limit, rel=1e-3),
    )
    assert (found.state == "alarm") == (value > limit)
