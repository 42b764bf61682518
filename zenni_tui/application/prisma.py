"""The application's Prisma schema: where it lies, and what it says.

Prisma resolves `file:./dev.db` from the schema's folder (until Prisma 6) or from the project's root (Prisma 7), and a
schema is a file `schema.prisma` or a folder of `*.prisma` files
(https://www.prisma.io/docs/orm/prisma-schema/overview/location).
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from . import packages
from .prisma_records import PrismaSchema
from .prisma_resolve import resolve
from .prisma_syntax import Place, SchemaUnreadable, parse, unreadable

__all__ = ["PrismaSchema", "SchemaUnreadable", "find_schema", "read_schema", "read_texts", "texts"]

PROVIDERS = frozenset({"sqlite", "postgresql", "postgres"})
"""SQLite, or PostgreSQL when the application's build for it already lies there."""

_RELATION_KEYS = 6
"""Upgrading to Prisma 6, "Implicit m-n relations on PostgreSQL": https://www.prisma.io/docs/orm/more/upgrade-guides."""

_DATASOURCE = re.compile(r'^\s*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*"(\w+)"', re.MULTILINE)
_MODEL = re.compile(r"^\s*model\s+\w+", re.MULTILINE)


def find_schema(source: Path) -> Path | None:
    """Return the Prisma schema of the project that an SQLite file belongs to, None when there is none.

    Looked at, in this order: beside the file; in `prisma/` beside it; and, when the file itself lies in a folder named
    `prisma`, beside that folder. In each place `schema.prisma` comes before a folder `schema/` of several files. A
    schema whose datasource is neither SQLite nor PostgreSQL belongs to another database and is passed over.
    """
    folder = source.resolve().parent
    places = [folder, folder / "prisma", *([folder.parent] if folder.name == "prisma" else [])]
    return next((found for place in places for found in _schemas_in(place)), None)


def _schemas_in(folder: Path) -> Iterator[Path]:
    single = folder / "schema.prisma"
    if single.is_file() and _provider(single) in PROVIDERS:
        # Prisma reads the whole folder when the project says so; a file without models says so plainly enough.
        yield single if _MODEL.search(_read(single)) or len(_files(folder)) == 1 else folder
    several = folder / "schema"
    if several.is_dir() and any(_provider(p) in PROVIDERS for p in _files(several)):
        yield several


def _provider(path: Path) -> str | None:
    match = _DATASOURCE.search(_read(path))
    return match.group(1) if match else None


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(_walk(path))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        # Packages bring schemas of their own, which are no part of the project's.
        folders[:] = [f for f in folders if f != "node_modules" and not f.startswith(".")]
        yield from (Path(place, f) for f in files if f.endswith(".prisma"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(
            f"the Prisma schema cannot be read: {error}",
            Place(str(path), 1, 1),
            "the types, names and rules of PostgreSQL come from it",
            "check that the file is there, readable, and in UTF-8",
        ) from error


def read_schema(path: Path) -> PrismaSchema:
    """Return what a schema says; `path` is a file, or a folder of `*.prisma` files taken together.

    Raises `SchemaUnreadable`, a `NotReady`, with file, line, column and what is wrong there.
    """
    files = _files(path)
    if not files:
        raise unreadable(
            "there is no Prisma schema", Place(str(path), 1, 1), "no *.prisma file is there", "check the path"
        )
    return read_texts({str(file): _read(file) for file in files}, str(path))


def read_texts(files: Mapping[str, str], path: str) -> PrismaSchema:
    """Return what a schema says whose files have these texts, by path; raises `SchemaUnreadable`."""
    read = resolve((b for file, text in files.items() for b in parse(text, file)), path)
    version = packages.around(Path(path))
    return msgspec.structs.replace(read, relation_keys=version is None or version >= _RELATION_KEYS)


def texts(path: Path) -> dict[str, str]:
    """Return the text of each of a schema's files, by its path; raises `SchemaUnreadable`."""
    return {str(file): _read(file) for file in _files(path)}
