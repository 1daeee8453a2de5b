"""The dataset of a JSON file, replaced as a whole."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro_datasets.json import JSONDataset

from grocery_demand.storage.atomic import whole_file

logger = logging.getLogger(__name__)


class JsonDataset(JSONDataset):
    """Kedro's JSON dataset for a local file, written beside its place and then renamed."""

    def save(self, data: Any) -> None:
        """Write the data, indented for human readers."""
        with whole_file(Path(self._filepath)) as beside:
            text = json.dumps(data, **{"indent": 2, "ensure_ascii": False} | self._save_args)
            beside.write_text(text + "\n", encoding="utf-8")


class DatedJsonDataset(JsonDataset):
    """A JSON object that says when it was saved."""

    def save(self, data: dict[str, Any]) -> None:
        """Write the data with the time in UTC as `made_at`."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        super().save({"made_at": now} | data)


class OptionalJsonDataset(JsonDataset):
    """A JSON object in a file that need not be there yet, or is damaged: `None` then."""

    def load(self) -> dict[str, Any] | None:
        """Return what the file holds, or None; a damaged file is told of."""
        try:
            held = json.loads(Path(self._filepath).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            reason = str(error)
        else:
            if isinstance(held, dict):
                return held
            reason = "it holds no object."
        logger.warning("%s is damaged and left out of account: %s", self._filepath, reason)
        return None
