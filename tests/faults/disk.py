"""Disks that are full: a small file system where one may be mounted, else a limit to how far a file may grow."""

import contextlib
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psutil


class Disk(Protocol):
    """A folder whose disk can be full at will."""

    folder: Path

    def fill(self, process: psutil.Process) -> None:
        """Leave no room for what this process writes."""

    def free(self, process: psutil.Process | None) -> None:
        """Make room again."""


class Mounted:
    """A file system in memory; `fill` takes what is left of it, so that writers get ENOSPC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, process: psutil.Process) -> None:  # noqa: ARG002 - a disk is full for all
        """Write until nothing fits any more."""
        with self._ballast.open("wb", buffering=0) as stream:
            for size in (65536, 4096):
                with contextlib.suppress(OSError):
                    while stream.write(bytes(size)) == size:
                        pass

    def free(self, process: psutil.Process | None) -> None:  # noqa: ARG002 - as above
        """Remove what `fill` has written."""
        self._ballast.unlink()


class Limited:
    """A plain folder; `fill` forbids the process to let any file grow, so that it gets EFBIG."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, process: psutil.Process) -> None:
        """Set the limit."""
        process.rlimit(psutil.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def free(self, process: psutil.Process | None) -> None:
        """Take the limit away; a process that has ended took it along."""
        if process is not None:
            process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[Disk]:
    """Yield a disk of so many bytes that everybody on this machine may look into."""
    folder = Path(tempfile.mkdtemp(prefix="zenni-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode
    try:
        yield Limited(folder) if mounted else Mounted(folder)
    finally:
        if not mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder)


@contextlib.contextmanager
def no_large_files(size: int) -> Iterator[None]:
    """Forbid this process, and those it starts meanwhile, to let a file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
