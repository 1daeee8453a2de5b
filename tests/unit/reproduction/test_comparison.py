"""Two runs held against each other."""

import dataclasses

import pytest

from grocery_demand.reproduction.comparison import DIFFERENT, EQUAL, UNKNOWN, compare_runs
from grocery_demand.reproduction.recorded_run import RecordedRun

TAGS = {
    "git_commit": "c0ffee" * 6,
    "git_dirty": "false",
    "data_digest": "da7a" * 16,
    "lock_digest": "10c4" * 16,
    "libraries": "python==3.11.7 numpy==2.4.6",
    "model_digest": "30de1" * 12,
}
RUN = RecordedRun("r1", "FINISHED", TAGS, {"training.seed": "7"}, {"nwrmsle": 0.5, "bias": 0.1})


def other(**changes) -> RecordedRun:
    """Return the run with other tags, or other fields."""
    fields = {
        name: changes.pop(name) for name in ("status", "logged", "metrics") if name in changes
    }
    return dataclasses.replace(RUN, tags=TAGS | changes, **fields)


def compare(first: RecordedRun, again: RecordedRun) -> dict[str, tuple[str, str]]:
    return {found.subject: (found.state, found.detail) for found in compare_runs(first, again)}


def test_the_same_run_is_equal_in_everything():
    assert {state for state, _ in compare(RUN, other()).values()} == {EQUAL}


@pytest.mark.parametrize(
    ("changed", "subject", "told"),
    [
        ({"git_commit": "beef" * 10}, "code", "c0ffeec0ffee, now beefbeefbeef"),
        ({"data_digest": "0" * 64}, "data", "da7ada7ada7a, now 000000000000"),
        ({"lock_digest": "0" * 64}, "locked versions", "10c410c410c4, now 000000000000"),
        ({"libraries": "python==3.11.7 numpy==2.5"}, "installed versions", "numpy 2.4.6, now 2.5"),
        ({"model_digest": "0" * 60}, "model", "30de130de130, now 000000000000"),
        ({"logged": {"training.seed": "8"}}, "parameters", "training.seed 7, now 8"),
        ({"logged": {}}, "parameters", "training.seed 7, now None"),
        ({"status": "FAILED"}, "outcome", "status FINISHED, now FAILED"),
        ({"metrics": {"nwrmsle": 0.5, "bias": 0.1 + 1e-15}}, "scores", "bias 0.1, now 0.1000"),
        ({"metrics": {"nwrmsle": 0.5}}, "scores", "bias 0.1, now None"),
    ],
)
def test_a_difference_is_told_and_nothing_else(changed, subject, told):
    found = compare(RUN, other(**changed))
    different = {name: detail for name, (state, detail) in found.items() if state == DIFFERENT}
    assert set(different) == {subject}
    assert told in different[subject]


def test_many_differences_are_counted():
    many = {f"score_{number}": float(number) for number in range(8)}
    found = compare(other(metrics=many), other(metrics={}))
    assert found["scores"][1].endswith("score_4 4.0, now None; 3 more")


@pytest.mark.parametrize("dirty", ["true", "unknown"])
def test_code_that_was_not_committed_is_not_known(dirty):
    found = compare(other(git_dirty=dirty, git_changes="M model.py"), RUN)
    assert found["code"][0] == UNKNOWN
    assert found["code"][1].endswith("not committed: M model.py")


def test_what_was_not_recorded_is_not_known():
    bare = dataclasses.replace(RUN, tags={}, logged={}, metrics={})
    found = compare(bare, bare)
    assert found.pop("outcome")[0] == EQUAL
    assert {state for state, _ in found.values()} == {UNKNOWN}
