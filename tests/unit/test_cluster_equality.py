"""What the comparison of a cluster with one machine tolerates."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def equality(scripts):
    return scripts("benchmarks/cluster_equality")


def panels(differ: int) -> pd.DataFrame:
    return pd.DataFrame({"what": ["units", "promotions"], "that differ": [0, differ]})


def row(equality, model: str, percent: float, apart: float) -> dict[str, object]:
    return {
        "model": model,
        "holdout, difference in %": 0.0,
        "backtest, difference in %": percent,
        equality._APART: apart,
    }


def test_differences_within_the_tolerances_are_none(equality):
    rows = [row(equality, "all-rows", -0.4, 0.0009), row(equality, "as-configured", 0.4, 0.09)]
    assert equality.find_beyond(panels(0), rows) == []


def test_whatever_is_beyond_its_tolerance_is_told(equality):
    rows = [row(equality, "all-rows", -0.6, 0.09), row(equality, "as-configured", np.nan, 0.2)]
    told = equality.find_beyond(panels(3), rows)
    assert told[0] == "3 values differ in promotions; none may."
    assert [sentence.split(":")[0] for sentence in told[1:]] == ["all-rows"] * 2 + [
        "as-configured"
    ] * 2
    assert told[1] == "all-rows: backtest, difference in %: -0.6, beyond 0.5."
