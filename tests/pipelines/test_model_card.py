"""The model card: what it tells of which model, and from whose numbers."""

from dataclasses import replace

import pytest

from grocery_demand.core.model_version import ModelVersion
from reports import FIGURES, holdout_scores, make


def cells_of(card: str, first: str) -> list[str]:
    """Return the cells of the first table row of the card that begins so."""
    row = next(line for line in card.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def test_the_card_tells_the_scores_beside_the_baselines(made, parts):
    card = made["model_card"]
    assert "|  | NWRMSLE | R² | WAPE | bias | pinball loss | coverage |" in card
    own = holdout_scores(parts, "total").loc["all"]
    assert cells_of(card, "holdout: this model")[1:] == [
        f"{own['nwrmsle']:.4f}",
        f"{own['r2_score']:.3f}",
        f"{own['wape']:.1%}",
        f"{own['bias']:+.1%}",
        f"{own['pinball_loss']:.3f}",
        f"{own['coverage']:.1%}",
    ]
    for model in ("moving_average", "seasonal_naive"):
        baseline = holdout_scores(parts, "total", model).loc["all"]
        cells = cells_of(card, f"holdout: {model.replace('_', ' ')}")
        assert cells[1] == f"{baseline['nwrmsle']:.4f}"
        assert cells[-2:] == ["–", "–"]
    assert "| backtest: this model |" in card


def test_the_card_tells_digest_verdict_data_limits_and_how_to_reproduce_it(made, parts, panel):
    card, model = made["model_card"], parts["champion"].model
    assert card.startswith("# Model card: grocery demand, version 3\n\nThe champion, promoted by")
    assert f"| model digest | `{model.digest}` |" in card
    assert "| MLflow run | `0123abcd` |" in card
    assert f"| sales it learnt from | {panel.start_date} … {panel.cutoff} |" in card
    assert f"| digest of the raw files | `{panel.digest}` |" in card
    assert f"| stores, items, series | 3, 8, {len(panel.series)} |" in card
    assert "| origin | not marked as simulated |" in card
    assert "| rows read, all tables | 12,345 |" in card
    assert "| rows set aside | 67 |" in card
    assert "| rows with promotion yes, unknown | 901, 5 |" in card
    assert "| settings | min_child_samples 10, n_estimators 15, num_leaves 15 |" in card
    assert "## Verdict: version 3 (lightgbm) promoted" in card
    for reason in parts["verdict"]["reasons"]:
        assert f"- {reason}" in card
    bias = holdout_scores(parts, "total").loc["all", "bias"]
    limits = card.partition("## Limits and known weaknesses")[2].partition("##")[0]
    assert f"too low (bias on the holdout {bias:+.1%})" in limits
    assert "    kedro run --pipeline train --params training.model=lightgbm," in card
    assert "Simulated" not in card


def test_the_card_names_the_weakest_slices_and_where_a_baseline_is_better(made, parts):
    card = made["model_card"]
    own, other = (
        holdout_scores(parts, "step", model)["nwrmsle"] for model in ("lightgbm", "moving_average")
    )
    better = [step for step in own.index if other[step] < own[step]]
    assert better
    told = card.partition("### Beaten by a baseline")[2].partition("###")[0]
    named = [line for line in told.splitlines() if "day ahead" in line and "moving" in line]
    assert [line.split(":")[0] for line in named] == [f"- day ahead {step}" for step in better]
    for kind in holdout_scores(parts, "type").itertuples():
        assert cells_of(card, kind.Index)[2] == f"{kind.nwrmsle:.4f}"


def test_the_card_tells_coverage_in_all_by_where_intervals_begin_and_by_family(made, parts):
    told = made["model_card"].partition("### Intervals")[2].partition("\n## ")[0]
    total = holdout_scores(parts, "total").loc["all"]
    assert f"covered {total['coverage']:.1%} of all days; {total['zero_share']:.1%} of" in told
    for begins, part in holdout_scores(parts, "interval").iterrows():
        assert (
            f"Where it begins {begins}, it covered {part['coverage']:.1%} of {part['rows']:,} days "
            f"({part['zero_share']:.1%} without a sale)"
        ) in told
    assert f"made for {1 - parts['champion'].model.final.intervals.tail:.1%}" in made["model_card"]


def test_families_are_judged_by_their_days_without_a_sale(parts):
    names = holdout_scores(parts, "family").index
    scores = parts["scores"].copy()
    shares = {names[0]: (0.97, 0.97), names[1]: (0.6, 0.2), names[2]: (0.95, 0.4)}
    for family, figures in shares.items():
        rows = (scores["slice"] == "family") & (scores["value"] == family)
        scores.loc[rows, ["coverage", "zero_share"]] = figures
    told = make(["model_card"], parts, scores=scores)["model_card"].partition("### Intervals")[2]
    wanted, _, quiet = told.partition("In these families more than 80%")
    listed = wanted.partition("Outside of 70% to 90%")[2]
    assert f"- {names[1]} (60.0% of" in listed
    assert f"- {names[2]} (95.0% of" in listed
    assert names[0] not in wanted
    assert f"- {names[0]} (97.0% of" in quiet
    assert "97.0% without a sale)" in quiet


def test_a_report_of_simulated_data_says_so_on_the_card_and_in_every_figure(parts):
    quality = parts["data_quality"] | {"simulated": True}
    simulated = make(["model_card", *FIGURES], parts, data_quality=quality)
    assert "> **Simulated data.**" in simulated["model_card"]
    assert "| origin | simulated |" in simulated["model_card"]
    for name in FIGURES:
        assert "Simulated data" in simulated[name].layout.title.subtitle.text


def test_a_model_of_simulated_sales_says_so_also_after_days_were_added(parts):
    metadata = parts["champion"].model.metadata | {"simulated": True}
    model = replace(parts["champion"].model, metadata=metadata)
    champion = replace(parts["champion"], model=model)
    quality = parts["data_quality"] | {"digest": "before the days were added"}
    made = make(["model_card", *FIGURES], parts, champion=champion, data_quality=quality)
    assert "> **Simulated data.**" in made["model_card"]
    for name in FIGURES:
        assert "Simulated data" in made[name].layout.title.subtitle.text


def test_data_of_which_the_origin_was_not_noted_are_of_unknown_origin(parts):
    quality = {k: v for k, v in parts["data_quality"].items() if k != "simulated"}
    card = make(["model_card"], parts, data_quality=quality)["model_card"]
    assert "| origin | not known |" in card


@pytest.mark.parametrize(
    ("outcome", "standing", "title"),
    [
        ("promote", "which passed the gate and is not the champion now", "promoted"),
        ("keep", "a challenger that was not promoted", "not promoted"),
        ("reject", "a challenger that was not promoted", "rejected"),
    ],
)
def test_a_champion_that_was_not_trained_last_is_kept_apart_from_the_scores(
    other_champion, seasonal_naive, outcome, standing, title
):
    verdict = other_champion["verdict"] | {"outcome": outcome}
    wanted = ("model_card", "error_by_step_figure", "total_sales_figure")
    made = make(wanted, other_champion, verdict=verdict)
    card, scored = made["model_card"], f"version 3 (lightgbm), {standing}"
    assert "# Model card: grocery demand, version 2" in card
    assert f"The model trained last is {scored}: the figures of errors" in card
    assert f"## Verdict: version 3 (lightgbm) {title}" in card
    metrics = seasonal_naive["metrics"]
    assert cells_of(card, "holdout: this model")[1] == f"{metrics['nwrmsle']:.4f}"
    baseline = metrics["baseline_moving_average_nwrmsle"]
    assert cells_of(card, "holdout: moving average")[1] == f"{baseline:.4f}"
    assert "## Slices (holdout)" not in card
    assert scored in made["error_by_step_figure"].layout.title.subtitle.text
    subtitle = made["total_sales_figure"].layout.title.subtitle.text
    assert f"holdout by {scored}" in subtitle
    assert "coming days by version 2 (seasonal_naive), the champion" in subtitle


def test_a_challenger_that_is_tried_first_is_not_called_promoted(other_champion):
    rollout = {"mode": "canary", "share": 0.1}
    verdict = other_champion["verdict"] | {"rollout": rollout}
    card = make(["model_card"], other_champion, verdict=verdict)["model_card"]
    assert "## Verdict: version 3 (lightgbm) accepted, canary first" in card


def test_the_same_model_trained_again_is_the_champion_still(parts):
    verdict = parts["verdict"] | {"outcome": "keep"}
    card = make(["model_card"], parts, verdict=verdict)["model_card"]
    assert "The model trained last is the same, so nothing was to be" in card
    assert "## Slices (holdout)" in card


def test_the_quality_of_other_data_is_not_told_of_the_champions(parts):
    quality = parts["data_quality"] | {"digest": "other data", "simulated": True}
    card = make(["model_card"], parts, data_quality=quality)["model_card"]
    assert "their quality report says nothing about this model" in card
    assert "rows set aside" not in card
    assert "**Simulated data.**" not in card


def test_a_baseline_as_the_scored_model_stands_beside_the_other_one(other_champion, seasonal_naive):
    version = ModelVersion(3, seasonal_naive["challenger"])
    own = {name: seasonal_naive[name] for name in ("scores", "feature_importance")}
    score = seasonal_naive["metrics"]["nwrmsle"]
    verdict = other_champion["verdict"] | {
        "challenger": {
            "version": 2,
            "model": "seasonal_naive",
            "model_digest": version.model.digest,
        },
        "checks": [{"name": "nwrmsle", "value": score}],
    }
    holdout = seasonal_naive["holdout_forecasts"]
    wanted = ("model_card", "error_by_step_figure")
    made = make(wanted, other_champion | own, verdict=verdict, holdout_forecasts=holdout)
    names = [trace.name for trace in made["error_by_step_figure"].data]
    assert names == ["seasonal naive", "moving average"]
    assert "| holdout: moving average |" in made["model_card"]
    assert "| holdout: seasonal naive |" not in made["model_card"]
