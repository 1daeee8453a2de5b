"""The verdict as Markdown."""

from grocery_demand.delivery.verdict import write_verdict

VERDICT = {
    "outcome": "reject",
    "reasons": ["Rejected: it misses a bar."],
    "checks": [
        {"name": "nwrmsle", "kind": "bar", "passed": False, "reason": "0.9 | is above 0.8."},
        {"name": "r2_score", "kind": "bar", "passed": True, "reason": "0.1 is above 0."},
        {"name": "champion", "kind": "champion", "passed": None, "reason": "There is none."},
    ],
    "challenger": {"version": 4, "model": "decision_tree", "feature_set": "workshop"},
    "holdout": {"rows": 1298, "first_date": "2017-05-16", "last_date": "2017-05-31"},
    "data_digest": "0123456789abcdef",
}


def test_outcome_reasons_and_each_check_are_told():
    lines = write_verdict(VERDICT).splitlines()
    assert lines[0] == "## Gate: reject"
    assert "- Rejected: it misses a bar." in lines
    assert "| r2_score | yes | 0.1 is above 0. |" in lines
    assert "| champion | – | There is none. |" in lines
    assert any("version 4 (decision_tree, features `workshop`)" in line for line in lines)


def test_a_reason_with_a_bar_does_not_break_the_table():
    assert "| nwrmsle | **no** | 0.9 \\| is above 0.8. |" in write_verdict(VERDICT)
