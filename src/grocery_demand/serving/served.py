"""What is served at one moment: the champion, and beside it a challenger if one is."""

from dataclasses import dataclass
from typing import Any

from grocery_demand.core.rollout import CHAMPION
from grocery_demand.serving.assortment import Assortment
from grocery_demand.serving.challenger import Challenger
from grocery_demand.serving.question import Question
from grocery_demand.serving.served_model import ServedModel
from grocery_demand.storage.pointer import Pointer


@dataclass(frozen=True)
class Served:
    """A publication, ready to answer; a request keeps to one from its beginning to its end.

    Attributes:
        pointer: What is published.
        verdict: Why the champion became it; None if that was not kept.
        champion: Answers all that the canary does not.
        assortment: What can be asked for.
        challenger: Is served beside the champion, from the same panel; None if none is.
        problem: Why the challenger that is published is not served; empty if it is.
    """

    pointer: Pointer
    verdict: dict[str, Any] | None
    champion: ServedModel
    assortment: Assortment
    challenger: Challenger | None = None
    problem: str = ""

    @property
    def simulated(self) -> bool:
        """Whether the champion or the panel comes from simulated sales."""
        learnt = self.champion.model.metadata.get("simulated")
        return bool(learnt or self.champion.panel.simulated)

    def canary_for(self, question: Question) -> Challenger | None:
        """Return the challenger that answers a question; None if the champion does."""
        challenger = self.challenger
        if challenger is None or not challenger.is_canary or not challenger.takes(question):
            return None
        return challenger

    def describe_roles(self) -> list[dict[str, Any]]:
        """Return who is served in which role, with what share of the answers, for programs."""
        rollout = self.pointer.challenger
        champion = {
            "role": CHAMPION,
            "model_version": self.pointer.model_version,
            "run_id": self.pointer.run_id,
            "share": 1.0,
            "since": self.pointer.history[-1]["at"] if self.pointer.history else None,
            "problem": None,
        }
        if rollout is None:
            return [champion]
        rests = self.challenger is not None and self.challenger.workbench.is_resting
        problem = self.challenger.workbench.problem if self.challenger and rests else self.problem
        beside = {
            "role": rollout.mode,
            "model_version": rollout.model_version,
            "run_id": rollout.run_id,
            "share": rollout.share,
            "since": rollout.since,
            "problem": problem or None,
        }
        is_shown = self.challenger is not None and self.challenger.is_canary and not rests
        champion["share"] = round(1 - rollout.share, 6) if is_shown else 1.0
        return [champion, beside]
