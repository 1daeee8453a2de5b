"""The dataset of a small table: parquet, replaced as a whole."""

from pathlib import Path

import pandas as pd
from kedro_datasets.pandas import ParquetDataset

from grocery_demand.storage.atomic import whole_file


class TableDataset(ParquetDataset):
    """Kedro's parquet dataset for a local file, written beside its place and then renamed."""

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        with whole_file(Path(self._filepath)) as beside:
            data.to_parquet(beside, **self._save_args)
