"""The promotion pipeline on a catalog in memory: verdicts, and what follows from them."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.errors import GateError
from grocery_demand.core.gate import GateParameters
from grocery_demand.core.metrics import nwrmsle
from grocery_demand.core.model_version import Decision, ModelVersion
from grocery_demand.core.models.baselines import Baseline
from grocery_demand.core.rollout import RolloutParameters
from grocery_demand.core.scores import row_weights
from grocery_demand.pipelines.promotion import create_pipeline
from runs import run_pipeline

EASY = {"max_nwrmsle": 2.0, "max_slice_loss": 1.0}


def judge(training, panel, champion=None, made=None, rollout=None, **gate) -> dict[str, object]:
    """Judge what a training made as version 2, against a champion's model as version 1."""
    contents = {
        "challenger": ModelVersion(2, training["challenger"], "run 2"),
        "challenger_identity": training["challenger_identity"],
        "incumbent": ModelVersion(1, champion, "run 1") if champion else None,
        "holdout_forecasts": training["holdout_forecasts"],
        "panel": panel,
        "params:gate": GateParameters(**EASY | gate),
        "params:rollout": rollout or RolloutParameters(),
    }
    return run_pipeline(create_pipeline(), contents, made)


def forecast_as(training, share_of_sales: float) -> dict[str, object]:
    """Return the training as if its model had forecast a share of the sales on every day."""
    holdout = training["holdout_forecasts"]
    forecast = holdout.assign(point=holdout["unit_sales"] * share_of_sales)
    return training | {"holdout_forecasts": forecast}


def with_poor_baselines(training) -> dict[str, object]:
    """Return the training with baselines that any model beats."""
    poor = {"seasonal_naive": 1e6, "moving_average": 1e6}
    return training | {"holdout_forecasts": training["holdout_forecasts"].assign(**poor)}


def check_named(verdict, name) -> dict[str, object]:
    return next(check for check in verdict["checks"] if check["name"] == name)


def test_a_challenger_that_beats_the_baselines_becomes_the_first_champion(panel, lightgbm):
    made = judge(lightgbm, panel)
    assert made["verdict"]["outcome"] == "promote"
    assert made["champion"] == Decision(
        promoted=True,
        version=2,
        replaces=None,
        reason="Promoted: it passes every bar, and there was no champion.",
    )


def test_the_verdict_tells_what_was_judged_on_what_and_can_be_written_as_json(panel, lightgbm):
    verdict = judge(lightgbm, panel)["verdict"]
    assert json.loads(json.dumps(verdict, allow_nan=False))["reasons"] == verdict["reasons"]
    metadata, holdout = lightgbm["challenger"].metadata, lightgbm["holdout_forecasts"]
    assert verdict["challenger"] == {
        "version": 2,
        "run_id": "run 2",
        "model": "lightgbm",
        "feature_set": "full",
        "cutoff": str(panel.cutoff),
        "holdout_cutoff": metadata["holdout_cutoff"],
        "data_digest": panel.digest,
        "model_digest": lightgbm["challenger"].digest,
    }
    assert verdict["incumbent"] is None
    assert verdict["data_digest"] == panel.digest
    assert verdict["holdout"] == {
        "cutoff": str(panel.cutoff - 16),
        "first_date": str(panel.cutoff - 15),
        "last_date": str(panel.cutoff),
        "rows": len(holdout),
        "series": len(holdout[["store_nbr", "item_nbr"]].drop_duplicates()),
    }


def test_the_bars_are_held_against_the_scores_of_the_training(panel, lightgbm):
    verdict = judge(lightgbm, panel)["verdict"]
    metrics = lightgbm["metrics"]
    assert check_named(verdict, "nwrmsle")["value"] == pytest.approx(metrics["nwrmsle"])
    assert check_named(verdict, "r2_score")["value"] == pytest.approx(metrics["r2_score"])
    for baseline in ("seasonal_naive", "moving_average"):
        limit = metrics[f"baseline_{baseline}_nwrmsle"]
        assert check_named(verdict, baseline)["limit"] == pytest.approx(limit)


def test_a_first_challenger_no_better_than_a_baseline_is_rejected(panel, seasonal_naive):
    made = {}
    with pytest.raises(GateError) as caught:
        judge(seasonal_naive, panel, made=made)
    told = str(caught.value)
    assert "version 2 (seasonal_naive), was rejected; there is no champion" in told
    assert "is not better than the moving average's" in told
    assert "is not better than the seasonal naive's" in told
    assert "conf/base/parameters.yml (gate)" in told
    assert made["verdict"]["outcome"] == "reject"
    assert "champion" not in made


