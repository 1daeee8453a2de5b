"""Writes the README's table of measurements from results/: after measuring again, run it.

    python benchmarks/readme.py

The table stands between two marks in README.md; a test holds it to what is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results"
README = PROJECT / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
OURS = "this project"

Row = dict[str, str]


@dataclass(frozen=True)
class Measurement:
    """One line of the README's table.

    Attributes:
        what: What was measured, with its unit and on which data.
        result: Name of the file in results/, and of the script that wrote it, without endings.
        section: The result's heading above the table.
        value: The column that is shown.
        by: The column that names who was measured.
        peers: Who stands beside this project, as the column calls them.
        where: Values of other columns that choose the rows; `ours` those of this project's alone.
        unit: Follows each number.
    """

    what: str
    result: tuple[str, str]
    section: str
    value: str
    by: str = "model"
    peers: Sequence[str] = ()
    where: Sequence[tuple[str, str]] = ()
    ours: Sequence[tuple[str, str]] = ()
    unit: str = ""


_PEERS = ("mlforecast", "skforecast", "AutoETS", "moving_average", "seasonal_naive")
_CALENDAR = "mlforecast with calendar"
_REAL = ("accuracy_real_stores", "accuracy")
_SHORT = ("accuracy_real_stores_60_days", "accuracy")
_SAMPLE = ("accuracy_sample", "accuracy")
_FULL = ("accuracy_full", "accuracy")
_SPEED = ("peers_speed", "peers_speed")
_LOOP = ("speed_simulated", "speed")

MEASUREMENTS = (
    Measurement("error (NWRMSLE, less is better), daily totals of 54 real stores, four cutoffs",
                _REAL, "All cutoffs", "NWRMSLE", peers=(_CALENDAR, *_PEERS)),
    Measurement("the same, where only the last 60 days are known",
                _SHORT, "All cutoffs", "NWRMSLE", peers=(_CALENDAR, *_PEERS)),
    Measurement("the same on the simulated sample, by item, of series known for eight weeks",
                _SAMPLE, "All cutoffs", "NWRMSLE", peers=(_CALENDAR, *_PEERS)),
    Measurement("the same of 2,000 of 200,697 simulated series; this project learnt from all",
                _FULL, "All cutoffs", "NWRMSLE", peers=_PEERS),
    Measurement("share of days inside the 80 % interval (0.8 is right), real stores",
                _REAL, "All cutoffs", "coverage of 80 %", peers=("mlforecast", "AutoETS")),
    Measurement("from CSV to forecasts of 16,525 simulated series",
                _SPEED, "Time and accuracy", "s", by="program", peers=("mlforecast",), unit=" s",
                where=(("series", "16525"),), ours=(("rows at most", "400,000"),)),
    Measurement("the same of 1,660 series: no faster, see Limits",
                _SPEED, "Time and accuracy", "s", by="program", peers=("mlforecast",), unit=" s",
                where=(("series", "1660"),), ours=(("rows at most", "400,000"),)),
    Measurement("weeks with false advice, of 104 quiet simulated ones",
                ("false_alarms", "false_alarms"), "Quiet weeks", "weeks with false advice",
                by="quiet weeks"),
    Measurement("single predictions a second, each kept as an event before it is answered",
                ("serving", "serving"), "By server", "requests / s", by="server",
                peers=("mlflow models serve, 2 workers", "the workshop's way")),
    Measurement("the whole loop on 124 million simulated rows",
                _LOOP, "By size", "whole loop, s", by="data", unit=" s",
                where=(("rows", "124326357"),)),
    Measurement("its peak of memory", _LOOP, "By size", "peak, GiB", by="data", unit=" GiB"),
)  # fmt: skip
_OUR_NAMES = {"data": "full", "quiet weeks": "104"}
"""What this project's row is called in columns that name no program."""


def make_table() -> str:
    """Return the table of all measurements as Markdown.

    Raises:
        LookupError: If a result has no such section, column or row any more.
    """
    lines = ["| measured | this project | beside it | from |", "|---|---|---|---|"]
    return "\n".join(lines + [_make_line(measurement) for measurement in MEASUREMENTS])


def read_rows(path: Path, section: str) -> list[Row]:
    """Return the rows of the table below a heading of a result.

    Raises:
        LookupError: If there is no such table.
    """
    _, found, rest = path.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    if not found or not lines:
        raise LookupError(f"{path} has no table `{section}`")
    head, _, *rows = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines)
    return [dict(zip(head, row, strict=True)) for row in rows]


def put_in(text: str, table: str) -> str:
    """Return a README's text with another table between the marks."""
    before, after = text.split(BEGIN, maxsplit=1)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _make_line(measured: Measurement) -> str:
    result, script = measured.result
    rows = read_rows(RESULTS / f"{result}.md", measured.section)
    rows = [row for row in rows if all(row[name] == value for name, value in measured.where)]
    ours = _find(rows, measured, _OUR_NAMES.get(measured.by, OURS), measured.ours)
    beside = [f"{name.replace('_', ' ')} {_find(rows, measured, name)}" for name in measured.peers]
    links = f"[result](benchmarks/results/{result}.md), [script](benchmarks/{script}.py)"
    return f"| {measured.what} | **{ours}** | {'; '.join(beside) or '–'} | {links} |"


def _find(rows: list[Row], measured: Measurement, name: str, where: Sequence = ()) -> str:
    found = [
        row[measured.value] + measured.unit
        for row in rows
        if row[measured.by] == name and all(row[key] == value for key, value in where)
    ]
    if len(found) != 1:
        raise LookupError(f"{measured.result[0]}: {len(found)} rows of {name}, and one is needed")
    return found[0]


if __name__ == "__main__":
    README.write_text(put_in(README.read_text(encoding="utf-8"), make_table()), encoding="utf-8")
    print(f"{README} holds what is measured.")
