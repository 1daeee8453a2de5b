"""Nodes of the promotion pipeline."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GateError
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.gate import (
    BAR,
    BASELINE,
    INCUMBENT,
    PROMOTE,
    REJECT,
    GateParameters,
    Incumbent,
    Judgement,
    judge,
)
from grocery_demand.core.model_version import Decision, ModelVersion, identify_model
from grocery_demand.core.monitoring.sample import find_series
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.rollout import CHAMPION, RolloutParameters
from grocery_demand.core.trained_model import TrainedModel

logger = logging.getLogger(__name__)

_ROW_KEY = [*SERIES_KEY, "date"]


def judge_challenger(
    challenger: ModelVersion,
    identity: dict[str, Any],
    incumbent: ModelVersion | None,
    holdout_forecasts: pd.DataFrame,
    panel: PanelParts,
    gate: GateParameters,
    rollout: RolloutParameters,
) -> dict[str, Any]:
    """Judge a challenger by the holdout, beside the baselines and the champion.

    Without a champion a challenger that is accepted becomes champion at once: there is nobody
    beside whom it could be served.

    Returns:
        The verdict: outcome (`promote`, `keep` or `reject`), reasons, checks, what was judged, and
        in `rollout` the mode and share with which it is served beside the champion first; None if
        it is not.

    Raises:
        GateError: If the files are not the challenger's, so that nothing can be said.
    """
    _refuse_foreign_model(challenger, identity)
    _refuse_foreign_holdout(challenger, holdout_forecasts, panel)
    holdout, opponent = holdout_forecasts, None
    if incumbent is not None:
        holdout, opponent = _add_incumbent(challenger, incumbent, holdout_forecasts, panel)
    judgement, first = judge(holdout, gate, opponent), None
    if incumbent is not None and judgement.outcome == PROMOTE and rollout.accepted != CHAMPION:
        first = {"mode": rollout.accepted, "share": rollout.share}
        judgement.reasons[0] = (
            f"Accepted: it passes every bar; it is served as {rollout.accepted} beside champion "
            f"version {incumbent.number} first."
        )
    return _to_verdict(judgement) | {
        "rollout": first,
        "challenger": _describe(challenger),
        "incumbent": _describe(incumbent) if incumbent is not None else None,
        "holdout": _describe_holdout(holdout_forecasts),
        "data_digest": panel.digest,
    }


def promote_challenger(verdict: dict[str, Any]) -> Decision:
    """Turn the verdict into a decision.

    Raises:
        GateError: If the challenger missed an absolute bar or a baseline.
    """
    incumbent, first = verdict["incumbent"], verdict["rollout"]
    if verdict["outcome"] == REJECT:
        raise GateError(_explain_rejection(verdict))
    return Decision(
        promoted=verdict["outcome"] == PROMOTE and first is None,
        version=verdict["challenger"]["version"],
        replaces=incumbent["version"] if incumbent else None,
        reason=verdict["reasons"][0],
        mode=first["mode"] if first else None,
        share=first["share"] if first else 0.0,
    )


def _refuse_foreign_model(challenger: ModelVersion, identity: dict[str, Any]) -> None:
    if challenger.model.digest != identity["model_digest"]:
        raise GateError(
            f"The challenger, version {challenger.number}, is not the model whose forecasts lie in "
            f"data/ (sales up to {identity['cutoff']}, digest {identity['model_digest'][:12]}): "
            "those files were brought back, or made beside another registry. Train again: kedro "
            "run --pipeline fit"
        )


def _refuse_foreign_holdout(
    challenger: ModelVersion, holdout: pd.DataFrame, panel: PanelParts
) -> None:
    metadata = challenger.model.metadata
    found = [f"{date:%Y-%m-%d}" for date in holdout["cutoff"].unique()]
    if found != [metadata["holdout_cutoff"]] or panel.digest != metadata["data_digest"]:
        raise GateError(
            f"The challenger, version {challenger.number}, was trained on data "
            f"{metadata['data_digest'][:12]} with the holdout after {metadata['holdout_cutoff']}, "
            f"but the panel is data {panel.digest[:12]} and the holdout forecasts begin after "
            f"{', '.join(found) or 'no day'}. Train again: kedro run --pipeline train"
        )


def _add_incumbent(
    challenger: ModelVersion, incumbent: ModelVersion, holdout: pd.DataFrame, panel: PanelParts
) -> tuple[pd.DataFrame, Incumbent]:
    """Put the champion's forecast beside the challenger's, if it can make one."""
    name = f"champion version {incumbent.number}"
    if challenger.model.digest == incumbent.model.digest:
        return holdout, Incumbent(name, same_model=True)
    forecaster, note = _choose_fit(incumbent.model, challenger.model.metadata["holdout_cutoff"])
    try:
        forecast = _forecast_holdout(forecaster, holdout, panel)
    except Exception as error:
        logger.warning("The champion cannot forecast this holdout", exc_info=True)
        note = f"The {name} cannot forecast this holdout ({type(error).__name__}: {error}); "
        return holdout, Incumbent(name, note=note + "it was not compared with.")
    return holdout.assign(**{INCUMBENT: forecast}), Incumbent(name, note=f"The {name} {note}")


def _choose_fit(model: TrainedModel, cutoff: str) -> tuple[Forecaster, str]:
    """Return the fit of the champion that has not seen the holdout, if there is one."""
    if model.final.cutoff <= cutoff:
        return model.final, f"had seen sales up to {model.final.cutoff}, none of the holdout."
    if model.holdout.cutoff <= cutoff:
        told = f"is compared by its own backtest's fit, on sales up to {model.holdout.cutoff}: "
        return model.holdout, told + "its final fit has seen days of this holdout."
    told = f"has seen days of this holdout (its sales go up to {model.holdout.cutoff}): "
    return model.holdout, told + "the comparison is to its advantage."


def _forecast_holdout(
    forecaster: Forecaster, holdout: pd.DataFrame, panel: PanelParts
) -> np.ndarray:
    """Forecast the rows of the holdout from its cutoff, in their order."""
    day = panel.day_of(holdout["cutoff"].iloc[0].to_datetime64())
    steps = np.sort(holdout["step"].unique()).astype(int)
    table = forecaster.forecast(panel, day, steps, find_series(panel, [holdout]))
    merged = holdout[_ROW_KEY].merge(
        table[[*_ROW_KEY, "point"]], how="left", on=_ROW_KEY, validate="1:1"
    )
    forecast = merged["point"].to_numpy()
    if not np.isfinite(forecast).all():
        raise ValueError(f"no forecast for {int(np.sum(~np.isfinite(forecast)))} rows")
    return forecast


def _to_verdict(judgement: Judgement) -> dict[str, Any]:
    """Return the judgement JSON-able, without what is empty."""
    checks = [
        {name: value for name, value in vars(check).items() if value is not None}
        for check in judgement.checks
    ]
    return {"outcome": judgement.outcome, "reasons": judgement.reasons, "checks": checks}


def _describe(version: ModelVersion) -> dict[str, Any]:
    return {"version": version.number, "run_id": version.run_id} | identify_model(version.model)


def _describe_holdout(holdout: pd.DataFrame) -> dict[str, Any]:
    return {
        "cutoff": f"{holdout['cutoff'].iloc[0]:%Y-%m-%d}",
        "first_date": f"{holdout['date'].min():%Y-%m-%d}",
        "last_date": f"{holdout['date'].max():%Y-%m-%d}",
        "rows": len(holdout),
        "series": int(holdout.groupby(SERIES_KEY).ngroups),
    }


def _explain_rejection(verdict: dict[str, Any]) -> str:
    bars = [check for check in verdict["checks"] if check["kind"] in (BAR, BASELINE)]
    missed = [check["reason"] for check in bars if not check["passed"]]
    champion = verdict["incumbent"]
    stays = f"version {champion['version']} stays champion" if champion else "there is no champion"
    challenger = verdict["challenger"]
    lines = "\n".join(f"  - {reason}" for reason in missed)
    return (
        f"The challenger, version {challenger['version']} ({challenger['model']}), was rejected; "
        f"{stays}:\n{lines}\n"
        "Change the model or the data, or the bars in conf/base/parameters.yml (gate); the whole "
        "verdict is in data/08_reporting/verdict.json and on the MLflow run."
    )
