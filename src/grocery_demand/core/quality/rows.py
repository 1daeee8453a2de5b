"""From CSV text to checked rows: a fast way for good rows and an exact way for the others.

The exact way is the definition: every line is one row, its cells are texts, and the column's
rules say what is wrong. The fast way lets Polars parse a whole block at once and only vouches for
rows that are certainly good; the rest goes the exact way. A row never spans lines, so that a
stray quotation mark costs its own line and not the lines after it.
"""

import csv
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.parameters import suggestion
from grocery_demand.core.quality import reasons
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.tables import TableRules

ROW = "row"
"""Column with the number of the row in the file; for CSV the number of its line."""

REJECTED_SCHEMA = {"row": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String}
"""Of bad rows; the numbers of rows are UInt64 where a table has more than 4 billion."""

_LONGEST = 200
"""Characters of a bad cell that are kept."""

_SURPLUS = "surplus"
_SOUND = "sound"
_FAULT = "fault"


_LAST_SHORT_ROW = 2**32 - 1
"""Up to here the numbers of rows take four bytes each, beyond eight."""


@dataclass(frozen=True)
class Block:
    """Lines of a table that follow each other and are checked at once.

    Attributes:
        text: The lines, UTF-8, without the table's header.
        first_row: Number of the first.
        header: The names of the table's columns.
    """

    text: bytes
    first_row: int
    header: list[str]

    @cached_property
    def count(self) -> int:
        """Number of lines, blank ones included."""
        return self.text.count(b"\n") + (not self.text.endswith(b"\n"))

    @property
    def row_type(self) -> type[pl.UInt32 | pl.UInt64]:
        """Type of the numbers of these rows, wide enough for the last of them."""
        return pl.UInt32 if self.first_row + self.count <= _LAST_SHORT_ROW else pl.UInt64

    @cached_property
    def _ends(self) -> np.ndarray:
        ends = np.flatnonzero(np.frombuffer(self.text, np.uint8) == ord("\n"))
        return np.append(ends, len(self.text))[: self.count]

    def line(self, position: int) -> bytes:
        """Return a line without its end."""
        start = self._ends[position - 1] + 1 if position else 0
        return self.text[start : self._ends[position]]


@dataclass(frozen=True)
class CheckedRows:
    """Rows of one part of a table.

    Attributes:
        kept: One row per good row: the rules' columns and `row`, in file order.
        rejected: One row per bad row: row, column, value, reason.
    """

    kept: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def rows_read(self) -> int:
        """Rows that were read; blank lines are none."""
        return self.kept.height + self.rejected.height

    @property
    def rows_rejected(self) -> int:
        """Number of bad rows."""
        return self.rejected.height


def read_blocks(raw: RawTable, rules: TableRules) -> Iterator[Block]:
    """Read a table block by block, each with the numbers of its rows.

    Raises:
        RawDataError: If it is not text, or a column is missing or named twice.
    """
    row, header = raw.first_row, None
    for block in raw.read_blocks():
        text = block
        if header is None:
            first_line, _, text = block.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
            header = _read_header(first_line, raw, rules)
        if text:
            lines = Block(text, row, header)
            row += lines.count
            yield lines


def _read_header(line: bytes, raw: RawTable, rules: TableRules) -> list[str]:
    if not _is_text(line):
        raise RawDataError(
            f"{raw.place} is not a text in UTF-8, as its first line shows. Save {raw.table} as CSV "
            f"in UTF-8, with these columns: {', '.join(rules.names)}."
        )
    header = [name.strip() for name in _split(line)]
    for name in rules.names:
        if header.count(name) != 1:
            problem = "no column" if name not in header else "more than one column"
            raise RawDataError(
                f"{raw.place} has {problem} `{name}`{suggestion(name, header)}. "
                f"Its columns: {', '.join(header) or 'none'}. Name the columns of "
                f"{raw.table} as Kaggle does, separated by commas: {', '.join(rules.names)}."
            )
    return header


def _is_text(line: bytes) -> bool:
    try:
        return "\0" not in line.decode("utf-8")
    except UnicodeDecodeError:
        return False


def check_block(block: Block, rules: TableRules) -> CheckedRows:
    """Check the rows of a block: what is found does not depend on what lies in other blocks."""
    quick = _check_quickly(block, rules)
    if quick is None:
        return _check_exactly(block, np.arange(block.count), rules)
    sound = quick.drop_in_place(_SOUND)
    if sound.all():
        return CheckedRows(quick, pl.DataFrame(schema=REJECTED_SCHEMA))
    doubtful = np.flatnonzero(~sound.to_numpy())
    exact = _check_exactly(block, doubtful, rules)
    kept = quick.filter(sound)
    if not exact.kept.is_empty():
        kept = pl.concat([kept, exact.kept]).sort(ROW)
    return CheckedRows(kept, exact.rejected)


