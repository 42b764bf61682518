"""Fields of binary COPY for values that are too long to be held at once: checked and handed on in pieces."""

import codecs
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from zenni_tui.model.long import Lazy, Long
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan
from zenni_tui.model.schema import Value

from . import encode
from .repair import Field
from .unfit import Unfit

_LENGTH = struct.Struct("!i").pack


def in_pieces(column: ColumnPlan) -> bool:
    """Return whether a column's field is the stored bytes, so that pieces of the one are pieces of the other."""
    kind, size = column.type.kind, column.type.size
    plain = kind in (Kind.TEXT, Kind.BYTEA) or (kind is Kind.VARCHAR and size is None)
    return plain and not column.repairs


def check(column: ColumnPlan, value: Long) -> None:
    """Raise Unfit for a value that has no faithful form in a column that is `in_pieces`."""
    for _ in blocks(column, value):
        pass


def blocks(column: ColumnPlan, value: Long) -> Iterator[bytes]:
    """Yield the field of a value in a column that is `in_pieces`; raises Unfit, too late to take anything back."""
    if column.type.kind is Kind.BYTEA:
        if value.text:
            raise Unfit("not_a_blob", "it is not a BLOB, and which bytes it means is not known")
        yield _LENGTH(value.size)
        yield from value.pieces()
        return
    if not value.text:
        raise Unfit("blob_in_text", "it is a BLOB, and which text it means is not known")
    yield _LENGTH(value.size)
    yield from _sound(value)


def _sound(value: Long) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in value.pieces():
            if b"\0" in piece:
                raise Unfit("text_nul", "it holds a NUL character, which PostgreSQL's text can't")
            decoder.decode(piece)
            yield piece
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Unfit("text_not_utf8", "it is not valid UTF-8") from None


def rows_encoder(table: TablePlan, plan: Plan) -> Callable[[Sequence[Sequence[Lazy]]], Iterator[bytes]]:
    """Return the function that yields the COPY data of rows, a row with long values in pieces; it raises Unfit."""
    columns: list[tuple[ColumnPlan, Field]] = [(c, encode.field_encoder(c, plan.enums)) for c in table.loaded]
    head = struct.pack("!h", len(columns))
    ordinary = encode.rows_encoder(table, plan)

    def encoded(rows: Sequence[Sequence[Lazy]]) -> Iterator[bytes]:
        # A row with long values comes alone.
        if not any(isinstance(value, Long) for value in rows[0]):
            yield ordinary(cast("Sequence[tuple[Value, ...]]", rows))
            return
        yield head
        for (column, field), value in zip(columns, rows[0], strict=True):
            if not isinstance(value, Long):
                yield field(value)
            elif in_pieces(column):
                yield from blocks(column, value)
            else:
                yield field(value.whole())

    return encoded
