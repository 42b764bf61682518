"""SQLite files near a folder, and the databases that settings files there name."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zenni_tui.errors import StepFailed

from . import environment, project

_ENDS = (".db", ".sqlite", ".sqlite3", ".db3")
_MAGIC = b"SQLite format 3\x00"
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "venv", "dist", "build"})
_LEVELS = 4
_MOST_ENTRIES = 20_000
_MOST_FOUND = 50
_POSTGRES = ("postgresql://", "postgres://")


class Nearby(NamedTuple):
    """An SQLite file, and what speaks for its being the application's: `named` by a settings file, its bytes."""

    path: Path
    size: int
    named: bool


class Found(NamedTuple):
    """What lies near a folder; `targets` are connection URLs of settings files, with whatever password they hold."""

    sources: tuple[Nearby, ...]
    targets: tuple[str, ...]


def look_around(folder: Path) -> Found:
    """Return the SQLite files at or below a folder, those that a project's settings name first; opens no database.

    Looked at are some thousand entries at most, four levels deep, without packages and hidden folders.
    """
    sources: dict[Path, Nearby] = {}
    targets: dict[str, None] = {}
    for entry in _files(folder):
        if entry.name.endswith(_ENDS) and len(sources) < _MOST_FOUND and _is_sqlite(entry):
            path = entry.resolve()
            sources.setdefault(path, Nearby(path, path.stat().st_size, named=_named(path)))
        elif entry.name.startswith(".env"):
            targets.update(dict.fromkeys(_urls(entry)))
    return Found(tuple(sorted(sources.values(), key=lambda s: (not s.named, -s.size))), tuple(targets))


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    depth = len(folder.parts)
    for place, folders, names in os.walk(folder):
        near = len(Path(place).parts) - depth < _LEVELS
        folders[:] = sorted(f for f in folders if near and f not in _PASSED_OVER and not f.startswith("."))
        for name in sorted(names):
            seen += 1
            if seen > _MOST_ENTRIES:
                return
            yield Path(place, name)


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return path.is_file() and stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _named(path: Path) -> bool:
    found = project.find(path)
    return found is not None and found.database is not None and found.database.resolve() == path


def _urls(path: Path) -> list[str]:
    try:
        return [value for value in environment.read(path).values() if value.startswith(_POSTGRES)]
    except StepFailed:
        return []
