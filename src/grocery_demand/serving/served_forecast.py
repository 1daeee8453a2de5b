"""A forecast that was given, and to whom."""

from dataclasses import dataclass
from typing import Any

from grocery_demand.core.intervals import INTERVAL_LEVEL, QUANTILES
from grocery_demand.serving.question import Question
from grocery_demand.serving.served_model import ServedModel

_LONGEST_CLIENT = 80


@dataclass(frozen=True)
class Client:
    """Who asks.

    Attributes:
        name: Its name for itself, or its program's.
        asked_at: `time.perf_counter()` when the request arrived.
        place: Number of the question among those of its request, from 0.
    """

    name: str
    asked_at: float
    place: int = 0


@dataclass(frozen=True)
class ServedForecast:
    """One forecast that was given.

    Attributes:
        question: What was asked.
        model: Who answered.
        units: Point forecast in units.
        quantiles: `QUANTILES` in units.
        interval: The bounds of the 80 % interval in units.
        long_range: Whether the day lies beyond the horizon.
        onpromotion: The promotion that it was made with.
        usual: What recent weeks let expect on that weekday, in units.
        effects: What moved it most: driver and factor on 1 + units.
        event_id: The event's id.
        role: Who answered: one of `core.rollout.ROLES`.
    """

    question: Question
    model: ServedModel
    units: float
    quantiles: tuple[float, ...]
    interval: tuple[float, float]
    long_range: bool
    onpromotion: bool
    usual: float
    effects: list[dict[str, Any]]
    event_id: str
    role: str

    @property
    def closed_years(self) -> list[int]:
        """Earlier years in which the store sold nothing on the same date."""
        return self.model.served_panel.closed_years(self.question.store_nbr, self.question.date)

    def as_dict(self) -> dict[str, Any]:
        """Return it as programs read it."""
        low, high = self.interval
        return {
            "date": self.question.date,
            "item_nbr": self.question.product.item_nbr,
            "store_nbr": self.question.store_nbr,
            "onpromotion": self.onpromotion,
            "units": self.units,
            "quantiles": dict(zip((q.removeprefix("quantile_") for q in QUANTILES),
                                  self.quantiles, strict=True)),
            "interval": {"level": INTERVAL_LEVEL, "low": low, "high": high},
            "long_range": self.long_range,
            "closed_years": self.closed_years,
            "moving_average": self.usual,
            "contributions": self.effects,
            "model_version": self.model.label.model_version,
            "role": self.role,
            "cutoff": self.model.cutoff,
            "event_id": self.event_id,
        }  # fmt: skip


def client_name(headers: Any) -> str:
    """Return what a client calls itself: `X-Client-Name`, or its program's name and version."""
    name = headers.get("x-client-name") or headers.get("user-agent", "unknown").split(" ")[0]
    return storable(name, _LONGEST_CLIENT) or "unknown"


def storable(text: str, longest: int) -> str:
    """Return text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:longest]
