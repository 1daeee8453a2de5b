"""A PostgreSQL server of a test's own, from the programs that Debian installs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_port

ADMINISTRATOR, HERE = "ann", "127.0.0.1/32"


def find_program(name: str) -> str | None:
    """Return where a program of PostgreSQL lies; Debian keeps them off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(versions[0]) if versions else shutil.which(name)


@dataclass(frozen=True)
class Postgres:
    """A server that runs, listening on this machine alone.

    Attributes:
        port: Its port.
    """

    port: int

    def url(self, user: str = ADMINISTRATOR, database: str = "postgres") -> str:
        """Return the address of a database; a password may stand behind the user's name."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def run_script(self, script: Path, environment: Mapping[str, str]) -> None:
        """Run a script by psql as the administrator."""
        subprocess.run(
            [find_program("psql"), "--no-psqlrc", "--quiet", "--file", script, self.url()],
            check=True, env=os.environ | dict(environment),
        )  # fmt: skip


@contextmanager
def run_postgres(*, passwords: bool = False) -> Iterator[Postgres]:
    """Run a server until the block ends.

    Args:
        passwords: Whether all but the administrator have to give theirs.
    """
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    user = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        user = {"user": "postgres"}
    data = folder / "data"

    def run(program: str, *arguments: object) -> None:
        subprocess.run(
            [find_program(program), "-D", data, *arguments],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, **user,
        )  # fmt: skip

    run("initdb", "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8")
    if passwords:
        rules = (f"host all {ADMINISTRATOR} {HERE} trust", f"host all all {HERE} scram-sha-256")
        (data / "pg_hba.conf").write_text("\n".join([*rules, ""]))
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
    run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield Postgres(port)
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)
