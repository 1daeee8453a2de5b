"""The dataset of a JSON file, replaced as a whole."""

import json
from pathlib import Path
from typing import Any

from kedro_datasets.json import JSONDataset

from grocery_demand.storage.atomic import whole_file


class JsonDataset(JSONDataset):
    """Kedro's JSON dataset for a local file, written beside its place and then renamed."""

    def save(self, data: Any) -> None:
        """Write the data, indented for human readers."""
        with whole_file(Path(self._filepath)) as beside:
            text = json.dumps(data, **{"indent": 2, "ensure_ascii": False} | self._save_args)
            beside.write_text(text + "\n", encoding="utf-8")
