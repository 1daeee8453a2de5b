"""What kedro-viz shows of a dataset beside the graph: a few rows."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from kedro_datasets._typing import TablePreview

ROWS = 20


def show_rows(table: pd.DataFrame) -> TablePreview:
    """Return a table's rows as kedro-viz reads them: values that JSON has, dates as ISO text."""
    rows = [[_show_value(value) for value in row] for row in table.itertuples(index=False)]
    shown = {"index": list(range(len(rows))), "columns": list(table.columns), "data": rows}
    return TablePreview(shown)


def _show_value(value: Any) -> Any:
    if isinstance(value, list | np.ndarray):
        return [_show_value(item) for item in value]
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, date | np.datetime64):
        return str(value)[:10]
    return value.item() if isinstance(value, np.generic) else value
