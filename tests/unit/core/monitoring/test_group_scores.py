import numpy as np
import pytest

from grocery_demand.core import metrics
from grocery_demand.core.monitoring.group_scores import score_groups, sum_groups, to_scores
from live_rows import make_live


def test_scores_are_those_of_the_metrics_for_each_group():
    rows = make_live()
    table = score_groups(rows, ["family", "type"])
    assert len(table) == rows.select("family", "type").n_unique()
    for found in table.to_dicts():
        group = rows.filter(family=found["family"], type=found["type"])
        actual, weight = group["unit_sales"].to_numpy(), group["weight"].to_numpy()
        point = group["point"].to_numpy()
        assert found["rows"] == len(group)
        assert found["nwrmsle"] == pytest.approx(metrics.nwrmsle(actual, point, weight))
        for name in ("moving_average", "seasonal_naive"):
            baseline = group[name].to_numpy()
            assert found[name] == pytest.approx(metrics.nwrmsle(actual, baseline, weight))
        assert found["wape"] == pytest.approx(metrics.wape(actual, point))
        assert found["bias"] == pytest.approx(metrics.bias(actual, point))
        bounds = (group[name].to_numpy() for name in ("interval_low", "interval_high"))
        assert found["coverage"] == pytest.approx(metrics.coverage(actual, *bounds))


def test_sums_of_parts_add_up_to_the_sum_of_all():
    rows = make_live()
    parts = sum_groups(rows, ["date"]).drop("date").sum()
    whole = sum_groups(rows, ["interval_low"]).drop("interval_low").sum()
    assert to_scores(parts).row(0) == pytest.approx(to_scores(whole).row(0))


def test_a_group_that_sold_nothing_has_no_bias():
    rows = make_live(n_series=2, n_days=3)
    silent = rows.with_columns(unit_sales=rows["unit_sales"] * 0.0)
    assert np.isnan(score_groups(silent, ["type"])["bias"].to_numpy()).all()
