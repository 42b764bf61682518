"""The application's project around an SQLite file: its settings, its package manager, its database."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from zenni_tui.errors import StepFailed

from . import environment

_LEVELS = 4
_SETTINGS = (".env", ".env.local", ".env.production")
_MANAGERS = {
    "package-lock.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
_VARIABLE = "DATABASE_URL"


class Project(NamedTuple):
    """What was found: the project's folder, its settings file, its package manager, and the database it names."""

    folder: Path
    settings: Path | None
    manager: str
    database: Path | None


def find(source: Path) -> Project | None:
    """Return the project that an SQLite file lies in: the nearest folder above with a package.json or a settings file.

    `database` is where DATABASE_URL of the settings points to, when it is a file: Prisma reads a relative path from the
    folder of its schema (https://www.prisma.io/docs/orm/overview/databases/sqlite), others from the project's.
    """
    start = source.resolve().parent
    for folder in (start, *start.parents)[:_LEVELS]:
        settings = next((folder / n for n in _SETTINGS if (folder / n).is_file()), None)
        if is_one(folder):
            manager = next((m for name, m in _MANAGERS.items() if (folder / name).is_file()), "")
            return Project(folder, settings, manager, _database(folder, settings))
    return None


def around(source: Path, schema: Path, named: str = "") -> Path | None:
    """Return the project's folder that holds a Prisma schema: the one named, or found around the source or the schema.

    None when no such folder has a package.json or a settings file.
    """
    folders = [Path(named).resolve()] if named and is_one(Path(named)) else []
    folders += [f.folder for f in (find(source), find(schema)) if f is not None]
    return next((f for f in folders if schema.resolve().is_relative_to(f)), None)


def is_one(folder: Path) -> bool:
    """Return whether a folder looks like a project's own: it has a package.json or a settings file."""
    return any((folder / name).is_file() for name in (*_SETTINGS, "package.json"))


def _database(folder: Path, settings: Path | None) -> Path | None:
    if settings is None:
        return None
    try:
        named = environment.read(settings).get(_VARIABLE, "")
    except StepFailed:
        return None
    if not named.startswith("file:"):
        return None
    path = unquote(named.removeprefix("file:").partition("?")[0])
    places = [(base / path).resolve() for base in (folder / "prisma", folder)]
    return next((p for p in places if p.is_file()), places[-1])
