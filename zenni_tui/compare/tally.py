"""A tally of rows too many for memory: how often each stands on one side more than on the other."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_ADD = (
    "INSERT INTO tally (identity, balance) VALUES (?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET balance = balance + excluded.balance"
)


class Tally:
    """Counts identities in a file; source rows count up, target rows down."""

    def __init__(self, book: sqlite3.Connection) -> None:
        self._book = book

    def add(self, identities: Iterable[bytes], weight: int) -> int:
        """Count the identities with that weight and return how many they were."""
        return max(0, self._book.executemany(_ADD, ((identity, weight) for identity in identities)).rowcount)

    def unbalanced(self, sign: int, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield up to `most` identities of that sign, in their own order, with how many there are too many."""
        query = "SELECT identity, abs(balance) FROM tally WHERE balance * ? > 0 ORDER BY identity LIMIT ?"
        yield from self._book.execute(query, (sign, most))

    def total(self, sign: int) -> int:
        """Return how many rows there are too many on that side."""
        query = "SELECT coalesce(sum(abs(balance)), 0) FROM tally WHERE balance * ? > 0"
        (rows,) = self._book.execute(query, (sign,)).fetchone()
        return int(rows)


@contextmanager
def tally_in(scratch: Path) -> Iterator[Tally]:
    """Keep a tally in a file of mode 0600 that is made anew and removed in the end; raises OSError, `sqlite3.Error`."""
    scratch.unlink(missing_ok=True)
    os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    book = sqlite3.connect(scratch, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768", "temp_store = MEMORY"):
            book.execute(f"PRAGMA {pragma}")
        book.execute("CREATE TABLE tally (identity BLOB PRIMARY KEY, balance INTEGER NOT NULL) WITHOUT ROWID")
        book.execute("BEGIN")
        yield Tally(book)
    finally:
        book.close()
        scratch.unlink(missing_ok=True)
