"""The dataset of a table that fits into memory: parquet, replaced as a whole."""

from pathlib import Path

import pandas as pd
from kedro_datasets.pandas import ParquetDataset

from grocery_demand.datasets.not_made import NotMadeYetError
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.storage.atomic import standing_folder, whole_file


class TableDataset(ParquetDataset):
    """Kedro's parquet dataset for a local file, written beside its place and then renamed.

    A folder of parts, which a cluster leaves in its place, is read as one table.
    """

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises:
            NotMadeYetError: If nothing was saved yet.
        """
        path = standing_folder(Path(self._filepath))
        if not path.exists():
            raise NotMadeYetError(
                f"There is no table {self._filepath}. Make it with `make run`, which runs the "
                "whole loop; tables of monitoring with `kedro run --pipeline monitor`."
            )
        return pd.read_parquet(path, **self._load_args)

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows, for kedro-viz: also those that hold lists."""
        return show_rows(self.load().head(nrows))

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        with whole_file(Path(self._filepath)) as beside:
            data.to_parquet(beside, **self._save_args)
