"""Long values of the source, hashed in pieces: a row of 100 MB takes no 100 MB then.

The verifier's own reading: it shares none of the copier's.
"""

import codecs
import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from zenni_tui.model.long import Long
from zenni_tui.model.plan import ColumnPlan, Kind, TablePlan

from .unreadable import Unreadable

MOST = 4 * 1024 * 1024
"""Bytes of the longest value that is read at once."""
_PIECE = 1024 * 1024
_HASHED = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.JSON, Kind.BYTEA})
"""Types whose canonical text is the stored text itself, or its hash."""


def places(columns: Sequence[ColumnPlan], cleared: Collection[int]) -> frozenset[int]:
    """Return the places of columns whose long values need not be read whole for their hash."""
    hashed = (p for p, c in enumerate(columns) if c.type.kind in _HASHED and not c.repairs)
    return frozenset(hashed) - frozenset(cleared)


def text_of(value: Long) -> str:
    """Return what stands for a long text in its row's text: its SHA-256; raises `Unreadable`."""
    if not value.text:
        raise Unreadable("blob_in_text", "a BLOB in a column of text")
    found, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in value.pieces():
            if 0 in piece:
                raise Unreadable("text_nul", "text with NUL, which PostgreSQL cannot hold")
            decoder.decode(piece)
            found.update(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Unreadable("text_not_utf8", "text that is not valid UTF-8") from None
    return f"sha256 {found.hexdigest()}"


def digest_of(value: Long) -> str:
    """Return the SHA-256 of a value's bytes."""
    found = hashlib.sha256()
    for piece in value.pieces():
        found.update(piece)
    return found.hexdigest()


class Rows:
    """Rows of one table with long values in the columns of the places `lazy`; `terms` and `flags` are SQL over `t`."""

    def __init__(  # noqa: PLR0917 - where rows are, and what of them
        self,
        source: sqlite3.Connection,
        table: TablePlan,
        rowid: str,
        lazy: frozenset[int],
        terms: Sequence[str],
        flags: Sequence[str],
    ) -> None:
        self._source, self._table, self._lazy, self._rowid = source, table, lazy, rowid
        self._terms, self._flags = terms, flags

    def first(self, where: str, limits: Sequence[int | str]) -> tuple[Any, ...]:
        """Return the first row under a condition over `t`: its rowid, its columns, its flags."""
        query = f"SELECT t.{self._rowid} FROM {_quoted(self._table.source)} AS t WHERE {where} ORDER BY 1 LIMIT 1"  # noqa: S608 - quoted
        (number,) = self._source.cursor().execute(query, limits).fetchone()
        return self._row(number)

    def _row(self, number: int) -> tuple[Any, ...]:
        kinds = [f"typeof({term})" if p in self._lazy else "''" for p, term in enumerate(self._terms)]
        at_once = [
            f"CASE WHEN typeof({term}) NOT IN ('text', 'blob') THEN {term} END" if p in self._lazy else term
            for p, term in enumerate(self._terms)
        ]
        names = ", ".join([*kinds, *at_once, *self._flags])
        query = f"SELECT {names} FROM {_quoted(self._table.source)} AS t WHERE t.{self._rowid} = ?"  # noqa: S608 - quoted
        found = self._source.cursor().execute(query, (number,)).fetchone()
        width = len(self._terms)
        columns = [
            self._opened(p, number, kind) if kind in ("text", "blob") else value
            for p, (kind, value) in enumerate(zip(found[:width], found[width : 2 * width], strict=True))
        ]
        return (number, *columns, *found[2 * width :])

    def _opened(self, place: int, number: int, kind: str) -> Any:
        column = self._table.carried[place]
        at = (self._table.source, column.name if column.source is None else column.source, number)

        def pieces() -> Iterator[bytes]:
            with self._source.blobopen(*at, readonly=True) as blob:
                while piece := blob.read(_PIECE):
                    yield piece

        try:
            with self._source.blobopen(*at, readonly=True) as blob:
                long = Long(kind == "text", len(blob), pieces)
        except sqlite3.OperationalError:
            # Not of a column that is stored, such as a generated one.
            term = _quoted(at[1])
            query = f"SELECT {term} FROM {_quoted(at[0])} WHERE {self._rowid} = ?"  # noqa: S608 - quoted
            return self._source.cursor().execute(query, (number,)).fetchone()[0]
        return long if long.size > MOST else long.whole()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
