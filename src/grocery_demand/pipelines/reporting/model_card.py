"""The model card: what the champion is, what it was made from, and how far it can be trusted."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from grocery_demand.core.gate import KEEP, PROMOTE
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.pipelines.reporting.card_scores import (
    describe_long_range,
    describe_scores,
    describe_weak_slices,
)
from grocery_demand.pipelines.reporting.markdown import bullets, facts
from grocery_demand.pipelines.reporting.subject import Subject

_OUTCOMES = {PROMOTE: "promoted", KEEP: "not promoted"}

_SIMULATED = """> **Simulated data.** The sales that this model learnt from are invented by
> `kedro run --pipeline simulate`. Its scores say how well it learns this invented world, and
> nothing about real stores."""

_WHAT = """## What it is

It forecasts how many units of each item each store will sell on each of the next {horizon} days:
a point forecast, the quantiles 0.1, 0.5 and 0.9, and an 80 % interval. It learns ln(1+units), the
scale of its measure NWRMSLE, on which being off by a factor counts the same for a slow seller as
for a fast one. Quantiles and interval come from errors that the same recipe made out of sample, by
size of the forecast, day ahead and unrest of the series. Words and measures: `docs/glossary.md`.

## Intended use

- To help a buyer decide how much of an item to order for one store, up to {horizon} days ahead.
- To compare the demand of items, stores and days, and to plan promotions that are known ahead.

