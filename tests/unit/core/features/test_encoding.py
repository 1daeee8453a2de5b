"""Codes of words are those of the day the model was fitted."""

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.features import FEATURE_SETS, Encoding, Snapshot
from grocery_demand.core.features.encoding import WORDS
from worlds import set_series


def test_words_are_numbered_in_alphabetical_order():
    series = pd.DataFrame({c: ["b", "a", "b", "c"] for c in WORDS})
    encoding = Encoding.fit(series)
    assert encoding.encode(series["family"]).tolist() == [1, 0, 1, 2]


def test_a_word_that_is_missing_is_unknown():
    encoding = Encoding({column: ["a", "b"] for column in WORDS})
    codes = encoding.encode(pd.Series(["b", None, "a"], name="family"))
    np.testing.assert_array_equal(codes, [1, np.nan, 0])


def test_one_series_has_the_code_it_has_among_all(panel):
    encoding = Encoding.fit(panel.series)
    for column in WORDS:
        everything = encoding.encode(panel.series[column])
        for row in range(len(panel.series)):
            assert encoding.encode(panel.series[column].iloc[[row]])[0] == everything[row]


@pytest.mark.parametrize("column", WORDS)
def test_a_word_never_seen_is_unknown_and_the_others_keep_their_codes(panel, column):
    encoding = Encoding.fit(panel.series)
    known = encoding.encode(panel.series[column])
    changed = set_series(panel, 2, **{column: "AAA never seen"})
    codes = encoding.encode(changed.series[column])
    assert np.isnan(codes[2])
    np.testing.assert_array_equal(np.delete(codes, 2), np.delete(known, 2))


def test_words_never_seen_at_all_are_all_unknown(panel):
    encoding = Encoding({column: [] for column in WORDS})
    codes = encoding.encode(panel.series["family"])
    assert codes.dtype == np.float32
    assert np.isnan(codes).all()


def test_numbers_are_exact_up_to_kaggles_largest_item():
    series = pd.DataFrame({"item_nbr": [2_134_243, 2_134_244]})
    codes = Encoding({}).encode(series["item_nbr"])
    assert codes.astype(int).tolist() == [2_134_243, 2_134_244]


def test_the_workshop_set_reads_no_sales_at_all(panel):
    names = FEATURE_SETS["workshop"]
    encoding = Encoding.fit(panel.series)
    day = panel.n_days - 1
    known = Snapshot(panel, day)
    known.features(encoding, np.arange(1, 17), names)
    assert "history" not in vars(known)
