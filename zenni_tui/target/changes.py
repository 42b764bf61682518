"""Changes made in the source while it was copied, applied to the target: one transaction for each batch.

Rows come as they do in the copy, by binary COPY, into temporary tables; from there they replace what the target holds.
The position in the source's log is stored in the same transaction, so that no batch is applied twice or left out.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from zenni_tui.model.plan import ForeignKeyPlan, IndexPlan, Kind, Plan, TablePlan
from zenni_tui.model.record import Record

from . import bookkeeping, load

Connection = psycopg.Connection[tuple[Any, ...]]

_PLACEHOLDER = "zenni-tui "
_ACTIONS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


class TableChanges(Record, frozen=True):
    """One table's changes, as COPY data: the changed rows that the source has, and the keys of all that changed.

    The rows come in pieces, which may be read again. There are no keys where each of them has a row; with `whole`, the
    rows are all that the table shall hold. `apart` are rows that are kept out, by rowid, as JSON; `rejoined` those
    that are so no more.
    """

    table: str
    rows: Iterable[bytes]
    keys: bytes = b""
    whole: bool = False
    apart: tuple[tuple[int, str], ...] = ()
    rejoined: tuple[int, ...] = ()


class Done(Record, frozen=True):
    """What a batch did: rows written and rows removed."""

    written: int = 0
    removed: int = 0


class Position(Record, frozen=True):
    """How far the source's log has been applied, but for tables, by source names, that are to be copied whole again."""

    upto: int
    pending: frozenset[str] = frozenset()


def position(connection: Connection, run_id: str) -> Position | None:
    """Return how far the source's log has been applied, None before the first batch."""
    row = connection.execute("SELECT position, pending FROM zenni_tui.followed WHERE run_id = %s", (run_id,)).fetchone()
    return Position(int(row[0]), frozenset(row[1])) if row else None


def prepare(connection: Connection, run_id: str, begin: int) -> None:
    """Note where to begin, where nothing was applied yet."""
    connection.execute(
        "INSERT INTO zenni_tui.followed (run_id, position) VALUES (%s, %s) ON CONFLICT DO NOTHING", (run_id, begin)
    )


_NOT_DEFERRABLE = """
SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND NOT k.condeferrable AND k.connamespace = to_regnamespace(quote_ident(%s))
  AND c.relname = ANY(%s) ORDER BY 1, 2
"""
_DEFERRED = "deferred"


def defer(connection: Connection, ticket: load.Ticket, plan: Plan) -> None:
    """Let foreign keys be checked at the end of a transaction while changes are followed.

    A change of the catalogue alone; no row is looked at. What was changed is noted for `settle`.
    """
    with connection.transaction():
        bookkeeping.fenced(connection, ticket.fence)
        rigid = connection.execute(_NOT_DEFERRABLE, (plan.schema, [t.name for t in plan.tables])).fetchall()
        bookkeeping.note_made(connection, ticket.run_id, ((_DEFERRED, json.dumps(names)) for names in rigid))
        for table, name in rigid:
            _alter(connection, plan.schema, table, name, "DEFERRABLE INITIALLY IMMEDIATE")


def settle(connection: Connection, ticket: load.Ticket, plan: Plan) -> int:
    """Let foreign keys be checked at once again that `defer` has changed; returns how many."""
    with connection.transaction():
        bookkeeping.fenced(connection, ticket.fence)
        noted = [(k, text) for k, text in bookkeeping.made(connection, ticket.run_id) if k == _DEFERRED]
        for _, text in noted:
            table, name = json.loads(text)
            _alter(connection, plan.schema, table, name, "NOT DEFERRABLE")
        bookkeeping.forget_made(connection, ticket.run_id, noted)
    return len(noted)


def _alter(connection: Connection, schema: str, table: str, name: str, how: LiteralString) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} {}").format(
            sql.Identifier(schema, table), sql.Identifier(name), sql.SQL(how)
        )
    )


def apply(
    connection: Connection,
    ticket: load.Ticket,
    plan: Plan,
    changes: Sequence[TableChanges],
    way: tuple[Position, Position],
) -> Done:
    """Apply a batch that goes from one position of the log to another, all of it or nothing.

    Raises Occupied when the lease was lost, StepFailed when the batch doesn't begin where the last one ended, and
    psycopg.Error for what the target's rules refuse.
    """
    ordered = _parents_first(plan, changes)
    with connection.transaction():
        bookkeeping.fenced(connection, ticket.fence)
        _go_on(connection, ticket.run_id, *way)
        _stage(connection, plan, ordered)
        for one in ordered:
            _keep(connection, ticket.run_id, one)
        try:
            with connection.transaction():
                return _replace(connection, plan, ordered)
        except psycopg.errors.UniqueViolation:
            # Unique values that change places, or go to a new row before the old one has left.
            with _without_rules(connection, plan, ordered):
                for number, one in enumerate(ordered):
                    _let_go(connection, plan, one, number)
                return _replace(connection, plan, ordered)


