"""Rows written meanwhile that the operator keeps out, since a value of theirs can't be carried: a file of the run."""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.source import capture

_NAME = "kept.db"
_TABLE = "CREATE TABLE IF NOT EXISTS kept (name TEXT, key BLOB, number INTEGER, PRIMARY KEY (name, key)) WITHOUT ROWID"
WAY = "quarantine"
"""The repair by which rows are kept out."""


class Kept:
    """Which rows are out now, by source table, key and rowid; and for which findings such rows are to be."""

    def __init__(self, folder: Path, choices: Choices) -> None:
        self._chosen = {finding for finding, repair in choices.repairs.items() if repair == WAY}
        path = folder / _NAME
        path.touch(0o600)
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(_TABLE)

    def wanted(self, finding: str) -> bool:
        """Return whether rows with such values are to be kept out."""
        return finding in self._chosen

    def settle(self, table: str, changed: Iterable[capture.Key], out: Mapping[capture.Key, int]) -> tuple[int, ...]:
        """Note which of the changed rows are out now, before that is applied; returns the rowids of those that were."""
        if not self._chosen:
            return ()
        now = set(changed)
        before = {key: number for key, number in self._rows(table) if key in now}
        self._file.execute("BEGIN")
        gone = ((table, _packed(key)) for key in before)
        self._file.executemany("DELETE FROM kept WHERE name = ? AND key = ?", gone)
        rows = ((table, _packed(key), number) for key, number in out.items())
        self._file.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
        self._file.execute("COMMIT")
        return tuple(before.values())

    def _rows(self, table: str) -> list[tuple[capture.Key, int]]:
        rows = self._file.execute("SELECT key, number FROM kept WHERE name = ?", (table,))
        return [(tuple(msgspec.msgpack.decode(key)), number) for key, number in rows]

    def keys(self, table: str) -> set[capture.Key]:
        """Return the keys of a table's rows that are out."""
        return {key for key, _ in self._rows(table)}

    def count(self) -> int:
        """Return how many rows are out."""
        return int(self._file.execute("SELECT count(*) FROM kept").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _packed(key: capture.Key) -> bytes:
    return msgspec.msgpack.encode(key)


def numbers(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the rowids of the rows that a run keeps out since its snapshot, by source table."""
    if not (folder / _NAME).exists():
        return {}
    found: dict[str, list[int]] = {}
    with contextlib.closing(sqlite3.connect(folder / _NAME)) as file:
        for name, number in file.execute("SELECT name, number FROM kept ORDER BY name, number"):
            found.setdefault(name, []).append(number)
    return {name: tuple(rowids) for name, rowids in found.items()}