Not meant for: prices or promotions that nobody has tried, staffing, totals over many series (see
"Limits")."""

_LIMITS = [
    "Each point forecast aims at the middle of ln(1+units), which lies below the mean in units: "
    "sums over many series come out too low{bias}. For totals, forecast totals.",
    "Units are sales, not demand: an empty shelf and a day without customers look the same.",
    "A day without a row counts as zero; returns count as zero; a promotion that is not recorded "
    "counts as none. Days on which a store sold nothing at all count as closed.",
    "Promotions enter as yes or no: neither price nor placement is known.",
    "About 80 % of all days together lie within their 80 % interval. Where hardly anything is sold "
    "it covers more, as most days have no sale and zero belongs to it; so that the total comes out "
    "right it is made for {made_for} of the other days. Within one family or store its coverage "
    "may differ. Quantiles are not adjusted so: whatever is sold, some 10 % of days lie above "
    "quantile 0.9.",
    "New items and new pairs of store and item have no history of their own: they are forecast "
    "from their class, family and store, with more error.",
    "What happens rarely (earthquakes, strikes, closures) is neither learnt nor foreseen.",
]


def write_card(
    champion: ModelVersion,
    verdict: dict[str, Any],
    scores: pd.DataFrame,
    data_quality: dict[str, Any],
    subject: Subject,
) -> str:
    """Return the champion's card as Markdown, the same text for the same inputs.

    Scores by slice are only told if the scores at hand are the champion's; otherwise the card
    gives the totals that were kept with the champion.
    """
    metadata = champion.model.metadata
    same_data = metadata["data_digest"] == data_quality["digest"]
    sections = [
        _head(champion, verdict, subject),
        *([_SIMULATED] if metadata.get("simulated") or (same_data and subject.simulated) else []),
        _WHAT.format(horizon=metadata["horizon"]),
        _describe_data(metadata, data_quality if same_data else None),
        _describe_fit(metadata),
        describe_scores(metadata, scores, subject),
        *describe_weak_slices(scores, subject),
        describe_long_range(metadata, scores, subject),
        _describe_limits(champion.model),
        _describe_verdict(verdict),
        _describe_reproduction(champion),
    ]
    return "\n\n".join(sections) + "\n"


def _head(champion: ModelVersion, verdict: dict[str, Any], subject: Subject) -> str:
    metadata = champion.model.metadata
    rows = [
        ("model", f"{metadata['model']}, feature set `{metadata['feature_set']}`"),
        ("sales it learnt from", f"{metadata['start_date']} … {metadata['cutoff']}"),
        ("model digest", f"`{champion.model.digest}`"),
        ("MLflow run", f"`{champion.run_id}`" if champion.run_id else "–"),
    ]
    title = f"# Model card: grocery demand, version {champion.number}"
    return "\n\n".join([title, _standing(verdict, subject), facts(rows)])


def _standing(verdict: dict[str, Any], subject: Subject) -> str:
    if subject.champion_is_scored and verdict["outcome"] == PROMOTE:
        return "The champion, promoted by the verdict below."
    if subject.champion_is_scored:
        return "The champion. The model trained last is the same, so nothing was to be promoted."
    return (
        f"The champion. The model trained last is {subject.scored}: the figures of errors, of the "
        "holdout and of the features are that model's, not the champion's; the verdict below is "
        "about it, too. All other numbers on this card are the champion's."
    )


def _describe_data(metadata: dict[str, Any], data_quality: dict[str, Any] | None) -> str:
    rows = [
        ("days", f"{metadata['start_date']} … {metadata['cutoff']}"),
        ("stores, items, series", _counts(metadata)),
        ("digest of the raw files", f"`{metadata['data_digest']}`"),
    ]
    if data_quality is None:
        note = (
            "These are the data it was trained on. The data that were read last are others, so "
            "that their quality report says nothing about this model."
        )
    else:
        rows += _quality_facts(data_quality)
        note = "What was set aside, and why: `data/02_intermediate/data_quality.json`."
    return "\n\n".join(["## Data", facts(rows), note])


def _counts(metadata: dict[str, Any]) -> str:
    return ", ".join(f"{metadata[name]:,}" for name in ("stores", "items", "series"))


def _quality_facts(data_quality: dict[str, Any]) -> Iterator[tuple[str, str]]:
    origin = {True: "simulated", False: "not marked as simulated", None: "not known"}
    yield "origin", origin[data_quality.get("simulated")]
    yield "rows read, all tables", f"{data_quality['rows_read']:,}"
    yield "rows set aside", f"{data_quality['rows_quarantined']:,}"
    sales = data_quality["sales"]
    yield "rows with returns", f"{sales['returns']:,}"
    yield (
        "rows with promotion yes, unknown",
        (f"{sales['promotions'] or 0:,}, {sales['promotions_unknown']:,}"),
    )


def _describe_fit(metadata: dict[str, Any]) -> str:
    settings = metadata["settings"]
    rows = [
        ("model", metadata["model"]),
        ("feature set", f"{metadata['feature_set']}, {metadata['features']} features"),
        ("horizon", f"{metadata['horizon']} days"),
        ("seed", metadata["seed"]),
        ("settings", ", ".join(f"{k} {settings[k]}" for k in sorted(settings)) or "–"),
    ]
    text = (
        "First on the sales up to "
        f"{metadata['holdout_cutoff']}: that model forecast the {metadata['horizon']} days after "
        "it (the holdout), on which nothing was fitted or tuned, and the scores below are its. "
        f"Then again, by the same recipe, on all sales up to {metadata['cutoff']}: this model "
        "makes the forecasts."
    )
    return "\n\n".join(["## How it was fitted", text, facts(rows)])


def _describe_limits(model: TrainedModel) -> str:
    bias = model.metadata["metrics"].get("bias")
    told = {
        "bias": "" if bias is None else f" (bias on the holdout {bias:+.1%})",
        "made_for": f"{1 - model.final.intervals.tail:.1%}",
    }
    return "## Limits and known weaknesses\n\n" + bullets(s.format(**told) for s in _LIMITS)


def _describe_verdict(verdict: dict[str, Any]) -> str:
    challenger = verdict["challenger"]
    name = f"version {challenger['version']} ({challenger['model']})"
    outcome = _OUTCOMES.get(verdict["outcome"], "rejected")
    if verdict.get("rollout"):
        outcome = f"accepted, {verdict['rollout']['mode']} first"
    return f"## Verdict: {name} {outcome}\n\n{bullets(verdict['reasons'])}"


def _describe_reproduction(champion: ModelVersion) -> str:
    metadata = champion.model.metadata
    given = {f"training.{name}": value for name, value in metadata["training"].items()}
    of_model = f"model_settings.{metadata['model']}"
    given |= {f"{of_model}.{name}": value for name, value in metadata["settings"].items()}
    params = ",".join(f"{name}={value}" for name, value in given.items())
    where = f"MLflow run `{champion.run_id}`" if champion.run_id else "its MLflow run"
    return (
        "## To reproduce\n\n"
        f"All parameters, the git commit and the versions of all packages are on {where}. With "
        f"that commit and the raw files of digest `{metadata['data_digest'][:12]}…`:\n\n"
        f"    kedro run --pipeline train --params {params}\n\n"
        "The same data, code and parameters give the model digest above."
    )