def _go_on(connection: Connection, run_id: str, after: Position, then: Position) -> None:
    moved = connection.execute(
        "UPDATE zenni_tui.followed SET position = %s, pending = %s WHERE run_id = %s AND position = %s",
        (then.upto, sorted(then.pending), run_id, after.upto),
    )
    if moved.rowcount != 1:
        raise bookkeeping.occupied("its changes were followed by another engine")


def _keep(connection: Connection, run_id: str, one: TableChanges) -> None:
    if one.rejoined:
        connection.execute(
            "DELETE FROM zenni_tui.quarantine WHERE run_id = %s AND table_name = %s AND source_row = ANY(%s)",
            (run_id, one.table, list(one.rejoined)),
        )
    for number, stored in one.apart:
        connection.execute(
            "INSERT INTO zenni_tui.quarantine (run_id, table_name, source_row, stored) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (run_id, table_name, source_row) DO UPDATE SET stored = excluded.stored",
            (run_id, one.table, number, stored),
        )


def _stage(connection: Connection, plan: Plan, ordered: Sequence[TableChanges]) -> None:
    """Bring all data into temporary tables, with few questions to a server that may be far away."""
    made: list[sql.Composable] = [sql.SQL("SET CONSTRAINTS ALL DEFERRED")]
    filled: list[tuple[sql.Identifier, Iterable[bytes]]] = []
    for number, one in enumerate(ordered):
        table = plan.table(one.table)
        keys = (plan.row_key(table), (one.keys,)) if one.keys else ((), ())
        for kind, (names, data) in (("rows", ([c.name for c in table.loaded], one.rows)), ("keys", keys)):
            if names:
                place = _staged(kind, number)
                made.append(_like(place, names, sql.Identifier(plan.schema, table.name)))
                filled.append((place, data))
    connection.execute(sql.SQL("; ").join(made))
    for place, data in filled:
        with connection.cursor() as cursor:
            load.copy(cursor, sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(place), data)
    if filled:
        # Without statistics the planner takes each for small, and compares every row with every other.
        connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(place for place, _ in filled)))


def _like(place: sql.Identifier, names: Sequence[str], table: sql.Identifier) -> sql.Composed:
    return sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
        place, _names(names), table
    )


def _replace(connection: Connection, plan: Plan, ordered: Sequence[TableChanges]) -> Done:
    written = sum(_put(connection, plan, one, number) for number, one in enumerate(ordered))
    backwards = list(enumerate(ordered))[::-1]
    removed = sum(_remove(connection, plan, one, number) for number, one in backwards)
    return Done(written, removed)


def _put(connection: Connection, plan: Plan, one: TableChanges, number: int) -> int:
    table = plan.table(one.table)
    where = sql.Identifier(plan.schema, table.name)
    key = plan.row_key(table)
    if not key:
        connection.execute(sql.SQL("DELETE FROM {}").format(where))
    names = [c.name for c in table.loaded]
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
        where, _names(names), _names(names), _staged("rows", number)
    )
    if key:
        others = [n for n in names if n not in key]
        sets = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(n)) for n in others)
        deed = sql.SQL("UPDATE SET {}").format(sets) if others else sql.SQL("NOTHING")
        insert += sql.SQL(" ON CONFLICT ({}) DO {}").format(_names(key), deed)
    return connection.execute(insert).rowcount


def _remove(connection: Connection, plan: Plan, one: TableChanges, number: int) -> int:
    """Remove the rows of the changed keys that the source has no row for any more."""
    table = plan.table(one.table)
    if not plan.row_key(table) or not (one.whole or one.keys):
        return 0
    gone, where = _staged("gone", number), sql.Identifier(plan.schema, table.name)
    made = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT t.* FROM {} AS t WHERE {}").format(
        gone, where, _gone(plan, one, number)
    )
    if not connection.execute(made).rowcount:
        return 0
    connection.execute(sql.SQL("ANALYZE {}").format(gone))
    for foreign_key in plan.foreign_keys:
        if foreign_key.parent == one.table and foreign_key.on_delete in _ACTIONS:
            _alone(connection, plan, foreign_key, number)
    delete = sql.SQL("DELETE FROM {} AS t USING {} AS g WHERE {}").format(
        where, gone, _same("t", "g", plan.row_key(table))
    )
    return connection.execute(delete).rowcount


def _gone(plan: Plan, one: TableChanges, number: int) -> sql.Composed:
    """Return the condition for those rows t of a table that the source has no more."""
    key = plan.row_key(plan.table(one.table))
    missing = sql.SQL("NOT EXISTS (SELECT 1 FROM {} AS r WHERE {})").format(
        _staged("rows", number), _same("r", "t", key)
    )
    if one.whole:
        return missing
    logged = sql.SQL("EXISTS (SELECT 1 FROM {} AS k WHERE {})").format(_staged("keys", number), _same("k", "t", key))
    return sql.SQL("{} AND {}").format(logged, missing)