def _check_quickly(block: Block, rules: TableRules) -> pl.DataFrame | None:
    """Return the values of every line and whether they are sound; None where it cannot tell."""
    quoted = b'"' in block.text
    scan_types = {column.name: column.scan_type for column in rules.columns}
    schema = {
        name if name in scan_types else f"{position}": scan_types.get(name, pl.String)
        for position, name in enumerate(block.header)
    }
    cells = pl.scan_csv(
        block.text,
        has_header=False,
        schema=schema | {_SURPLUS: pl.String},
        quote_char='"' if quoted else None,
        encoding="utf8-lossy",
        ignore_errors=True,
        missing_columns="insert",
        extra_columns="ignore",
        raise_if_empty=False,
        glob=False,
    )
    sound = pl.all_horizontal(
        pl.col(_SURPLUS).is_null(), *(c.is_sound(pl.col(c.name)) for c in rules.columns)
    )
    values = [column.parse(pl.col(column.name)).alias(column.name) for column in rules.columns]
    try:
        with warnings.catch_warnings():
            # Polars warns of rows that span lines; they are found out by the count below.
            warnings.simplefilter("ignore")
            checked = cells.select(*values, sound.alias(_SOUND)).collect()
    except PolarsError:
        return None
    if checked.height != block.count:
        return None
    first = block.first_row
    numbers = pl.int_range(first, first + block.count, dtype=block.row_type)
    return checked.with_columns(numbers.alias(ROW))


def _check_exactly(block: Block, positions: np.ndarray, rules: TableRules) -> CheckedRows:
    texts = _read_texts(block, positions, rules)
    faults = [("", reasons.SURPLUS_CELL, pl.col(_SURPLUS).is_not_null())]
    for column in rules.columns:
        found = column.faults(pl.col(column.name))
        faults += [(column.name, reason, applies) for reason, applies in found]
    first_fault = pl.coalesce(
        pl.when(applies).then(pl.lit(n, pl.Int32)) for n, (_, _, applies) in enumerate(faults)
    )
    values = [column.parse(pl.col(column.name)).alias(column.name) for column in rules.columns]
    checked = texts.with_columns(first_fault.alias(_FAULT))
    kept = checked.filter(pl.col(_FAULT).is_null()).select(*values, ROW)
    return CheckedRows(kept, _describe(checked.drop_nulls(_FAULT), faults))


def _read_texts(block: Block, positions: np.ndarray, rules: TableRules) -> pl.DataFrame:
    """Return the cells of some lines as texts, null where empty; blank lines are left out."""
    header = block.header
    wanted = [header.index(name) for name in rules.names]
    rows, texts = [], []
    for position in positions:
        line = block.line(position)
        if line.strip():
            cells = [cell.strip() or None for cell in _split(line)]
            cells += [None] * (len(header) + 1 - len(cells))
            surplus = line.decode(errors="replace").strip() if cells[len(header)] else None
            rows.append(block.first_row + int(position))
            texts.append([*(cells[n] for n in wanted), surplus])
    schema = dict.fromkeys([*rules.names, _SURPLUS], pl.String)
    frame = pl.DataFrame(texts, schema=schema, orient="row")
    return frame.with_columns(pl.Series(ROW, rows, block.row_type))


def _split(line: bytes) -> list[str]:
    text = line.decode(errors="replace").strip("\r\n")
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return [text]


def _describe(rejected: pl.DataFrame, faults: list[tuple[str, str, pl.Expr]]) -> pl.DataFrame:
    """Return row, column, value and reason of rows with the number of their first fault."""
    parts = [
        part.select(
            ROW,
            pl.lit(faults[number][0]).alias("column"),
            pl.col(faults[number][0] or _SURPLUS).fill_null("").str.head(_LONGEST).alias("value"),
            pl.lit(faults[number][1]).alias("reason"),
        )
        for (number,), part in rejected.partition_by(_FAULT, as_dict=True).items()
    ]
    return join_rejected(parts).sort(ROW)


def join_kept(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the good rows of several parts, at least one, one part after the other."""
    is_mixed = len({part.schema[ROW] for part in parts}) > 1
    return pl.concat(parts, how="vertical_relaxed" if is_mixed else "vertical", rechunk=False)


def join_rejected(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the bad rows of several parts, one part after the other."""
    empty = pl.DataFrame(schema=REJECTED_SCHEMA)
    return pl.concat([empty, *parts], how="vertical_relaxed")
