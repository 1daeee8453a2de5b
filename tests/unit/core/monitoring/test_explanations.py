import polars as pl
import pytest

from grocery_demand.core.monitoring.explanations import EXPLANATION_COLUMNS, check_explanations

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
