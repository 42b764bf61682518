"""A working copy of the snapshot, for names that are not UTF-8: SQLite keeps any bytes, statements here can't say them.

Only `sqlite_schema` and `sqlite_sequence` are written anew; no page that holds the application's rows is touched.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from zenni_tui.model.schema import SourceSchema, SourceTable

from .database import quoted
from .standins import legible, raw, tolerant
from .tokens import tokens

SNAPSHOT, WORKING = "snapshot.db", "working.db"
"""How the two are called in a run directory."""

_COLUMNS = (
    "SELECT x.name FROM sqlite_schema AS m CROSS JOIN pragma_table_xinfo(m.name) AS x"
    " WHERE m.type = 'table' AND m.rootpage > 0"
)
_OWN_INDEX = "sqlite_autoindex_"


def readable(folder: Path) -> Path:
    """Return the file of a run directory from which everything is read: the working copy, or else the snapshot."""
    copy = folder / WORKING
    return copy if copy.exists() else folder / SNAPSHOT


def make(snapshot: Path, copy: Path) -> dict[str, str]:
    r"""Copy a snapshot and give its names that are not UTF-8 others; `copy` is made anew, private.

    Returns the names as they are stored, with `\xNN` for their bytes, by their names in the copy; none of these is the
    name of anything else. Bytes that are not UTF-8 are read as Windows-1252. Raises OSError, sqlite3.Error, and
    Unparsable for a declaration that isn't SQLite's grammar; check the copy's integrity afterwards.
    """
    copy.unlink(missing_ok=True)
    copy.touch(0o600)
    shutil.copyfile(snapshot, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.text_factory = tolerant
        # SQLite writes its own schema on request only (https://sqlite.org/pragma.html#pragma_writable_schema).
        database.executescript("PRAGMA writable_schema = ON; BEGIN")
        renamed = _rename(database)
        database.execute("COMMIT")
    return {new: legible(old) for old, new in renamed.items()}


def marked(schema: SourceSchema, stored: Mapping[str, str]) -> SourceSchema:
    """Return what a working copy declares, each thing with the name that is stored for it in the source."""
    return msgspec.structs.replace(schema, tables=tuple(_marked(t, stored) for t in schema.tables))


def _marked(table: SourceTable, stored: Mapping[str, str]) -> SourceTable:
    columns = tuple(msgspec.structs.replace(c, stored=stored.get(c.name)) for c in table.columns)
    return msgspec.structs.replace(table, stored=stored.get(table.name), columns=columns)


def _rename(database: sqlite3.Connection) -> dict[str, str]:
    entries = database.execute("SELECT rowid, name, tbl_name, sql FROM sqlite_schema").fetchall()
    columns = [name for (name,) in database.execute(_COLUMNS)]
    renamed = _proposals([*(name for _, name, _, sql in entries if sql is not None), *columns])
    for rowid, name, table, sql in entries:
        new = _own_index(name, table, renamed) if sql is None else renamed.get(name, name)
        values = (raw(new), raw(renamed.get(table, table)), _text(sql, renamed), rowid)
        database.execute(
            "UPDATE sqlite_schema SET name = CAST(? AS TEXT), tbl_name = CAST(? AS TEXT), sql = CAST(? AS TEXT)"
            " WHERE rowid = ?",
            values,
        )
    if any(name == "sqlite_sequence" for _, name, _, _ in entries):
        counters = [(new, raw(old)) for old, new in renamed.items()]
        database.executemany("UPDATE sqlite_sequence SET name = ? WHERE CAST(name AS BLOB) = ?", counters)
    return renamed


def _proposals(names: Iterable[str]) -> dict[str, str]:
    known = sorted(set(names))
    taken = {_folded(name) for name in known}
    made: dict[str, str] = {}
    for name in known:
        if name != legible(name):
            base = "".join(_character(c) for c in name)
            free, number = base, 2
            while _folded(free) in taken:
                free, number = f"{base}_{number}", number + 1
            taken.add(_folded(free))
            made[name] = free
    return made


def _folded(name: str) -> bytes:
    # SQLite folds the case of ASCII only, as does this method of bytes.
    return raw(name).lower()


def _character(character: str) -> str:
    if not "\udc80" <= character <= "\udcff":
        return character
    byte = raw(character)
    return byte.decode("cp1252", "ignore") or byte.decode("latin-1")


def _own_index(name: str, table: str, renamed: Mapping[str, str]) -> str:
    """Return the name that SQLite gives the index of a UNIQUE rule, which it must find under its table's name."""
    number = name.removeprefix(f"{_OWN_INDEX}{table}_")
    return name if number == name else f"{_OWN_INDEX}{renamed.get(table, table)}_{number}"


def _text(sql: str | None, renamed: Mapping[str, str]) -> bytes | None:
    if sql is None or sql == legible(sql):
        return None if sql is None else raw(sql)
    folded = {_folded(old): new for old, new in renamed.items()}
    parts, place = [], 0
    for token in tokens(sql):
        new = (renamed.get(token.name) or folded.get(_folded(token.name))) if token.is_name else None
        if new is not None:
            parts += [sql[place : token.start], quoted(new)]
            place = token.end
    return raw("".join([*parts, sql[place:]]))
