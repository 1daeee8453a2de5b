"""Fit gradient-boosted trees of other libraries on a matrix that `trials.py` has written.

Reads `rows.npz` (matrix, target, weight, and test: the matrix to forecast) and writes
`forecast.npy`. Trees, depth and learning rate are those of the LightGBM that they stand beside.
"""

import argparse
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--library", choices=["xgboost", "catboost"], required=True)
    parser.add_argument("--trees", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--leaves", type=int, required=True)
    options = parser.parse_args()
    rows = np.load(options.folder / "rows.npz")
    if options.library == "xgboost":
        from xgboost import XGBRegressor

        model = XGBRegressor(
            n_estimators=options.trees,
            learning_rate=options.learning_rate,
            max_leaves=options.leaves,
            max_depth=0,
            grow_policy="lossguide",
            min_child_weight=40,
            colsample_bynode=0.5,
            subsample=0.7,
            n_jobs=2,
        )
    else:
        from catboost import CatBoostRegressor

        model = CatBoostRegressor(
            iterations=options.trees,
            learning_rate=options.learning_rate * 1.5,
            depth=int(np.ceil(np.log2(options.leaves))) + 1,
            rsm=0.5,
            verbose=False,
            thread_count=2,
            allow_writing_files=False,
        )
    model.fit(rows["matrix"], rows["target"], sample_weight=rows["weight"])
    np.save(options.folder / "forecast.npy", model.predict(rows["test"]))


if __name__ == "__main__":
    main()
