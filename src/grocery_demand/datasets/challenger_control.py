"""What a person does with a challenger: serve it beside the champion, promote it, or end that."""

import logging

from grocery_demand.core.errors import RegistryError
from grocery_demand.core.model_version import Decision, ModelVersion
from grocery_demand.core.rollout import CANARY, DEFAULT_SHARES, RolloutError, ServedChallenger
from grocery_demand.datasets.model_registry import ModelRegistry
from grocery_demand.datasets.registered_versions import CHALLENGER, CHAMPION
from grocery_demand.datasets.rollouts import RolloutChange

logger = logging.getLogger(__name__)

_REJECTED = "reject"


def serve_challenger(
    registry: ModelRegistry, mode: str, share: float | None, number: int | None, reason: str
) -> RolloutChange:
    """Serve a challenger in shadow or as canary from the next publication on.

    Args:
        registry: The registered model.
        mode: `shadow` or `canary`.
        share: Share of the series that it takes; None for the present one, if this version is
            served in this mode already, else for the default.
        number: Its version; None for the one that is served already, else the alias `challenger`.
        reason: Why, in one sentence.

    Raises:
        RolloutError: If there is no champion beside which to serve it, it is the champion, or it
            is to be shown although the gate rejected it.
        RegistryError: If there is no such version or its files cannot be used.
    """
    champion, present = registry.find(CHAMPION), registry.rollouts.find()
    if champion is None:
        raise RolloutError("There is no champion to serve a challenger beside: train one first.")
    if number is None:
        number = present.model_version if present else registry.find(CHALLENGER)
    if number is None:
        raise RegistryError(f"`{registry.name}` has no challenger: kedro run --pipeline train")
    if number == champion:
        raise RolloutError(
            f"Version {number} is the champion. Train another (kedro run --pipeline train), or "
            "name another one with --version."
        )
    version = registry.versions.fetch(number)
    if mode == CANARY:
        _refuse_rejected(registry, version, "shown to anybody; `kedro challenger shadow` hides it")
    if share is None:
        same = present is not None and (present.model_version, present.mode) == (number, mode)
        share = present.share if present is not None and same else DEFAULT_SHARES[mode]
    return registry.rollouts.start(number, mode, share, reason)


def promote_challenger(registry: ModelRegistry, reason: str) -> Decision:
    """Make the challenger that is served the champion.

    Raises:
        RolloutError: If none is served, or the gate rejected it.
    """
    present = registry.rollouts.find()
    if present is None:
        raise RolloutError(
            "No challenger is served that could be promoted. `kedro challenger canary` serves one; "
            "`kedro run --pipeline promote` judges the newest by the gate."
        )
    version = registry.versions.fetch(present.model_version)
    _refuse_rejected(registry, version, "promoted")
    decision = Decision(True, version.number, registry.find(CHAMPION), reason)
    registry.promote(decision)
    return decision


def describe_served(registry: ModelRegistry) -> list[str]:
    """Return in sentences who is served, and what can be done next."""
    champion, present = registry.find(CHAMPION), registry.rollouts.find()
    told = "There is no champion yet." if champion is None else f"Champion: version {champion}."
    if present is None or present.model_version == champion:
        return [told, "No challenger is served."]
    share = f"{present.share:.1%}".replace(".0%", "%").replace("%", " %")
    what = "answers" if present.mode == CANARY else "forecasts unseen"
    return [
        told,
        f"Challenger: version {present.model_version} {what} as {present.mode} for {share} of the "
        f"series, since {present.since}.",
        "Next:",
        "  kedro run --pipeline forecast  its forecasts are stored, too, until sales arrive",
        "  kedro run --pipeline monitor   how it does beside the champion",
        "  kedro challenger promote       or: kedro challenger off",
    ]


def load_served(registry: ModelRegistry) -> ServedChallenger | None:
    """Return the challenger that is to be served beside the champion; None if none is.

    One that cannot be used is told and left out, so that the champion goes on without it.
    """
    try:
        rollout = registry.rollouts.find()
        if rollout is None or rollout.model_version == registry.find(CHAMPION):
            return None
        return ServedChallenger(registry.versions.fetch(rollout.model_version), rollout)
    except (RegistryError, RolloutError) as error:
        logger.warning("The challenger cannot be served. %s", error)
        return None


def _refuse_rejected(registry: ModelRegistry, version: ModelVersion, what: str) -> None:
    verdict = registry.versions.find_verdict(version)
    if verdict is not None and verdict["outcome"] == _REJECTED:
        raise RolloutError(
            f"The gate rejected version {version.number}, so it is not {what}. "
            f"{verdict['reasons'][0]}"
        )
