"""Follows what is published: loads it beside the present one, then takes its place."""

import asyncio
import gc
import logging
from pathlib import Path

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.serving.loader import Loader
from grocery_demand.serving.served import Served
from grocery_demand.storage.pointer import POINTER

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_TRIES = 5.0


class Follower:
    """What is served at this moment.

    Args:
        folder: Folder of publications.
        loader: Makes what is served from a publication.
    """

    def __init__(self, folder: Path, loader: Loader) -> None:
        self._folder = folder
        self._loader = loader
        self._seen: tuple[int, int] | None = None
        self._tried_at = float("-inf")
        self.served: Served | None = None
        self.problem = f"No champion is published in {folder} yet. Train one with `kedro run`."

    async def follow(self) -> None:
        """Look for a new publication again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def look(self) -> None:
        """Load what is published, if it is new or could not be loaded before."""
        mark = self._mark()
        now = asyncio.get_running_loop().time()
        is_broken = bool(self.problem or (self.served and self.served.problem))
        is_due = is_broken and now - self._tried_at >= _SECONDS_BETWEEN_TRIES
        if mark is None or (mark == self._seen and not is_due):
            return
        self._seen, self._tried_at = mark, now
        try:
            served = await asyncio.to_thread(self._load, self.served)
        except GroceryDemandError as error:
            self.problem = str(error)
            logger.error("%s", error)
        except Exception as error:
            self.problem = f"The publication cannot be served: {type(error).__name__}: {error}"
            logger.exception("The publication cannot be served")
        else:
            former, self.served, self.problem = self.served, served, ""
            _close_challenger(former, served)
            _tell(served)

    def _load(self, former: Served | None) -> Served:
        served = self._loader.load(former)
        if former is None or not _is_made_of(served, former):
            # What stays need not be searched for garbage again and again: 0.1 s each time.
            gc.collect()
            gc.freeze()
        return served

    def _mark(self) -> tuple[int, int] | None:
        """Return what changes whenever something is published; None if nothing is."""
        try:
            found = (self._folder / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _is_made_of(served: Served, former: Served) -> bool:
    """Return whether nothing had to be loaded."""
    challenger, before = served.challenger, former.challenger
    same_challenger = challenger is None or (
        before is not None and challenger.workbench is before.workbench
    )
    return served.champion is former.champion and same_challenger


def _close_challenger(former: Served | None, served: Served) -> None:
    """Let a challenger that is served no longer finish what it was asked, and no more."""
    before = former.challenger.workbench if former and former.challenger else None
    if before is not None and (
        served.challenger is None or served.challenger.workbench is not before
    ):
        before.close()


def _tell(served: Served) -> None:
    pointer, rollout = served.pointer, served.pointer.challenger
    beside = ""
    if rollout is not None and served.challenger is not None:
        beside = f"; version {rollout.model_version} as {rollout.mode}, share {rollout.share:g}"
    logger.info(
        "Serving version %d, forecasting from sales up to %s%s.",
        pointer.model_version, pointer.cutoff, beside,
    )  # fmt: skip
