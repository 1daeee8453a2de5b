"""A raw table as the checks see it: blocks of CSV text, wherever they come from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Blocks = Iterator[bytes]
"""Parts of one CSV text, UTF-8, header first; each part ends at the end of a line."""


@dataclass(frozen=True)
class RawTable:
    """One raw table, not yet read.

    Attributes:
        table: Kaggle's name of the table, such as `train`.
        file: Name of the file; empty if an optional table is not there.
        folder: Where the file lies, for messages.
        sha256: SHA-256 of the bytes of the file as it lies there; empty without a file.
        first_row: Number of the first data row: 2 where line 1 is the header, else 1.
        read_blocks: Opens the table and reads it from its beginning.
        simulated: Whether its folder says that the data are simulated.
    """

    table: str
    file: str
    folder: str
    sha256: str
    first_row: int
    read_blocks: Callable[[], Blocks]
    simulated: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is a file: an optional table may be missing."""
        return self.file != ""

    @property
    def place(self) -> str:
        """The file and its folder, for messages."""
        return f"{self.file} (in {self.folder})"
