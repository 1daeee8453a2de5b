"""Baselines that need no fitting: they are features already."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Baseline:
    """A forecast that is one feature as it stands.

    Attributes:
        feature_names: The one feature.
    """

    feature_names: tuple[str, ...]

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return the feature."""
        return np.ascontiguousarray(matrix[:, 0])

    def importance(self) -> np.ndarray:
        """Return all weight on the one feature."""
        return np.ones(1)

    def to_files(self) -> dict[str, bytes]:
        """Return nothing: there is no state."""
        return {}
