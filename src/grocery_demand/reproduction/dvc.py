"""DVC as a command: brings versions of data into a working copy."""

import shutil
import subprocess
from pathlib import Path


class Dvc:
    """DVC in a working copy that shares cache and remotes with the project.

    Args:
        project: The project's folder, whose cache is looked into first.
        copy: The working copy.

    Attributes:
        complaint: What DVC said last when it failed, in one line.
    """

    def __init__(self, project: Path, copy: Path) -> None:
        own = project / ".tools" / "bin" / "dvc"
        self._program = str(own) if own.is_file() else shutil.which("dvc")
        self._project, self._copy = project, copy
        self._prepared = False
        self.complaint = ""

    @property
    def is_usable(self) -> bool:
        """Whether DVC is installed, and used by project and copy."""
        used = all((folder / ".dvc" / "config").is_file() for folder in (self._project, self._copy))
        return self._program is not None and used

    def bring(self, target: str) -> bool:
        """Check a tracked file, folder or stage out, from the cache or from the remote.

        Returns:
            Whether that succeeded.
        """
        if not self.is_usable:
            return False
        self._prepare()
        return any(
            self._call(self._copy, verb, target) is not None for verb in ("checkout", "pull")
        )

    def _prepare(self) -> None:
        """Take over the project's own settings; relative addresses are seen from the project."""
        if self._prepared:
            return
        settings = self._project / ".dvc" / "config.local"
        if settings.is_file():
            shutil.copy(settings, self._copy / ".dvc" / "config.local")
        cache = (self._call(self._project, "cache", "dir") or "").strip()
        self._call(self._copy, "config", "--local", "cache.dir", cache)
        for line in (self._call(self._project, "config", "--list") or "").splitlines():
            name, _, value = line.partition("=")
            if name.endswith(".url") and Path(value).is_absolute():
                self._call(self._copy, "config", "--local", name, value)
        self._prepared = True

    def _call(self, folder: Path, *arguments: str) -> str | None:
        command = [self._program or "dvc", *arguments]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if told.returncode:
            self.complaint = next(reversed(told.stderr.strip().splitlines()), "")
            return None
        return told.stdout
