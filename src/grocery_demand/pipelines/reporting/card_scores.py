"""The scores on the model card: beside the baselines, and where the model is weak."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.intervals import INTERVAL_LEVEL
from grocery_demand.core.long_range import YEARLY_NAIVE
from grocery_demand.core.scores import ABOVE_ZERO, FROM_ZERO
from grocery_demand.figure_style import in_words
from grocery_demand.pipelines.reporting.error_figures import models_in_order, select_slice
from grocery_demand.pipelines.reporting.markdown import bullets, number, table
from grocery_demand.pipelines.reporting.subject import Subject

_MEASURES = {
    "nwrmsle": ("NWRMSLE", ".4f"),
    "r2_score": ("R²", ".3f"),
    "wape": ("WAPE", ".1%"),
    "bias": ("bias", "+.1%"),
    "pinball_loss": ("pinball loss", ".3f"),
    "coverage": ("coverage", ".1%"),
}
_BASELINE_KEY = "baseline_{}_nwrmsle"
_MOST_TOLD = 5

_ENOUGH_ROWS = 200
"""Rows from which on a slice may be named the weakest: with few, chance decides which it is."""

_WANTED_COVERAGE = (0.7, 0.9)
"""Of the 80 % interval in each family, where days without a sale permit it."""


def describe_scores(metadata: dict[str, Any], scores: pd.DataFrame, subject: Subject) -> str:
    """Return the total scores of holdout and backtest, beside the baselines."""
    header = ["", *(heading for heading, _ in _MEASURES.values())]
    if subject.champion_is_scored:
        rows = list(_rows_of_table(scores, subject))
    else:
        rows = list(_rows_of_metrics(metadata))
    text = (
        f"Holdout: the {metadata['horizon']} days after {metadata['holdout_cutoff']}. Backtest: "
        "earlier cutoffs. Lower is better for NWRMSLE, WAPE and pinball loss; R² is best at 1, "
        "bias at 0, coverage of the 80 % interval at 80 %."
    )
    return "\n\n".join(["## Scores", table(header, rows), text])


def describe_long_range(metadata: dict[str, Any], scores: pd.DataFrame, subject: Subject) -> str:
    """Return how well dates beyond the horizon were forecast, by days ahead."""
    furthest = metadata.get("furthest_step", metadata["horizon"])
    head = "## Dates beyond the horizon\n\n"
    if furthest <= metadata["horizon"]:
        return head + "None are forecast: the sales are too short to learn and to test it."
    metrics = metadata["metrics"]
    text = (
        f"Dates up to {furthest} days after the last sales are forecast by a model of its own, "
        "marked `long_range`; promotions beyond the plan count as unknown. Its backtest forecast "
        "from cutoffs up to a year back: NWRMSLE "
        f"{number(metrics.get('long_range_nwrmsle'))}, the yearly seasonal naive's "
        f"{number(metrics.get(f'long_range_baseline_{YEARLY_NAIVE}_nwrmsle'))}."
    )
    rows = scores[(scores["evaluation"] == "long_range") & (scores["slice"] == "step")]
    if rows.empty or not subject.champion_is_scored:
        return head + text
    errors = rows.pivot_table(
        index="value", columns="model", values="nwrmsle", observed=True, sort=False
    )
    own = rows[rows["model"] == subject.scored_model].set_index("value")
    baselines = [name for name in (YEARLY_NAIVE, MOVING_AVERAGE) if name in errors]
    lines = [
        [
            span,
            f"{own.loc[span, 'rows']:,}",
            *(number(errors.loc[span, model]) for model in (subject.scored_model, *baselines)),
            number(own.loc[span, "coverage"], ".1%"),
        ]
        for span in own.index
    ]
    header = ["days ahead", "rows", "this model", *map(in_words, baselines), "coverage"]
    return head + "\n\n".join([text, table(header, lines)])


def describe_weak_slices(scores: pd.DataFrame, subject: Subject) -> Iterator[str]:
    """Yield the sections on slices; one that says where to look if they are not the champion's."""
    if not subject.champion_is_scored:
        yield (
            "## Slices\n\nScores by family, store, store type and day ahead are with the MLflow "
            "run that made this version. Those at hand belong to the model trained last."
        )
        return
    yield "## Slices (holdout)"
    yield from (
        f"### {title}\n\n{_slice_table(scores, name, subject, worst_only=worst_only)}"
        for title, name, worst_only in (
            ("Store types", "type", False),
            ("Weakest families", "family", True),
            ("Weakest stores", "store_nbr", True),
            ("New series (no sale before the holdout)", "new", False),
        )
    )
    yield "### Beaten by a baseline\n\n" + _describe_defeats(scores, subject)
    yield "### Intervals\n\n" + _describe_coverage(scores, subject)


def _rows_of_table(scores: pd.DataFrame, subject: Subject) -> Iterator[list[str]]:
    for evaluation in ("holdout", "backtest"):
        total = scores[(scores["evaluation"] == evaluation) & (scores["slice"] == "total")]
        for model in models_in_order(total, subject):
            row = total[total["model"] == model].iloc[0]
            label = "this model" if model == subject.scored_model else in_words(model)
            values = [number(row[name], form) for name, (_, form) in _MEASURES.items()]
            yield [f"{evaluation}: {label}", *values]


