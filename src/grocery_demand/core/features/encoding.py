"""Attributes as numbers, by a vocabulary that is fixed when the model is fitted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import PanelParts

NUMBERS = ("store_nbr", "item_nbr", "class", "perishable", "cluster")
WORDS = ("family", "city", "state", "type")
ATTRIBUTES = (*NUMBERS, *WORDS)


@dataclass(frozen=True)
class Encoding:
    """Codes of the words seen when the model was fitted; kept with the model, never re-fitted.

    Attributes:
        words: By column, the known words in the order of their codes.
    """

    words: dict[str, list[str]]

    @classmethod
    def fit(cls, series: pd.DataFrame) -> "Encoding":
        """Number the words that occur, in alphabetical order."""
        return cls({column: sorted(series[column].astype(str).unique()) for column in WORDS})

    @classmethod
    def fit_parts(cls, parts: PanelParts) -> "Encoding":
        """Number the words that occur in any part."""
        found = parts.map(_list_words)
        return cls({name: sorted(set().union(*(words[name] for words in found))) for name in WORDS})

    def encode(self, attribute: pd.Series) -> np.ndarray:
        """Return the attribute of this name as float32 [series]; a word never seen is NaN."""
        name = str(attribute.name)
        if name in NUMBERS:
            return attribute.to_numpy(np.float32)
        known = {word: code for code, word in enumerate(self.words[name])}
        position, words = pd.factorize(attribute, use_na_sentinel=False)
        codes = np.array([known.get(str(word), np.nan) for word in words], np.float32)
        return codes[position]


def _list_words(part: Panel) -> dict[str, list[str]]:
    return Encoding.fit(part.series).words