@pytest.mark.parametrize(
    ("gate", "missed"),
    [
        ({"max_nwrmsle": 0.01}, "is not within the bar of 0.01"),
        ({"min_r2_score": 0.99}, "is not above the bar of 0.99"),
    ],
)
def test_a_rejection_names_the_missed_bar_and_no_other(panel, lightgbm, gate, missed):
    with pytest.raises(GateError) as caught:
        judge(lightgbm, panel, **gate)
    reasons = [line for line in str(caught.value).splitlines() if line.startswith("  - ")]
    assert len(reasons) == 1
    assert missed in reasons[0]


def test_a_rejection_says_who_stays_champion(panel, lightgbm, seasonal_naive):
    with pytest.raises(GateError, match="was rejected; version 1 stays champion"):
        judge(seasonal_naive, panel, champion=lightgbm["challenger"])


def test_a_challenger_better_than_the_champion_replaces_it(panel, lightgbm, seasonal_naive):
    made = judge(forecast_as(lightgbm, 1.1), panel, champion=seasonal_naive["challenger"])
    assert made["verdict"]["outcome"] == "promote"
    assert made["verdict"]["incumbent"]["version"] == 1
    assert made["verdict"]["incumbent"]["model"] == "seasonal_naive"
    assert made["champion"] == Decision(
        promoted=True,
        version=2,
        replaces=1,
        reason="Promoted: it passes every bar and replaces champion version 1.",
    )


@pytest.mark.parametrize("mode", ["canary", "shadow"])
def test_a_challenger_may_be_tried_beside_the_champion_first(panel, lightgbm, seasonal_naive, mode):
    wanted, better = RolloutParameters(accepted=mode, share=0.2), forecast_as(lightgbm, 1.1)
    made = judge(better, panel, champion=seasonal_naive["challenger"], rollout=wanted)
    assert made["verdict"]["outcome"] == "promote"
    decision = made["champion"]
    assert (decision.promoted, decision.mode, decision.share) == (False, mode, 0.2)
    told = f"Accepted: it passes every bar; it is served as {mode} beside champion version 1 first."
    assert decision.reason == made["verdict"]["reasons"][0] == told
    first = judge(better, panel, rollout=wanted)["champion"]
    assert (first.promoted, first.mode) == (True, None)


def test_a_challenger_that_is_not_accepted_is_not_tried(panel, lightgbm):
    wanted = RolloutParameters(accepted="canary")
    made = judge(lightgbm, panel, champion=lightgbm["challenger"], rollout=wanted)
    assert (made["champion"].promoted, made["champion"].mode) == (False, None)


def test_a_challenger_worse_than_the_champion_is_not_promoted(panel, lightgbm, seasonal_naive):
    worse = with_poor_baselines(forecast_as(seasonal_naive, 100.0))
    made = judge(worse, panel, lightgbm["challenger"], max_nwrmsle=100.0, min_r2_score=-1e9)
    assert made["verdict"]["outcome"] == "keep"
    decision = made["champion"]
    assert (decision.promoted, decision.version, decision.replaces) == (False, 2, 1)
    assert "champion version 1 stays" in decision.reason
    assert "the challenger missed champion" in decision.reason


def test_the_same_model_again_is_not_promoted(panel, lightgbm):
    made = judge(lightgbm, panel, champion=lightgbm["challenger"])
    assert made["verdict"]["outcome"] == "keep"
    assert not made["champion"].promoted
    assert "the same model as champion version 1" in made["champion"].reason


def test_slices_may_hold_back_a_challenger_only_beside_a_champion(panel, lightgbm, seasonal_naive):
    challenger = forecast_as(lightgbm, 1.1)
    for champion, decisive in ((None, False), (seasonal_naive["challenger"], True)):
        checks = judge(challenger, panel, champion)["verdict"]["checks"]
        slices = [check for check in checks if check["kind"] == "slice"]
        families = {f"family {name}" for name in panel.series["family"].unique()}
        types = {f"type {name}" for name in panel.series["type"].unique()}
        assert {check["name"] for check in slices} == families | types
        assert {check["decisive"] for check in slices} == {decisive}


def judge_beside(champion, panel, seasonal_naive) -> dict[str, object]:
    """Return the verdict on a challenger with the same holdout as the champion's own training."""
    challenger = with_poor_baselines(forecast_as(seasonal_naive, 0.9))
    return judge(challenger, panel, champion)["verdict"]


def score_of(forecaster, panel, holdout) -> float:
    """Return the error of one more forecast of the holdout, made series by series."""
    day = panel.n_days - 1 - 16
    table = pd.concat(
        forecaster.forecast(panel, day, np.arange(1, 17), np.array([row]))
        for row in range(len(panel.series))
    )
    keys = ["store_nbr", "item_nbr", "date"]
    both = holdout.merge(table[[*keys, "point"]], on=keys, suffixes=("_before", ""))
    return nwrmsle(both["unit_sales"].to_numpy(), both["point"].to_numpy(), row_weights(both))


