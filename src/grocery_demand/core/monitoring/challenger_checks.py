"""Whether a challenger does well beside the champion, and what to do about it."""

import numpy as np
import pandas as pd

from grocery_demand.core.monitoring.advice import END_CHALLENGER
from grocery_demand.core.monitoring.challenger import LiveComparison
from grocery_demand.core.monitoring.check import ALARM, CHALLENGER, OK, UNKNOWN, WATCH, Check
from grocery_demand.core.rollout import CANARY, SHADOW, Rollout

MAX_MISSED_SHARE = 0.01
"""Share of its forecasts that a challenger may fail to make."""

_FEWEST_SERIES, _FEWEST_DAYS = 20, 3
_FEWEST_REQUESTS = 100
_SLOWER, _SLOWER_BY_MS = 3.0, 5.0
_NEXT = {
    CANARY: "Promote it: `kedro challenger promote`.",
    SHADOW: "Give it a share of the answers: `kedro challenger canary`.",
}


def check_challenger(
    live: LiveComparison, measures: pd.DataFrame, misses: pd.DataFrame, rollout: Rollout
) -> list[Check]:
    """Check error, failures and latency of the challenger that is served.

    Args:
        live: The errors on the same rows.
        measures: See `challenger.tabulate_measures`.
        misses: Of the event log, see `ServedEvents`.
        rollout: How it is served.
    """
    table = measures.set_index("measure").astype(float)
    checks = [_check_error(live, rollout), _check_misses(table, misses, rollout)]
    return [*checks, *_check_latency(table, rollout)]


def _check_error(live: LiveComparison, rollout: Rollout) -> Check:
    name = "error beside the champion"
    who = f"The {rollout.mode}, version {rollout.model_version},"
    if not live.rows:
        told = f"{who} has no stored forecast yet whose sales have arrived."
        mend = "`kedro run --pipeline forecast` or `update` stores some each day."
        return Check(CHALLENGER, name, UNKNOWN, told, mend)
    on = f"on {live.rows:,} forecasts of {live.series:,} series and {live.days} days"
    scores = f"NWRMSLE {live.challenger:.4f}, the champion's {live.champion:.4f}"
    if live.series < _FEWEST_SERIES or live.days < _FEWEST_DAYS or np.isnan(live.lower):
        told = f"{who} has {scores} {on}: too few to tell."
        return Check(CHALLENGER, name, UNKNOWN, told, "Look again tomorrow.")
    low, high = live.lower / live.champion, live.upper / live.champion
    interval = f"[{low:+.1%}, {high:+.1%}]".replace("-", "−")
    by = live.difference / live.champion
    values = (live.difference, 0.0)
    if live.lower > 0:
        state = ALARM if rollout.mode == CANARY else WATCH
        told = f"{who} is worse by {by:.1%} {interval} {on} ({scores})."
        return Check(CHALLENGER, name, state, told, f"Switch it off: `{END_CHALLENGER}`.", *values)
    if live.upper < 0:
        told = f"{who} is better by {-by:.1%} {interval} {on} ({scores})."
        return Check(CHALLENGER, name, OK, told, _NEXT[rollout.mode], *values)
    told = f"{who} differs by {by:+.1%} {interval} {on} ({scores}): chance may explain it."
    return Check(CHALLENGER, name, OK, told.replace("by -", "by −"), "", *values)


def _check_misses(table: pd.DataFrame, misses: pd.DataFrame, rollout: Rollout) -> Check:
    name = "forecasts not made"
    known = table["challenger"].get("requests", float("nan"))
    made = 0.0 if np.isnan(known) else float(known)
    own = misses[misses["model_version"] == rollout.model_version] if len(misses) else misses
    missed = float(own["requests"].sum()) if len(own) else 0.0
    if not made + missed:
        told = "The web app has not asked it for any forecast yet."
        return Check(CHALLENGER, name, UNKNOWN, told, "Its events may lie in another database.")
    share = missed / (made + missed)
    if not missed:
        told = f"It made all {made:,.0f} forecasts that it was asked for."
        return Check(CHALLENGER, name, OK, told, "", share, MAX_MISSED_SHARE)
    reason = own.sort_values("requests")["reason"].iloc[-1]
    told = (
        f"It did not make {missed:,.0f} of {made + missed:,.0f} forecasts ({share:.1%}), as "
        f"{reason}. The champion's were given."
    )
    bad = share > MAX_MISSED_SHARE
    mend = f"See the app's log; switch it off: `{END_CHALLENGER}`." if bad else ""
    return Check(CHALLENGER, name, WATCH if bad else OK, told, mend, share, MAX_MISSED_SHARE)


def _check_latency(table: pd.DataFrame, rollout: Rollout) -> list[Check]:
    """Compare the medians; of a shadow nobody waits for an answer."""
    if rollout.mode != CANARY or (table.loc["requests"].fillna(0) < _FEWEST_REQUESTS).any():
        return []
    ours, theirs = (float(table[who]["latency_ms"]) for who in ("champion", "challenger"))
    limit = _SLOWER * ours + _SLOWER_BY_MS
    told = f"Half of its answers take less than {theirs:.1f} ms, of the champion's {ours:.1f} ms."
    slow = theirs > limit
    mend = f"If that is too slow: `{END_CHALLENGER}`." if slow else ""
    return [Check(CHALLENGER, "latency", WATCH if slow else OK, told, mend, theirs, limit)]
