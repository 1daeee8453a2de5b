"""The dataset of a small table: parquet, replaced as a whole."""

from pathlib import Path

import pandas as pd
from kedro_datasets.pandas import ParquetDataset

from grocery_demand.datasets.not_made import NotMadeYetError
from grocery_demand.storage.atomic import whole_file


class TableDataset(ParquetDataset):
    """Kedro's parquet dataset for a local file, written beside its place and then renamed."""

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises:
            NotMadeYetError: If nothing was saved yet.
        """
        if not Path(self._filepath).is_file():
            raise NotMadeYetError(
                f"There is no table {self._filepath}. Make it with `make run`, which runs the "
                "whole loop; tables of monitoring with `kedro run --pipeline monitor`."
            )
        return super().load()

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        with whole_file(Path(self._filepath)) as beside:
            data.to_parquet(beside, **self._save_args)
