"""The way there of changes: what the application writes while and after it was copied, in the target moments later."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from zenni_tui.convert import encode
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceSchema, SourceTable, Value
from zenni_tui.model.trouble import Trouble
from zenni_tui.source import capture, reader
from zenni_tui.source.database import quoted
from zenni_tui.source.live import reading
from zenni_tui.target import changes, load, trouble

from . import apart as aside
from . import uncarried
from .kept import Kept
from .whole import Spool, Turns, parts, size_of

Connection = psycopg.Connection[tuple[Any, ...]]

MOST = 5_000
"""Entries of the log that are applied at once: a writer of a file in rollback-journal mode waits for their reading."""


_BYTES, _AT_ONCE = 32 * 1024 * 1024, 50
"""What the rows of one batch and table may take in memory, as it is looked at after so many rows."""


class _Heavy(Exception):
    """The entries speak of more bytes than are to be held at once."""


class Followed(Record, frozen=True):
    """What one look has brought: entries of the log, rows written and removed, how far it goes, entries still left."""

    upto: changes.Position
    entries: int = 0
    written: int = 0
    removed: int = 0
    left: int = 0


def keys(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the columns by which the source's tables are watched, none for a table whose rows can't be told apart."""
    return {t.source: _key(plan, t) for t in plan.tables}


def _key(plan: Plan, table: TablePlan) -> tuple[str, ...]:
    return tuple(table.column(name).source or "" for name in plan.row_key(table))


