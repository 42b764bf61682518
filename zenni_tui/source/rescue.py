"""Copies the files of a database that SQLite can't open without writing, in a process of its own.

A hot journal must be rolled back, and a WAL without its index needs one made: both are done to the copy. A process of
its own, because a plain close drops the locks of every SQLite connection in the process
(https://sqlite.org/howtocorrupt.html, 2.2). It prints one word: `copied`, `locked`, `changing`, or the system's error.
"""

import hashlib
import io
import shutil
import sys
from pathlib import Path

from zenni_tui.source import locks

COMPANIONS = ("-wal", "-journal")
_TRIES = 5
_PIECE = 1024 * 1024


def companion(path: Path, ending: str) -> Path:
    """Return the path of a database's `-wal`, `-journal` or `-shm`."""
    return path.with_name(path.name + ending)


def copy(source: Path, target: Path, patience: float) -> str:
    """Copy a database with its WAL and journal, as they are at one moment; returns what became of it."""
    with source.open("rb") as stream:
        if not locks.take_shared(stream.fileno(), patience):
            return "locked"
        return "copied" if any(_steady(stream, source, target) for _ in range(_TRIES)) else "changing"


def _steady(stream: io.BufferedReader, source: Path, target: Path) -> bool:
    """Copy once, and tell whether nothing changed meanwhile: by time, size and content."""
    before = _state(source)
    digests = [_take(stream, target), *(_take_companion(source, target, ending) for ending in COMPANIONS)]
    again = [_digest(stream), *(_companion_digest(companion(source, ending)) for ending in COMPANIONS)]
    return digests == again and before == _state(source)


def _state(source: Path) -> list[tuple[int, int, int] | None]:
    return [_stat(p) for p in (source, *(companion(source, ending) for ending in COMPANIONS))]


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _take(stream: io.BufferedReader, target: Path) -> str:
    stream.seek(0)
    target.touch(0o600)
    with target.open("wb") as copied:
        shutil.copyfileobj(stream, copied, _PIECE)
    with target.open("rb") as copied:
        return _digest(copied)


def _take_companion(source: Path, target: Path, ending: str) -> str | None:
    private = companion(target, ending)
    private.unlink(missing_ok=True)
    try:
        with companion(source, ending).open("rb") as stream:
            return _take(stream, private)
    except FileNotFoundError:
        return None


def _digest(stream: io.BufferedReader) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _companion_digest(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return _digest(stream)
    except FileNotFoundError:
        return None


def main(arguments: list[str]) -> None:
    """Copy SOURCE to TARGET with PATIENCE in seconds, and print the word for what became of it."""
    source, target, patience = arguments
    try:
        word = copy(Path(source), Path(target), float(patience))
    except OSError as error:
        word = f"{error.strerror}: {error.filename}" if error.filename else str(error)
    sys.stdout.buffer.write(word.encode("utf-8", "replace"))


if __name__ == "__main__":
    main(sys.argv[1:])
