"""Whether an SQLite file still holds what an earlier copy of it holds, wholly compared."""

import filecmp
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from .database import quoted, uri
from .live import PREFIX


def first_difference(earlier: Path, later: Path) -> str | None:
    """Return the first thing in which a later copy differs from an earlier one, None when they hold the same.

    Our own tables and triggers are passed over. Rows are compared as they are stored, with their storage classes.
    Raises sqlite3.Error.
    """
    if filecmp.cmp(earlier, later, shallow=False):
        return None
    with closing(_opened(earlier)) as one, closing(_opened(later)) as other:
        if _declared(one) != _declared(other):
            return "the schema"
        return next((f'table "{table}"' for table in _tables(one) if _differ(one, other, table)), None)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri(path, frozen=True), uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _declared(file: sqlite3.Connection) -> list[tuple[object, ...]]:
    rows = file.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name, sql").fetchall()
    return [row for row in rows if not row[0].startswith(PREFIX)]


def _tables(file: sqlite3.Connection) -> list[str]:
    rows = file.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')")
    return [name for (name,) in rows if not name.startswith((PREFIX, "sqlite_schema", "sqlite_stat"))]


def _differ(one: sqlite3.Connection, other: sqlite3.Connection, table: str) -> bool:
    pairs = itertools.zip_longest(_rows(one, table), _rows(other, table))
    # Their text tells what == does not: 1 from 1.0, and 0.0 from -0.0.
    return any(a != b or repr(a) != repr(b) for a, b in pairs)


def _rows(file: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    # In the order of the table itself, which two files with the same rows share.
    yield from file.execute(f"SELECT * FROM {quoted(table)} NOT INDEXED")  # noqa: S608 - a quoted name
