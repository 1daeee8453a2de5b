"""A panel whose parts lie with the workers of a cluster."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client, Future, get_worker

from grocery_demand.cluster.client import list_workers, pin
from grocery_demand.cluster.errors import MORE_MEMORY, ClusterError, WorkerLostError, explained
from grocery_demand.cluster.gathering import Crew
from grocery_demand.cluster.training import fit_where_rows_lie
from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, Model, PanelParts
from grocery_demand.core.rows import Recipe
from grocery_demand.storage.parted_panel import PartedPlace

logger = logging.getLogger(__name__)

_DISTRIBUTED = "lightgbm"

_TRIES = 2
"""Times that work is done if workers end meanwhile."""

_PATIENCE = 60
"""Seconds that lost workers have to be replaced by at least one."""


class ClusterPanel(PanelParts):
    """A panel in parts, each read by the worker that works on it.

    A part that is lost with its worker is read again by another.
    """

    def __init__(self, client: Client, place: PartedPlace) -> None:
        """Have the parts read.

        Args:
            client: The connection to the workers.
            place: Where the panel lies; the workers reach it by the same name.
        """
        manifest = place.read_manifest()
        self.start_date = np.datetime64(manifest["start_date"], "D")
        self.digest: str = manifest["digest"]
        self.simulated: bool = manifest["simulated"]
        self._n_days: int = manifest["n_days"]
        self._client, self._place, self.version = client, place, manifest["panel"]
        self._n_parts: int = manifest["parts"]
        self._homes: list[str] = []
        self._parts: list[Future] = []
        self._read_parts()

    def _read_parts(self) -> None:
        """Give each part to a worker that is there."""
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise ClusterError(
                f"No worker is left, and none came within {_PATIENCE} seconds: see their logs, "
                "start some again, and run again. The champion is as it was."
            ) from error
        workers = list_workers(self._client)
        self._homes = [workers[i * len(workers) // self._n_parts] for i in range(self._n_parts)]
        self._parts = [
            self._client.submit(
                _read_part, self._place, self.version, part, pure=False, **pin(home)
            )
            for part, home in enumerate(self._homes)
        ]

    @property
    def n_days(self) -> int:
        """Days with known sales."""
        return self._n_days

    @cached_property
    def first_sale(self) -> np.ndarray:
        """Day of the first row of each series; `n_days` if it has none, int [series]."""
        return np.concatenate(self._first_sales)

    @cached_property
    def bounds(self) -> np.ndarray:
        """Position of the first series of each part, and the number of all, int [part + 1]."""
        return np.cumsum([0, *(len(part) for part in self._first_sales)])

    @cached_property
    def _first_sales(self) -> list[np.ndarray]:
        return self.map(_list_first_sales)

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask every part where it lies, and gather the answers."""
        stage = f"asking {self._n_parts} parts ({function.__name__.strip('_')})"
        return self._retry(stage, lambda crew: crew.gather(self._submit(function, shared, own)))

    def learn(
        self,
        fit: Callable[[list[Answer]], Model],
        function: Callable[..., Answer],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> Model:
        """Fit on what every part answers: LightGBM where the rows lie, others here."""
        if not (isinstance(fit, Recipe) and fit.model == _DISTRIBUTED):
            return super().learn(fit, function, *shared, own=own)
        recipe: Recipe = fit

        def fit_once(crew: Crew) -> Any:
            return fit_where_rows_lie(crew, self._submit(function, shared, own), recipe)

        return self._retry(f"fitting {recipe.model} on {self._n_parts} parts", fit_once)

    def _retry(self, stage: str, work: Callable[[Crew], Any]) -> Any:
        """Do some work, and once more if it was lost with its workers."""
        for tries_left in reversed(range(_TRIES)):
            if not set(self._homes) <= set(list_workers(self._client)):
                self._read_parts()
            try:
                with explained(stage):
                    return work(Crew(self._client, self._homes, stage))
            except WorkerLostError as error:
                if not tries_left:
                    raise ClusterError(
                        f"{error} It was tried {_TRIES} times. See the workers' logs; mostly they "
                        f"ran out of memory: {MORE_MEMORY} The champion is as it was."
                    ) from error
                logger.warning("%s It is done anew.", error)
                self._restart_waiting_workers()
        raise AssertionError(stage)

    def _restart_waiting_workers(self) -> None:
        """Free those that wait within LightGBM for a worker that is gone; parts are read again."""
        if waiting := sorted(set(list_workers(self._client)) & set(self._homes)):
            self._client.restart_workers(waiting, timeout=_PATIENCE)

    def _submit(
        self, function: Callable[..., Answer], shared: tuple[Any, ...], own: Sequence[Any] | None
    ) -> list[Future]:
        """Have the function called for each part, where it lies."""
        known = self._client.submit(tuple, shared, pure=False)
        each = [()] * self._n_parts if own is None else [(value,) for value in own]
        return [
            self._client.submit(_ask, function, part, value, known, pure=False, **pin(home))
            for part, value, home in zip(self._parts, each, self._homes, strict=True)
        ]


def _ask(
    function: Callable[..., Answer], part: Panel, own: tuple[Any, ...], shared: tuple[Any, ...]
) -> Answer:
    return function(part, *own, *shared)


def _read_part(place: PartedPlace, version: str, part: int) -> Panel:
    copies = Path(get_worker().local_directory) / "parts"
    return place.read_part(version, part, copies)


def _list_first_sales(part: Panel) -> np.ndarray:
    return part.first_sale
