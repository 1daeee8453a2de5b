"""What every point model can do."""

from typing import Protocol

import numpy as np


class PointModel(Protocol):
    """A fitted model of ln(1+units)."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns of the matrix that it reads, in their order."""

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return ln(1+units), float32 [row], for a matrix float32 [row, feature]."""

    def importance(self) -> np.ndarray:
        """Return the share of each feature in the model's gains, summing to 1 (or all zero)."""

    def to_files(self) -> dict[str, bytes]:
        """Return the fitted state as named files, without pickles."""
