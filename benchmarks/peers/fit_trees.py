"""Fit gradient-boosted trees of other libraries on a matrix that `trials.py` has written.

Reads `rows.npz` (matrix, target, weight, and test: the matrix to forecast) and writes
`forecast.npy`. XGBoost has the trees, leaves, learning rate, bins, rows a leaf and shares of rows
and features of the LightGBM that it stands beside. CatBoost, whose trees are symmetric, has as many
trees, one level more than such leaves need, and half as much again of the learning rate.
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
    parser.add_argument("--seed", type=int, required=True)
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
            min_child_weight=100,
            colsample_bytree=0.5,
            max_bin=63,
            subsample=0.7,
            n_jobs=2,
            random_state=options.seed,
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
            random_seed=options.seed,
            allow_writing_files=False,
        )
    model.fit(rows["matrix"], rows["target"], sample_weight=rows["weight"])
    np.save(options.folder / "forecast.npy", model.predict(rows["test"]))


if __name__ == "__main__":
    main()
