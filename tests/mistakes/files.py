"""Mistakes in files: raw ones, those that runs have made, those of new days."""

from mistakes.user import (
    FORECAST,
    OUTPUT,
    PREPROCESS,
    SAMPLE,
    User,
    garbage,
    half,
    mistake,
    typed,
    unpacked,
    with_changed,
)
from typed_commands import Outcome

typed("A folder of raw files that is not there", "kedro run --params raw_dir=nowhere")
typed("The competition's files not downloaded yet", "kedro run --env kaggle")


@mistake("A raw file is missing")
def _(user: User) -> Outcome:
    with user.without(f"{SAMPLE}/items.csv"):
        return user.types(PREPROCESS)


with_changed("A raw file half downloaded", f"{SAMPLE}/train.csv.gz", half, PREPROCESS)


def _under(name: str, other: str) -> None:
    """Register a file of sales under an ending that does not fit it."""

    @mistake(name)
    def _(user: User) -> Outcome:
        with user.without(f"{SAMPLE}/train.csv.gz"):
            path = user.project / SAMPLE / other
            path.write_bytes(b"no such thing")
            try:
                return user.types(PREPROCESS)
            finally:
                path.unlink()


_under("A zip file that is none", "train.csv.zip")
_under("A parquet file that is damaged", "train.parquet")
with_changed(
    "A column is missing", f"{SAMPLE}/train.csv.gz", unpacked("unit_sales", "sales", 1), PREPROCESS
)
with_changed(
    "Words where numbers belong", f"{SAMPLE}/train.csv.gz", unpacked(",1.0,", ",many,"), PREPROCESS
)
with_changed(
    "Dates in another format, in a file", f"{SAMPLE}/train.csv.gz",
    unpacked("2017-05-", "05/2017/"), PREPROCESS,
)  # fmt: skip


@mistake("A file of an earlier step was removed")
def _(user: User) -> Outcome:
    with user.without(f"{OUTPUT}/holdout_forecasts.parquet"):
        return user.types("kedro run --pipeline promote")


with_changed(
    "A file of an earlier step is damaged", "data/06_models/challenger.json", garbage,
    "kedro run --pipeline promote",
)  # fmt: skip
with_changed("The panel is damaged", "data/03_primary/panel/units.npy", half, FORECAST)
with_changed("The verdict is damaged", "data/08_reporting/verdict.json", garbage, "kedro verdict")


def _arriving(name: str, file: str, rows: str) -> None:
    """Register a file of new days, which is refused and does not hold up the others."""

    @mistake(name, status=0)
    def _(user: User) -> Outcome:
        with user.arrived(file, rows):
            return user.types("kedro run --pipeline update")


_arriving("A file of another day than its name", "train-2017-06-01.csv", "1,2017-06-02,44,1,1,\n")
_arriving("A file with a row twice", "train-2017-06-01.csv", "1,2017-06-01,44,99197,1,\n" * 2)
_arriving("A file whose name is unknown", "sales june.csv", "1,2017-06-01,44,99197,1,\n")
