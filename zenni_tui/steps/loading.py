"""Makes the COPY data of spans: by whole columns where that is safe and pays, value by value everywhere else."""

import functools
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zenni_tui.convert import encode, long
from zenni_tui.convert.lanes import widest
from zenni_tui.model.long import Lazy
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import from_json
from zenni_tui.model.schema import ColumnProfile, SourceSchema, SourceTable
from zenni_tui.source import reader, working

from . import apart

if TYPE_CHECKING:
    from .columns import Columns

Sent = Callable[[int, int], None]

_WORTH_ROWS = 20_000
"""With fewer rows a table is loaded before Arrow is."""
_BATCH_BYTES = 16 * 1024 * 1024
"""A batch is held four times over while it is encoded."""
_BATCH_ROWS = 16_384
_FEW_ROWS = 256
"""With fewer rows in a batch an operation on arrays gains nothing."""


class Loader:
    """Turns spans of one snapshot into COPY data."""

    def __init__(self, folder: Path, source: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> None:
        self._folder, self._source, self._schema, self._plan = folder, source, schema, plan
        self._encoders: dict[str, Callable[[Sequence[Sequence[Lazy]]], Iterator[bytes]]] = {}
        self._columns: dict[str, Columns | None] = {}

    def data(self, table: TablePlan, declared: SourceTable, span: Span, sent: Sent) -> Iterator[bytes | memoryview]:
        """Yield a span's COPY data, without its rows in quarantine; tell of rows and bytes that were sent.

        Raises Unfit, sqlite3.Error and what `sent` raises.
        """
        yield encode.HEADER
        for rows, block in self._blocks(table, declared, span):
            yield block
            sent(rows, len(block))
        yield encode.TRAILER

    def _blocks(self, table: TablePlan, declared: SourceTable, span: Span) -> Iterator[tuple[int, bytes | memoryview]]:
        out = apart.within(table, span)
        if not out and (columns := self._chosen(table, declared)):
            rest = yield from columns.blocks(working.readable(self._folder), self._source, span)
            if rest is None:
                return
            span, self._columns[table.name] = rest, None
        names = [c.source or "" for c in table.loaded]
        for rows in apart.batches(self._source, declared, names, span, out, table.clearings):
            count = len(rows)
            for block in self._encoder(table)(rows):
                yield count, block
                count = 0

    def by_column(self, name: str) -> bool:
        """Return whether a table's spans have gone by whole columns so far."""
        return self._columns.get(name) is not None

    def _encoder(self, table: TablePlan) -> Callable[[Sequence[Sequence[Lazy]]], Iterator[bytes]]:
        if table.name not in self._encoders:
            self._encoders[table.name] = long.rows_encoder(table, self._plan)
        return self._encoders[table.name]

    @functools.cached_property
    def _profiles(self) -> Profiles | None:
        path = self._folder / "profiles.json"
        return from_json(path.read_bytes(), Profiles) if path.exists() else None

    def _chosen(self, table: TablePlan, declared: SourceTable) -> "Columns | None":
        if table.name not in self._columns:
            self._columns[table.name] = self._choose(table, declared)
        return self._columns[table.name]

    def _choose(self, table: TablePlan, declared: SourceTable) -> "Columns | None":
        if self._profiles is None:
            return None
        profiles = self._profiles.tables[declared.name].columns
        most = at_once(self._schema, declared, table.rows, profiles)
        if not most:
            return None
        from .columns import Columns  # noqa: PLC0415 - Arrow is loaded by workers only, and for large tables only

        return Columns(declared, table, self._plan, profiles, most)


def at_once(schema: SourceSchema, table: SourceTable, rows: int, profiles: Mapping[str, ColumnProfile]) -> int:
    """Return how many rows of a table to read by whole columns at once, 0 where that doesn't pay or isn't safe."""
    plain = table.kind == "table" and reader.rowid_name(table) and schema.encoding == "UTF-8"
    if rows < _WORTH_ROWS or not plain:
        return 0
    width = sum(widest(profiles[c.name]) for c in table.columns)
    most = min(_BATCH_ROWS, _BATCH_BYTES // width)
    return most if most >= _FEW_ROWS else 0
