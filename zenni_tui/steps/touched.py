"""Which rows were changed in the target since all of it was verified: by key, in a small file of the run directory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from zenni_tui.model.schema import Value
from zenni_tui.source import capture

_NAME = "touched.db"
_MOST = 200_000
"""So many keys of a table are remembered; a table of which more were touched is compared whole."""

_TABLES = """
CREATE TABLE IF NOT EXISTS touched (name TEXT, key BLOB, PRIMARY KEY (name, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whole (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Touched:
    """Source tables by name, and the keys as the log has them; what is noted stays noted through a crash."""

    def __init__(self, folder: Path) -> None:
        path = folder / _NAME
        path.touch(0o600)
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # One wait for the disk at a commit instead of four: each batch waits for it.
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.executescript(_TABLES)
        self._counts: dict[str, int] = dict(self._file.execute("SELECT name, count(*) FROM touched GROUP BY name"))

    def note(self, found: capture.Changes) -> None:
        """Remember what a batch of the log touches; called before it is applied."""
        self._file.execute("BEGIN")
        for name, keys in found.keys.items():
            packed = ((name, msgspec.msgpack.encode(key)) for key in keys)
            done = self._file.executemany("INSERT OR IGNORE INTO touched VALUES (?, ?)", packed)
            self._counts[name] = self._counts.get(name, 0) + done.rowcount
        crowded = [name for name, count in self._counts.items() if count > _MOST]
        self._file.executemany("INSERT OR IGNORE INTO whole VALUES (?)", ((name,) for name in {*found.whole, *crowded}))
        for name in crowded:
            self._file.execute("DELETE FROM touched WHERE name = ?", (name,))
            self._counts[name] = 0
        self._file.execute("COMMIT")

    @property
    def rows(self) -> int:
        """Return how many keys are remembered."""
        return sum(self._counts.values())

    def whole(self) -> set[str]:
        """Return the tables that are to be compared whole."""
        return {name for (name,) in self._file.execute("SELECT name FROM whole")}

    def tables(self) -> set[str]:
        """Return the tables of which single rows were touched."""
        return {name for name, count in self._counts.items() if count}

    def keys(self, name: str) -> Iterator[tuple[Value, ...]]:
        """Yield the keys of a table's touched rows."""
        for (key,) in self._file.execute("SELECT key FROM touched WHERE name = ?", (name,)):
            yield tuple(msgspec.msgpack.decode(key))

    def some(self, most: int) -> dict[str, list[tuple[Value, ...]]]:
        """Return so many keys at most, by table."""
        found: dict[str, list[tuple[Value, ...]]] = {}
        for name, key in self._file.execute("SELECT name, key FROM touched LIMIT ?", (most,)):
            found.setdefault(name, []).append(tuple(msgspec.msgpack.decode(key)))
        return found

    def forget_some(self, some: Mapping[str, Iterable[tuple[Value, ...]]]) -> None:
        """Forget keys, as `some` returned them, that have been verified."""
        self._file.execute("BEGIN")
        for name, keys in some.items():
            packed = ((name, msgspec.msgpack.encode(key)) for key in keys)
            done = self._file.executemany("DELETE FROM touched WHERE name = ? AND key = ?", packed)
            self._counts[name] -= done.rowcount
        self._file.execute("COMMIT")

    def forget(self) -> None:
        """Begin anew: all of it has been verified."""
        self._file.executescript("BEGIN; DELETE FROM touched; DELETE FROM whole; COMMIT")
        self._counts.clear()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
