"""Follows what is published: loads it beside the present one, then takes its place."""

import asyncio
import gc
import logging
from collections.abc import Callable
from pathlib import Path

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.serving.served_model import ServedModel
from grocery_demand.storage.publication import POINTER, read_publication

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_TRIES = 5.0


class Follower:
    """The model that is served at this moment.

    Args:
        folder: Folder of publications.
        prepare: Makes what is served from a publication.
    """

    def __init__(self, folder: Path, prepare: Callable[..., ServedModel]) -> None:
        self._folder = folder
        self._prepare = prepare
        self._seen: tuple[int, int] | None = None
        self._tried_at = float("-inf")
        self.model: ServedModel | None = None
        self.problem = f"No champion is published in {folder} yet. Train one with `kedro run`."

    async def follow(self) -> None:
        """Look for a new publication again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def look(self) -> None:
        """Load what is published, if it is new."""
        mark = self._mark()
        now = asyncio.get_running_loop().time()
        is_broken = bool(self.problem) and now - self._tried_at >= _SECONDS_BETWEEN_TRIES
        if mark is None or (mark == self._seen and not is_broken):
            return
        self._seen, self._tried_at = mark, now
        try:
            model = await asyncio.to_thread(self._load)
        except GroceryDemandError as error:
            self.problem = str(error)
            logger.error("%s", error)
        except Exception as error:
            self.problem = f"The publication cannot be served: {type(error).__name__}: {error}"
            logger.exception("The publication cannot be served")
        else:
            self.model, self.problem = model, ""
            logger.info(
                "Serving version %d, forecasting from sales up to %s.",
                model.pointer.model_version, model.pointer.cutoff,
            )  # fmt: skip

    def _load(self) -> ServedModel:
        model = self._prepare(read_publication(self._folder))
        # What stays need not be searched for garbage again and again: that takes 0.1 s each time.
        gc.collect()
        gc.freeze()
        return model

    def _mark(self) -> tuple[int, int] | None:
        """Return what changes whenever something is published; None if nothing is."""
        try:
            found = (self._folder / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
