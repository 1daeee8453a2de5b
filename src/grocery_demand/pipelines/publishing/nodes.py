"""Nodes of the publishing pipeline."""

import logging

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.parts import PanelParts

logger = logging.getLogger(__name__)


def publish_champion(champion: ModelVersion, panel: PanelParts) -> ModelVersion:
    """Hand the champion over to the web app, to forecast from the panel as it stands."""
    logger.info(
        "Published: version %d (%s), forecasting from sales up to %s.",
        champion.number, champion.model.final.name, panel.cutoff,
    )  # fmt: skip
    return champion


def publish_model_card(champion: ModelVersion, model_card: str) -> tuple[int, str]:
    """Hand the champion's card over to the web app, with the number of its version."""
    return champion.number, model_card