def _rows_of_metrics(metadata: dict[str, Any]) -> Iterator[list[str]]:
    metrics = metadata["metrics"]
    blank = ["–"] * (len(_MEASURES) - 1)
    for evaluation, prefix in (("holdout", ""), ("backtest", "backtest_")):
        values = [number(metrics.get(prefix + name), form) for name, (_, form) in _MEASURES.items()]
        yield [f"{evaluation}: this model", *values]
        for model in ("moving_average", "seasonal_naive"):
            score = metrics.get(prefix + _BASELINE_KEY.format(model))
            if score is not None:
                yield [f"{evaluation}: {in_words(model)}", number(score), *blank]


def _slice_table(scores: pd.DataFrame, name: str, subject: Subject, *, worst_only: bool) -> str:
    side_by_side = _beside_baselines(scores, name, subject)
    if worst_only:
        side_by_side = _large_ones(side_by_side).nlargest(_MOST_TOLD, subject.scored_model)
    baselines = [column for column in side_by_side if column in _baselines(scores, subject)]
    header = [name, "rows", "this model", *map(in_words, baselines), "bias", "coverage", "no sale"]
    rows = [
        [
            row["value"],
            f"{row['rows']:,}",
            *(number(row[model]) for model in (subject.scored_model, *baselines)),
            number(row["bias"], "+.1%"),
            number(row["coverage"], ".1%"),
            number(row["zero_share"], ".1%"),
        ]
        for row in side_by_side.to_dict("records")
    ]
    return table(header, rows)


def _beside_baselines(scores: pd.DataFrame, name: str, subject: Subject) -> pd.DataFrame:
    """Return one row per value: what is told of the model alone, and the NWRMSLE of each model."""
    rows = select_slice(scores, name)
    own = rows[rows["model"] == subject.scored_model]
    errors = rows.pivot_table(index="value", columns="model", values="nwrmsle", observed=True)
    return own[["value", "rows", "zero_share", "bias", "coverage"]].merge(errors, on="value")


def _large_ones(slices: pd.DataFrame) -> pd.DataFrame:
    """Return the slices with enough rows, at any rate the larger half."""
    return slices[slices["rows"] >= min(_ENOUGH_ROWS, slices["rows"].median())]


def _baselines(scores: pd.DataFrame, subject: Subject) -> list[str]:
    return models_in_order(scores, subject)[1:]


def _describe_defeats(scores: pd.DataFrame, subject: Subject) -> str:
    told = []
    for name, word in (("family", "family"), ("store_nbr", "store"), ("step", "day ahead")):
        side_by_side = _beside_baselines(scores, name, subject)
        for model in _baselines(scores, subject):
            lost = side_by_side[side_by_side[model] < side_by_side[subject.scored_model]]
            told += [
                f"{word} {row['value']}: NWRMSLE {row[subject.scored_model]:.4f}, the "
                f"{in_words(model)}'s {row[model]:.4f} ({row['rows']:,} rows)"
                for row in lost.to_dict("records")
            ]
    return bullets(told) or "In no family, store or day ahead."


def _describe_coverage(scores: pd.DataFrame, subject: Subject) -> str:
    own = scores[(scores["model"] == subject.scored_model) & (scores["evaluation"] == "holdout")]
    families = own[own["slice"] == "family"].sort_values("coverage")
    is_quiet = families["zero_share"] > INTERVAL_LEVEL
    return "\n\n".join(
        [
            " ".join(_describe_beginnings(own)),
            *_describe_families(families[~is_quiet]),
            *_describe_quiet_families(families[is_quiet]),
            "The figure of calibration shows all families, beside their days without a sale.",
        ]
    )


def _describe_beginnings(own: pd.DataFrame) -> Iterator[str]:
    """Yield how often the intervals covered, in all and by where they begin."""
    parts = own.set_index(["slice", "value"]).to_dict("index")
    total = parts["total", "all"]
    yield (
        f"The 80 % interval covered {total['coverage']:.1%} of all days; "
        f"{total['zero_share']:.1%} of them were without a sale."
    )
    for value in (ABOVE_ZERO, FROM_ZERO):
        if part := parts.get(("interval", value)):
            yield (
                f"Where it begins {value}, it covered {part['coverage']:.1%} of "
                f"{part['rows']:,} days ({part['zero_share']:.1%} without a sale)."
            )


def _describe_families(families: pd.DataFrame) -> Iterator[str]:
    """Yield between which families coverage lies, and which lie outside of what is wanted."""
    if families.empty:
        return
    lowest, highest = _large_ones(families).iloc[[0, -1]].to_dict("records")
    yield (
        f"By family, it covered least in {_tell_coverage(lowest)} and most in "
        f"{_tell_coverage(highest)}."
    )
    least, most = _WANTED_COVERAGE
    outside = families[~families["coverage"].between(least, most)]
    if not outside.empty:
        yield (
            f"Outside of {least:.0%} to {most:.0%}, which is wanted in each family (of few days, "
            "chance decides):"
        )
        yield bullets(map(_tell_coverage, outside.to_dict("records")))


def _describe_quiet_families(families: pd.DataFrame) -> Iterator[str]:
    """Yield the families whose intervals cannot cover as few days as they say."""
    if families.empty:
        return
    yield (
        f"In these families more than {INTERVAL_LEVEL:.0%} of the days were without a sale. An "
        "interval that holds zero covers all of those, so that its coverage is to be judged by "
        "their share:"
    )
    yield bullets(map(_tell_coverage, families.to_dict("records")))


def _tell_coverage(family: dict[Hashable, Any]) -> str:
    return (
        f"{family['value']} ({family['coverage']:.1%} of {family['rows']:,} days, "
        f"{family['zero_share']:.1%} without a sale)"
    )