def kept_out(snapshot: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> dict[str, frozenset[capture.Key]]:
    """Return, by table, the keys of the rows that the operator keeps out, as they were in the snapshot.

    A rowid that is no key may change with a VACUUM, and a place with every write; a table whose rows can't be told
    apart has nothing better than its rowids.
    """
    found = {}
    for table in plan.tables:
        key = _key(plan, table)
        if table.quarantine and key:
            terms = ", ".join(map(quoted, key))
            rows = reader.picked(snapshot, _source_table(schema, table), terms, table.quarantine)
            found[table.source] = frozenset(rows)
    return found


class Model(Record, frozen=True):
    """What changes are read by: the source's schema, the plan, the keys of rows that are kept out, by source table."""

    schema: SourceSchema
    plan: Plan
    kept_out: dict[str, frozenset[capture.Key]] = msgspec.field(default_factory=dict)
    kept: Kept | None = None
    """Rows that are kept out since the snapshot, where that can be chosen."""

    def out(self, table: str) -> frozenset[capture.Key]:
        """Return the keys of all rows of a source table that are kept out now."""
        return self.kept_out.get(table, frozenset()) | (self.kept.keys(table) if self.kept else frozenset())


class Gathered(Record, frozen=True):
    """What the log says after a position, with the rows as they are now, encoded for the target.

    Tables of `pending` are to be copied whole, another time; `seconds` is how long those of the batch took to read.
    """

    found: capture.Changes
    batch: tuple[changes.TableChanges, ...]
    pending: frozenset[str] = frozenset()
    seconds: float = 0.0


def _with_parents(plan: Plan, found: capture.Changes) -> set[str]:
    """Return tables with references that are cleared where no parent is: theirs may have come, or gone, just now."""
    touched = {*found.keys, *found.whole}
    return {t.source for t in plan.tables if any(c.reference.parent in touched for c in t.clearings)}


class Forward:
    """Applies to one target what one file has logged, from a position onwards.

    `note` hears of what a batch touches before it is applied, so that nothing applied goes unheard.
    """

    def __init__(
        self,
        file: sqlite3.Connection,
        ticket: load.Ticket,
        model: Model,
        note: Callable[[capture.Changes], object],
        folder: Path,
    ) -> None:
        """Take the folder in which large tables are spooled."""
        self._file, self._ticket, self._model, self._note = file, ticket, model, note
        self._folder = folder
        self._unkeyed = {t.source for t in model.plan.tables if not model.plan.row_key(t)}
        self._turns = Turns()
        self.hurry = False
        """Whether tables without a key are copied whole at once, however often."""

    def due(self, pending: Collection[str]) -> bool:
        """Return whether a table's turn has come to be copied whole."""
        return bool(set(pending) - self._early(pending))

    def _early(self, names: Collection[str]) -> set[str]:
        return set() if self.hurry else self._turns.early(names)

    def step(self, target: Connection, after: changes.Position) -> Followed:
        """Apply some thousand entries of the log at most, read in a transaction of their own.

        A table without a key that was copied whole just now stays pending. Raises StepFailed for a value that the
        plan's types can't hold, with its key, and for what the target's rules refuse; Occupied, and the target's other
        errors.
        """
        with contextlib.ExitStack() as spools:
            with reading(self._file):
                gathered = self._some(after, spools)
            if not gathered.found.left and not gathered.pending:
                return self._carry(target, after, gathered)
            try:
                return self._carry(target, after, gathered)
            except StepFailed:
                # Rows are read as they are now: what they refer to may stand further on in the log.
                with reading(self._file):
                    return self.all(target, after)

    def _some(self, after: changes.Position, spools: contextlib.ExitStack) -> Gathered:
        most = MOST
        while True:
            try:
                return self._gather(after, most, spools)
            except _Heavy:
                most = max(1, most // 8)

    def all(self, target: Connection, after: changes.Position, *, pending: bool = True) -> Followed:
        """Apply all that is logged, within the caller's transaction on the file; raises as `step` does.

        Without `pending`, tables whose turn to be copied whole has not come stay as they are.
        """
        with contextlib.ExitStack() as spools:
            return self._carry(target, after, self._gather(after, -1, spools, pending=pending))

    def _gather(
        self, after: changes.Position, most: int, spools: contextlib.ExitStack, *, pending: bool = False
    ) -> Gathered:
        """Read what so many entries of the log speak of (all: -1), and pending tables whose turn it is.

        Raises StepFailed for a value that the plan's types can't hold, with its key, _Heavy when several entries speak
        of more bytes than are to be held at once, OSError and sqlite3.Error.
        """
        file, model = self._file, self._model
        found = capture.changes(file, after.upto, most)
        whole = {*found.whole, *_with_parents(model.plan, found), *after.pending}
        later = set[str]() if pending else self._early(whole & self._unkeyed)
        keyed = found.keys.keys() - whole
        room = _BYTES if most > 1 else None
        batch = [_changed(file, model, t, found.keys[t.source], room) for t in _of(model.plan, keyed)]
        started = time.monotonic()
        for table in _of(model.plan, whole - later):
            spool = spools.enter_context(contextlib.closing(Spool(self._folder)))
            batch.append(_spool(file, model, table, spool))
        found = msgspec.structs.replace(found, whole=tuple(sorted(whole)))
        return Gathered(found, tuple(batch), frozenset(later), time.monotonic() - started)

    def _carry(self, target: Connection, after: changes.Position, gathered: Gathered) -> Followed:
        found, plan = gathered.found, self._model.plan
        then = changes.Position(found.upto, gathered.pending)
        if then == after:
            return Followed(then)
        self._note(found)
        started = time.monotonic() - gathered.seconds
        try:
            done = changes.apply(target, self._ticket, plan, gathered.batch, (after, then))
        except psycopg.Error as error:
            if trouble.kind_of(error) is not Trouble.REFUSED:
                raise
            raise _refused(error) from error
        self._turns.took(set(found.whole) - gathered.pending, time.monotonic() - started)
        return Followed(then, found.entries, done.written, done.removed, found.left)


def _refused(error: psycopg.Error) -> StepFailed:
    return StepFailed(
        "The target refuses what the application wrote.",
        where=f'table "{error.diag.table_name}", rule "{error.diag.constraint_name}"' if error.diag.table_name else "",
        why=trouble.in_words(error),
        next_step="The source keeps a rule less well than the plan: mend the rows there, then: zenni-tui resume.",
    )


def _of(plan: Plan, names: Collection[str]) -> list[TablePlan]:
    return [t for t in plan.tables if t.source in names]


def _source_table(schema: SourceSchema, table: TablePlan) -> SourceTable:
    found = schema.table(table.source)
    assert found is not None  # noqa: S101 - the plan was made from this schema
    return found


def _changed(
    file: sqlite3.Connection, model: Model, table: TablePlan, logged: Sequence[capture.Key], room: int | None
) -> changes.TableChanges:
    key = _key(model.plan, table)
    columns = [c.source or "" for c in table.loaded]
    found: dict[capture.Key, tuple[Value, ...]] = {}
    for start in range(0, len(logged), _AT_ONCE):
        some = logged[start : start + _AT_ONCE]
        there = capture.rows(file, table.source, key, columns, some, clearings=table.clearings)
        found |= there
        room = None if room is None else room - sum(map(size_of, there.values()))
        if room is not None and room < 0:
            raise _Heavy
    # Rows that the operator keeps out stay out: in the target they are gone.
    out, places = model.kept_out.get(table.source, frozenset()), [columns.index(name) for name in key]
    # By the keys that they have: a collation may find one row by several.
    rows = {tuple(row[p] for p in places): row for one, row in found.items() if one not in out}
    body, apart = _sorted_out(model, table, rows)
    gone = apart or not rows.keys() >= set(logged)
    made = changes.TableChanges(
        table.name,
        (encode.HEADER + body + encode.TRAILER,),
        _keys(model.plan, table, key, logged) if gone else b"",
    )
    return _with_apart(file, model, table, apart, made, logged)


def _with_apart(  # noqa: PLR0917 - where from, what, and into what
    file: sqlite3.Connection,
    model: Model,
    table: TablePlan,
    apart: Collection[capture.Key],
    made: changes.TableChanges,
    logged: Collection[capture.Key] | None = None,
) -> changes.TableChanges:
    """Return changes with the rows that are kept out from now on, and those that are so no more; noted beforehand.

    Without `logged`, all of the table's rows are meant.
    """
    if model.kept is None:
        return made
    numbers = _numbers(file, model, table, apart)
    before = model.kept.settle(table.source, model.kept.keys(table.source) if logged is None else logged, numbers)
    stored = aside.rows(file, _source_table(model.schema, table), list(numbers.values()))
    return msgspec.structs.replace(made, apart=tuple(stored), rejoined=before)


def _numbers(
    file: sqlite3.Connection, model: Model, table: TablePlan, keys: Collection[capture.Key]
) -> dict[capture.Key, int]:
    rowid = reader.rowid_name(_source_table(model.schema, table))
    if not keys or rowid is None:
        return {}
    there = capture.rows(file, table.source, _key(model.plan, table), [rowid], keys)
    return {key: int(str(number)) for key, (number,) in there.items()}


def _sorted_out(
    model: Model, table: TablePlan, rows: dict[capture.Key, tuple[Value, ...]]
) -> tuple[bytes, set[capture.Key]]:
    """Return COPY data of rows, and the keys of those left out as the operator chose; raises Uncarried for others."""
    try:
        return encode.rows_encoder(table, model.plan)(list(rows.values())) if rows else b"", set()
    except Unfit:
        apart = {key for key, row in rows.items() if _is_apart(model, table, row)}
    return _body(model, table, [row for key, row in rows.items() if key not in apart]), apart


def _is_apart(model: Model, table: TablePlan, row: tuple[Value, ...]) -> bool:
    if model.kept is None or not _may_be_apart(model, table):
        return False
    found = ((c, uncarried.holder(c, model.plan)(v)) for c, v in zip(table.loaded, row, strict=True))
    return any(why is not None and model.kept.wanted(f"{why.code}/{table.source}/{c.source}") for c, why in found)


def _may_be_apart(model: Model, table: TablePlan) -> bool:
    """Return whether rows of a table can be kept out: found again by key and rowid, and no other refers to them."""
    rowid = reader.rowid_name(_source_table(model.schema, table))
    referenced = any(k.parent == table.name for k in model.plan.foreign_keys)
    return bool(model.plan.row_key(table)) and rowid is not None and not referenced


def _spool(file: sqlite3.Connection, model: Model, table: TablePlan, spool: Spool) -> changes.TableChanges:
    columns = [c.source or "" for c in table.loaded]
    key, out = _key(model.plan, table), model.kept_out.get(table.source, frozenset())
    rowid = reader.rowid_name(_source_table(model.schema, table)) if table.quarantine and not key else None
    numbers = [rowid] if rowid else []
    found = capture.all_rows(file, table.source, [*columns, *key, *numbers], table.clearings)
    width, kept_out = len(columns), frozenset(table.quarantine)
    kept = (row for row in found if row[width : width + len(key)] not in out)
    apart: set[capture.Key] = set()
    spool.write(encode.HEADER)
    for rows in parts(row for row in kept if not rowid or row[-1] not in kept_out):
        if key:
            body, some = _sorted_out(model, table, {row[width:]: row[:width] for row in rows})
            apart |= some
        else:
            body = _body(model, table, [row[:width] for row in rows])
        spool.write(body)
    spool.write(encode.TRAILER)
    return _with_apart(file, model, table, apart, changes.TableChanges(table.name, spool, whole=True))


def _body(model: Model, table: TablePlan, rows: Sequence[tuple[Value, ...]]) -> bytes:
    try:
        return encode.rows_encoder(table, model.plan)(rows) if rows else b""
    except Unfit as unfit:
        raise uncarried.of(model.plan, table, rows, unfit, apart=_may_be_apart(model, table)) from None


def _keys(plan: Plan, table: TablePlan, names: Sequence[str], logged: Sequence[capture.Key]) -> bytes:
    by_name = {c.source: c for c in table.loaded}
    fields = [encode.field_encoder(by_name[name], plan.enums) for name in names]
    head = len(fields).to_bytes(2, "big")
    return encode.HEADER + b"".join(head + row for row in map(_fitting(fields), logged) if row) + encode.TRAILER


def _fitting(fields: Sequence[Callable[[Value], bytes]]) -> Callable[[capture.Key], bytes]:
    """Return the function that encodes a key; one that no row of the target can have becomes nothing."""

    def row(key: capture.Key) -> bytes:
        try:
            return b"".join(field(value) for field, value in zip(fields, key, strict=True))
        except Unfit:
            return b""

    return row
