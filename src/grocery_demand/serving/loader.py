"""Makes what is served out of what is published; what is loaded already is taken over."""

import logging
from pathlib import Path

from grocery_demand.core.rollout import Rollout
from grocery_demand.serving.assortment import Assortment
from grocery_demand.serving.challenger import Challenger, Workbench
from grocery_demand.serving.served import Served
from grocery_demand.serving.served_model import Label, ServedModel, ServedPanel
from grocery_demand.serving.settings import ServingSettings
from grocery_demand.storage.panel_folder import read_panel
from grocery_demand.storage.pointer import Pointer
from grocery_demand.storage.publication import (
    fingerprint,
    read_as_a_whole,
    read_verdict,
    read_version,
)

logger = logging.getLogger(__name__)


class Loader:
    """Loads publications from a folder, one after the other.

    Args:
        folder: Folder of publications.
        settings: Names and defaults for questions.
    """

    def __init__(self, folder: Path, settings: ServingSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._loaded: list[ServedModel] = []
        self._workbench: Workbench | None = None

    def load(self, former: Served | None) -> Served:
        """Return what is published now, with the parts of the former that are in it, too.

        Raises:
            PublicationError: If nothing is published, or the champion or panel cannot be read.
        """
        self._loaded = _models_of(former)
        self._workbench = former.challenger.workbench if former and former.challenger else None
        return read_as_a_whole(self._folder, lambda pointer: self._assemble(pointer, former))

    def _assemble(self, pointer: Pointer, former: Served | None) -> Served:
        verdict = read_verdict(self._folder, pointer.model_version)
        panel = self._take_panel(pointer, former)
        champion = self._take_model(pointer, pointer.model_version, pointer.run_id, panel)
        assortment = (
            former.assortment
            if former is not None and former.champion is champion
            else self._index(champion)
        )
        challenger, problem = None, ""
        if pointer.challenger is not None:
            challenger, problem = self._try_challenger(pointer, pointer.challenger, panel)
        return Served(pointer, verdict, champion, assortment, challenger, problem)

    def _take_panel(self, pointer: Pointer, former: Served | None) -> ServedPanel:
        if former is not None and former.champion.served_panel.name == pointer.panel:
            return former.champion.served_panel
        panel = read_panel(self._folder / "panels" / pointer.panel)
        return ServedPanel(pointer.panel, panel, pointer.cutoff)

    def _take_model(
        self, pointer: Pointer, number: int, run_id: str | None, panel: ServedPanel
    ) -> ServedModel:
        label = Label(pointer.model_name, number, run_id, fingerprint(self._folder, number))
        for model in self._loaded:
            if (model.label, model.served_panel) == (label, panel):
                return model
        model = ServedModel(label, read_version(self._folder, number), panel)
        self._loaded.append(model)
        return model

    def _index(self, champion: ServedModel) -> Assortment:
        settings = self._settings
        return Assortment(
            champion.panel, champion.model.furthest_step, settings.product_names,
            settings.default_store,
        )  # fmt: skip

    def _try_challenger(
        self, pointer: Pointer, rollout: Rollout, panel: ServedPanel
    ) -> tuple[Challenger | None, str]:
        """Return the challenger, or why it cannot be served: that stops no champion."""
        try:
            model = self._take_model(pointer, rollout.model_version, rollout.run_id, panel)
        except Exception as error:
            logger.error("Challenger version %d is not served: %s", rollout.model_version, error)
            return None, (
                f"It cannot be served: {error} Publish it again with `kedro run --pipeline "
                "publish`, or end it with `kedro challenger off`."
            )
        if self._workbench is None or self._workbench.model is not model:
            self._workbench = Workbench(model)
        return Challenger(rollout, self._workbench), ""


def _models_of(served: Served | None) -> list[ServedModel]:
    if served is None:
        return []
    return [served.champion, *([served.challenger.model] if served.challenger else [])]
