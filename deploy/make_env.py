"""Writes deploy/.env from .env.example, with a random value for each that is empty there.

A file that is there already is left as it is.
"""

import os
import re
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).parent


def fill_in(example: str) -> str:
    """Return the example with random values, 43 letters of a URL's alphabet, in place of none."""
    lines = [
        line + secrets.token_urlsafe(32) if re.fullmatch(r"\w+=", line) else line
        for line in example.splitlines()
    ]
    return "\n".join(lines) + "\n"


def main(folder: Path = HERE) -> int:
    """Write the file, readable by its owner alone."""
    try:
        file = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return 0
    with os.fdopen(file, "w", encoding="utf-8") as target:
        target.write(fill_in((folder / ".env.example").read_text(encoding="utf-8")))
    print(f"Wrote {folder / '.env'}: the web app's key and all passwords are in there.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