def _alone(connection: Connection, plan: Plan, key: ForeignKeyPlan, number: int) -> None:
    """Make sure that no row would be deleted or changed with its parent which the source has as it is.

    An application that has foreign keys off, SQLite's default, leaves such rows behind. Raises ForeignKeyViolation.
    """
    pairs = (
        sql.SQL("c.{} = g.{}").format(sql.Identifier(ours), sql.Identifier(theirs))
        for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
    )
    gone, same = _staged("gone", number), sql.SQL(" AND ").join(pairs)
    query = sql.SQL("SELECT c.* FROM {} AS g JOIN {} AS c ON {}").format(
        gone, sql.Identifier(plan.schema, key.table), same
    )
    if key.table == key.parent:
        # Rows that go together with their parents are not left behind.
        itself = _same("h", "c", plan.row_key(plan.table(key.table)))
        query += sql.SQL(" WHERE NOT EXISTS (SELECT 1 FROM {} AS h WHERE {})").format(gone, itself)
    found = connection.execute(query + sql.SQL(" LIMIT 1")).fetchone()
    if found is not None:
        row = ", ".join(map(str, found))[:200]
        raise psycopg.errors.ForeignKeyViolation(
            f'a row of "{key.table}" still refers to a row deleted from "{key.parent}" ("{key.name}"): {row}'
        )


def _unique(plan: Plan, one: TableChanges) -> list[IndexPlan]:
    key = set(plan.row_key(plan.table(one.table)))
    return [i for i in plan.indexes_of(one.table) if i.unique and not set(i.columns) <= key]


def _can_let_go(table: TablePlan, index: IndexPlan) -> bool:
    """Return whether each column of a unique index can hold something that no other row holds, or NULL."""
    if index.expressions or index.where:
        return False
    columns = [table.column(name) for name in index.columns]
    return all(not c.not_null for c in columns) or any(c.type.kind is Kind.TEXT for c in columns)


def _let_go(connection: Connection, plan: Plan, one: TableChanges, number: int) -> None:
    """Take their unique values from the rows that are about to be written or removed anyway."""
    table = plan.table(one.table)
    key = plan.row_key(table)
    if not key:
        return
    indexes = [i for i in _unique(plan, one) if _can_let_go(table, i)]
    freed = {name for index in indexes for name in index.columns if name not in key}
    sets = [_freed(table, name) for name in sorted(freed)]
    if sets:
        update = sql.SQL("UPDATE {} AS t SET {}").format(
            sql.Identifier(plan.schema, table.name), sql.SQL(", ").join(sets)
        )
        if not one.whole:
            changed = _staged("keys" if one.keys else "rows", number)
            update += sql.SQL(" FROM {} AS k WHERE {}").format(changed, _same("t", "k", key))
        connection.execute(update)


def _freed(table: TablePlan, name: str) -> sql.Composed:
    column = table.column(name)
    if not column.not_null:
        return sql.SQL("{} = NULL").format(sql.Identifier(name))
    if column.type.kind is Kind.TEXT:
        return sql.SQL("{} = {} || gen_random_uuid()").format(sql.Identifier(name), sql.Literal(_PLACEHOLDER))
    return sql.SQL("{0} = t.{0}").format(sql.Identifier(name))


@contextlib.contextmanager
def _without_rules(connection: Connection, plan: Plan, ordered: Sequence[TableChanges]) -> Iterator[None]:
    """Set those unique indexes aside whose values can't be let go, and make them again from the server's own text."""
    aside = [i for c in ordered for i in _unique(plan, c) if not _can_let_go(plan.table(c.table), i)]
    texts = []
    for index in aside:
        name = sql.Identifier(plan.schema, index.name)
        row = connection.execute(
            "SELECT pg_get_indexdef(format('%%I.%%I', %s::text, %s::text)::regclass)", (plan.schema, index.name)
        ).fetchone()
        texts.append(str(row[0]) if row else "")
        connection.execute(sql.SQL("DROP INDEX {}").format(name))
    yield
    if texts:
        # An index can't be made while checks of its table are still to come.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for text in texts:
        connection.execute(text.encode())


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _same(one: str, other: str, key: Iterable[str]) -> sql.Composed:
    pairs = (sql.SQL("{} = {}").format(sql.Identifier(one, n), sql.Identifier(other, n)) for n in key)
    return sql.SQL(" AND ").join(pairs)


def _staged(kind: str, number: int) -> sql.Identifier:
    return sql.Identifier("pg_temp", f"zenni_tui_{kind}_{number}")


def _parents_first(plan: Plan, changes: Sequence[TableChanges]) -> list[TableChanges]:
    """Return the changes so that a table comes after those it refers to, as far as they don't go round in a ring."""
    parents: Mapping[str, set[str]] = {c.table: set() for c in changes}
    for key in plan.foreign_keys:
        if key.table in parents and key.parent in parents and key.parent != key.table:
            parents[key.table].add(key.parent)
    place = {name: i for i, name in enumerate(_sorted(parents))}
    return sorted(changes, key=lambda c: place[c.table])


def _sorted(parents: Mapping[str, set[str]]) -> Iterator[str]:
    left = dict(parents)
    while left:
        free = [name for name, above in left.items() if not above & left.keys()] or list(left)
        for name in free:
            del left[name]
        yield from free
