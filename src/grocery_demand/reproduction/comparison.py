"""Two runs held against each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from grocery_demand.reproduction.recorded_run import RecordedRun

EQUAL, DIFFERENT, UNKNOWN = "equal", "DIFFERENT", "unknown"

_MOST_NAMED = 5
_SHOWN = 12
"""Characters of a digest."""


@dataclass(frozen=True)
class Finding:
    """One thing that two runs have in common, or not.

    Attributes:
        subject: What was compared.
        state: `equal`, `DIFFERENT`, or `unknown` if it cannot be said.
        detail: The value, or how the values differ.
    """

    subject: str
    state: str
    detail: str


def compare_runs(first: RecordedRun, again: RecordedRun) -> list[Finding]:
    """Compare what two runs were made from and what came out, number by number.

    The gate's comparison with a champion is left out: it depends on who was champion.
    """
    over = [_compare_tag("workers", "workers", first, again)] if first.workers else []
    return [
        _compare_code(first, again),
        _compare_tag("data", "data_digest", first, again),
        _compare_values("parameters", first.logged, again.logged),
        _compare_tag("locked versions", "lock_digest", first, again),
        _compare_values("installed versions", _libraries(first), _libraries(again)),
        *over,
        _compare_values("outcome", {"status": first.status}, {"status": again.status}),
        _compare_values("scores", first.metrics, again.metrics),
        _compare_tag("model", "model_digest", first, again),
    ]


def _compare_code(first: RecordedRun, again: RecordedRun) -> Finding:
    found = _compare_tag("code", "git_commit", first, again)
    if found.state == EQUAL and first.tags.get("git_dirty") != "false":
        changes = first.tags.get("git_changes", "which ones is not known")
        told = f"{found.detail}, with changes that were not committed: {changes}"
        return Finding("code", UNKNOWN, told)
    return found


def _compare_tag(subject: str, tag: str, first: RecordedRun, again: RecordedRun) -> Finding:
    was, is_now = first.tags.get(tag), again.tags.get(tag)
    if was is None or is_now is None:
        return Finding(subject, UNKNOWN, f"not recorded (tag {tag})")
    if was == is_now:
        return Finding(subject, EQUAL, was[:_SHOWN])
    return Finding(subject, DIFFERENT, f"{was[:_SHOWN]}, now {is_now[:_SHOWN]}")


def _compare_values(
    subject: str, was: Mapping[str, object], is_now: Mapping[str, object]
) -> Finding:
    if not was and not is_now:
        return Finding(subject, UNKNOWN, "not recorded")
    names = [name for name in sorted({*was, *is_now}) if was.get(name) != is_now.get(name)]
    if not names:
        detail = str(next(iter(was.values()))) if len(was) == 1 else f"{len(was)} values"
        return Finding(subject, EQUAL, detail)
    told = [f"{name} {was.get(name)}, now {is_now.get(name)}" for name in names[:_MOST_NAMED]]
    more = len(names) - len(told)
    return Finding(subject, DIFFERENT, "; ".join(told) + (f"; {more} more" if more else ""))


def _libraries(run: RecordedRun) -> dict[str, str]:
    pairs = (entry.partition("==") for entry in run.tags.get("libraries", "").split())
    return {name: version for name, _, version in pairs}