def test_a_champion_that_has_seen_the_holdout_is_compared_by_the_fit_that_has_not(
    panel, lightgbm, seasonal_naive
):
    verdict = judge_beside(lightgbm["challenger"], panel, seasonal_naive)
    assert check_named(verdict, "champion")["limit"] == pytest.approx(
        lightgbm["metrics"]["nwrmsle"]
    )
    assert (
        f"The champion version 1 is compared by its own backtest's fit, on sales up to "
        f"{panel.cutoff - 16}: its final fit has seen days of this holdout." in verdict["reasons"]
    )


def test_a_champion_of_earlier_sales_is_compared_by_its_final_fit(panel, lightgbm, seasonal_naive):
    model = lightgbm["challenger"]
    earlier = replace(model, final=model.holdout, holdout=model.final)
    verdict = judge_beside(earlier, panel, seasonal_naive)
    assert check_named(verdict, "champion")["limit"] == pytest.approx(
        lightgbm["metrics"]["nwrmsle"]
    )
    told = f"The champion version 1 had seen sales up to {panel.cutoff - 16}, none of the holdout."
    assert told in verdict["reasons"]


def test_a_champion_of_which_no_fit_is_fair_has_the_advantage_and_this_is_said(
    panel, lightgbm, seasonal_naive
):
    model = lightgbm["challenger"]
    champion = replace(seasonal_naive["challenger"], holdout=model.final)
    verdict = judge_beside(champion, panel, seasonal_naive)
    expected = score_of(model.final, panel, lightgbm["holdout_forecasts"])
    assert expected < lightgbm["metrics"]["nwrmsle"]
    assert check_named(verdict, "champion")["limit"] == pytest.approx(expected)
    assert any("the comparison is to its advantage." in reason for reason in verdict["reasons"])


def test_a_champion_that_cannot_forecast_any_more_is_noted_and_may_be_replaced(
    panel, lightgbm, caplog
):
    model = lightgbm["challenger"]
    stranded = replace(model.holdout, name="moving_average", model=Baseline(("forgotten",)))
    made = judge(lightgbm, panel, champion=replace(model, final=stranded, holdout=stranded))
    noted = [reason for reason in made["verdict"]["reasons"] if "cannot forecast" in reason]
    assert len(noted) == 1
    assert noted[0].startswith("The champion version 1 cannot forecast this holdout (")
    assert "forgotten" in noted[0]
    assert noted[0].endswith("it was not compared with.")
    assert "The champion cannot forecast this holdout" in caplog.messages
    assert "champion" not in [check["kind"] for check in made["verdict"]["checks"]]
    assert made["champion"].promoted
    assert made["champion"].replaces == 1


def test_a_champion_that_forecasts_nonsense_is_noted(panel, lightgbm):
    @dataclass(frozen=True)
    class Lost(Baseline):
        def predict(self, matrix):
            return np.full(len(matrix), np.nan)

    model = lightgbm["challenger"]
    lost = replace(model.holdout, name="moving_average", model=Lost(("moving_average",)))
    verdict = judge(lightgbm, panel, replace(model, final=lost, holdout=lost))["verdict"]
    rows = len(lightgbm["holdout_forecasts"])
    assert any(f"no forecast for {rows} rows" in reason for reason in verdict["reasons"])


def other_data(panel, holdout):
    return replace(panel, digest="f00d" * 16), holdout


def other_cutoff(panel, holdout):
    return panel, holdout.assign(cutoff=holdout["cutoff"] - pd.Timedelta(days=1))


def two_cutoffs(panel, holdout):
    return panel, pd.concat([holdout, other_cutoff(panel, holdout)[1]])


def no_rows(panel, holdout):
    return panel, holdout[:0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_data, "the panel is data f00df00df00d "),
        (other_cutoff, "the holdout forecasts begin after 2015-11-30."),
        (two_cutoffs, "the holdout forecasts begin after 2015-12-01, 2015-11-30."),
        (no_rows, "the holdout forecasts begin after"),
    ],
)
def test_a_holdout_that_is_not_the_challengers_is_refused(panel, lightgbm, change, told):
    other, holdout = change(panel, lightgbm["holdout_forecasts"])
    made = {}
    with pytest.raises(GateError) as caught:
        judge(lightgbm | {"holdout_forecasts": holdout}, other, made=made)
    assert "version 2, was trained on data made up by " in str(caught.value)
    assert "with the holdout after 2015-12-01" in str(caught.value)
    assert told in str(caught.value)
    assert str(caught.value).endswith("Train again: kedro run --pipeline train")
    assert made == {}


def test_a_challenger_of_another_registry_is_refused(panel, lightgbm, seasonal_naive):
    made = {}
    foreign = lightgbm | {"challenger_identity": seasonal_naive["challenger_identity"]}
    with pytest.raises(GateError, match="is not the model whose forecasts lie in data/"):
        judge(foreign, panel, made=made)
    assert made == {}
