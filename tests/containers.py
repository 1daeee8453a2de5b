"""Images and containers without a daemon: buildah builds, runc runs, Debian is the base.

What this machine knows of indexes of packages goes into a build as secret and read-only volume, and
stays in none of its layers.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROGRAMS = ("buildah", "mmdebstrap", "runc")
BASE = "localhost/python-stand-in:3.11"
_CAPABILITIES = ("bounding", "effective", "permitted", "inheritable", "ambient")


def missing_programs() -> list[str]:
    """Return what is not installed, or `root`, of all that is needed here."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [] if shutil.which("apt-get") else ["Debian"]
    return missing + ([] if os.geteuid() == 0 else ["root"])


@dataclass(frozen=True)
class Engine:
    """A store of images of a test's own.

    Attributes:
        folder: Where images, containers and their states lie.
        driver: How layers lie on each other; vfs copies all files and works everywhere.
    """

    folder: Path
    driver: str = "vfs"

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return an engine by overlay, which copies nothing, where this machine has it."""
        engine = cls(folder, "overlay")
        try:
            container = engine.call("from", "scratch")
            engine.call("mount", container)
            engine.call("rm", container)
        except subprocess.CalledProcessError:
            shutil.rmtree(folder)
            folder.mkdir()
            return cls(folder)
        return engine

    @property
    def buildah(self) -> list[str]:
        """The command that works on this store."""
        return [
            "buildah", "--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"),
            "--storage-driver", self.driver,
        ]  # fmt: skip

    def call(self, *arguments: object) -> str:
        """Return what a buildah command prints."""
        command = [*self.buildah, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def remove(self) -> None:
        """Remove all images; they take gigabytes."""
        self.call("rmi", "--all", "--force")
        shutil.rmtree(self.folder)

    def make_base(self) -> None:
        """Make what stands in for python:3.11-slim: Debian 12 with its own Python 3.11."""
        archive = self.folder / "base.tar"
        sources = [*Path("/etc/apt/sources.list.d").glob("debian*.sources")]
        sources += [path for path in [Path("/etc/apt/sources.list")] if path.is_file()]
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=apt", "--dpkgopt=force-unsafe-io",
             "--include=python3,python3-venv", "bookworm", archive, *sources[:1]],
            check=True, env=os.environ | {"TMPDIR": str(self.folder)},
        )  # fmt: skip
        container = self.call("from", "scratch")
        self.call("add", "--quiet", container, archive, "/")
        self.call("commit", "--quiet", "--rm", container, BASE)
        archive.unlink()

    def build_options(self) -> list[str]:
        """Return what a build has to be told on this machine."""
        settings, paths = _pip_settings()
        secret = self.folder / "pip.conf"
        lines = [f"{name} = {value}" for name, value in settings.items()]
        secret.write_text("\n".join(["[global]", *lines, ""]))
        options = ["--isolation", "chroot", "--layers=false", "--build-arg", f"BASE={BASE}"]
        options += ["--secret", f"id=pip,src={secret}"]
        return options + [
            word for path in sorted(paths) for word in ("--volume", f"{path}:{path}:ro")
        ]

    def describe(self, image: str) -> dict:
        """Return an image's configuration."""
        return json.loads(self.call("inspect", "--type", "image", image))["Docker"]["config"]

    @contextmanager
    def files_of(self, image: str) -> Iterator[Path]:
        """Give the folder that holds an image's files."""
        container = self.call("from", image)
        try:
            yield Path(self.call("mount", container))
        finally:
            self.call("rm", container)


def _pip_settings() -> tuple[dict[str, str], set[Path]]:
    """Return pip's settings on this machine, and the folders and files that they name."""
    told = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    settings: dict[str, str] = {}
    paths: set[Path] = set()
    for line in told.splitlines():
        name, _, value = line.partition("=")
        settings[name.rpartition(".")[2]] = ast.literal_eval(value)
    for word in " ".join(settings.values()).split():
        if found := re.fullmatch(r"file://(/.*)", word):
            paths.add(Path(found[1]).parent)  # an index names its files beside itself
        elif word.startswith("/") and Path(word).exists():
            paths.add(Path(word))
    return settings, paths


@dataclass(frozen=True)
class Container:
    """A container of an image: its user, no capability, and its files read-only.

    Attributes:
        engine: Where its state lies.
        image: The image's configuration.
        files: The image's files.
        data: The folder that is mounted as /app/data, the only one besides /tmp to write to.
    """

    engine: Engine
    image: dict
    files: Path
    data: Path

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, entrypoint: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run words after the image's name until they end."""
        name, command = self._prepare(words, env or {}, entrypoint)
        outcome = subprocess.run(command, check=False, capture_output=True, text=True)
        shutil.rmtree(self.engine.folder / name)
        return outcome

    @contextmanager
    def start(
        self, *words: str, env: Mapping[str, str] | None = None, entrypoint: Sequence[str] = ()
    ) -> Iterator["RunningContainer"]:
        """Start words after the image's name; stop them when the block ends."""
        name, command = self._prepare(words, env or {}, entrypoint)
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield RunningContainer(self, name, process)
        finally:
            stop = [*self._runc(), "kill", name, "TERM"]
            subprocess.run(stop, check=False, stderr=subprocess.DEVNULL)
            process.communicate(timeout=60)
            shutil.rmtree(self.engine.folder / name)

    def _runc(self) -> list[str]:
        return ["runc", "--root", str(self.engine.folder / "runc")]

    def _prepare(
        self, words: Sequence[str], env: Mapping[str, str], entrypoint: Sequence[str]
    ) -> tuple[str, list[str]]:
        """Write the bundle of a container; return its name and the command that runs it."""
        name = f"container-{uuid.uuid4().hex}"
        bundle = self.engine.folder / name
        bundle.mkdir()
        arguments = [*(entrypoint or self.image["Entrypoint"]), *(words or self.image["Cmd"])]
        (bundle / "config.json").write_text(json.dumps(self._describe(arguments, env)))
        return name, [*self._runc(), "run", "--bundle", str(bundle), name]

    def _describe(self, arguments: list[str], env: Mapping[str, str]) -> dict:
        uid, gid = (int(number) for number in self.image["User"].split(":"))
        stated = [*self.image["Env"], *(f"{name}={value}" for name, value in env.items())]
        tmpfs = {"type": "tmpfs", "source": "tmpfs"}
        return {
            "ociVersion": "1.0.2",
            "root": {"path": str(self.files), "readonly": True},
            "process": {
                "user": {"uid": uid, "gid": gid},
                "args": arguments,
                "env": stated,
                "cwd": self.image["WorkingDir"],
                "capabilities": {kind: [] for kind in _CAPABILITIES},
                "noNewPrivileges": True,
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", **tmpfs, "options": ["nosuid", "mode=755"]},
                {"destination": "/dev/shm", **tmpfs, "options": ["nosuid", "nodev", "mode=1777"]},
                {"destination": "/tmp", **tmpfs, "options": ["nosuid", "nodev", "mode=1777"]},
                {"destination": "/app/data", "type": "bind", "source": str(self.data),
                 "options": ["rbind", "rw"]},
            ],
            "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "uts")]},
        }  # fmt: skip


@dataclass(frozen=True)
class RunningContainer:
    """A container that runs, on the network of this machine.

    Attributes:
        container: What it is.
        name: Its name.
        process: The process that runs it; what it says is its standard output.
    """

    container: Container
    name: str
    process: subprocess.Popen[str]

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its health check is run."""
        inside = [*self.container._runc(), "exec", self.name, *command]
        return subprocess.run(inside, check=False, capture_output=True, text=True)
