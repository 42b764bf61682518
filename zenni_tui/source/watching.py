"""The triggers that log which rows change: their SQL, one row of the log for each key that may have changed.

REPLACE deletes its victims without delete triggers (https://sqlite.org/lang_conflict.html) unless the application
turned `recursive_triggers` on, so before each write the keys of the rows that share any unique value with the new one
are logged. A key logged without need costs a read; one that is missed costs a row.
"""

from collections.abc import Iterable, Iterator, Sequence

from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceIndex, SourceTable

from .database import quoted
from .live import PREFIX

LOG, WATCHED = f"{PREFIX}change", f"{PREFIX}watched"


class Watch(Record, frozen=True):
    """One watched table; `key` is empty for a table whose rows can't be told apart, which is copied whole again."""

    number: int
    table: str
    key: tuple[str, ...]


def tables(width: int) -> Iterator[tuple[str, str]]:
    """Yield name and SQL of our tables; `width` is the number of columns of the longest key.

    The key's columns have no type and so no affinity: they hold what the table holds. The log has no unique rule, as
    the conflict policy of the application's statement would decide what happens at a clash
    (https://sqlite.org/lang_createtrigger.html), and no AUTOINCREMENT, which would leave `sqlite_sequence` behind.
    """
    columns = "".join(f", k{i}" for i in range(width))
    yield LOG, f"CREATE TABLE {LOG} (id INTEGER PRIMARY KEY, watched INTEGER NOT NULL{columns})"
    yield WATCHED, f"CREATE TABLE {WATCHED} (number INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL)"


def identifying(table: SourceTable) -> tuple[str, ...]:
    """Return the columns that tell a table's rows apart: the primary key, else a unique index without NULLs, or none.

    The same rule as `Plan.row_key`, which knows what becomes of the columns, and may say otherwise.
    """
    whole = [i for i in table.indexes if i.unique and i.where is None and None not in i.columns]
    solid = {c.name for c in table.columns if c.not_null}
    keys = [tuple(c for c in i.columns if c is not None) for i in whole]
    return table.key or next((k for k in keys if set(k) <= solid), ())


def triggers(watch: Watch, table: SourceTable) -> Iterator[tuple[str, str]]:
    """Yield name and SQL of a table's triggers."""
    rules = list(_unique(table)) if watch.key else []
    victims = [_victims(watch, table, terms) for terms, _ in rules]
    # A rule whose columns stay as they are finds no other row than the changed one, which is logged anyway.
    moved = [_victims(watch, table, [f"({_differ(own)})", *terms] if own else terms) for terms, own in rules]
    new, old = _row(watch, "NEW"), _row(watch, "OLD")
    yield from _trigger(watch, "before_insert", victims)
    yield from _trigger(watch, "before_update", moved, _differ(_deciding(table)))
    yield from _trigger(watch, "after_insert", [new])
    yield from _trigger(watch, "after_update", [old])
    if watch.key:
        yield from _trigger(watch, "after_update", [new], _differ(watch.key), part="_key")
    yield from _trigger(watch, "after_delete", [old])


def _trigger(
    watch: Watch, event: str, statements: Sequence[str], when: str = "", *, part: str = ""
) -> Iterator[tuple[str, str]]:
    if not statements:
        return
    name = f"{LOG}_{watch.number}_{event}{part}"
    head = f"CREATE TRIGGER {name} {event.replace('_', ' ').upper()} ON {quoted(watch.table)} FOR EACH ROW"
    yield name, f"{head}{f' WHEN {when}' if when else ''} BEGIN {'; '.join(statements)}; END"


def _differ(columns: Iterable[str]) -> str:
    # Not UPDATE OF: the rowid has other names, and a generated column changes without being named.
    return " OR ".join(f"NEW.{quoted(c)} IS NOT OLD.{quoted(c)}" for c in columns)


def _deciding(table: SourceTable) -> Iterable[str]:
    """Return the columns on which it depends whether a changed row clashes with another."""
    unique = [i for i in table.indexes if i.unique]
    if any(None in i.columns or i.where is not None for i in unique):
        return [c.name for c in table.columns]
    return dict.fromkeys([*table.key, *(c for i in unique for c in i.columns if c is not None)])


def _into(watch: Watch) -> str:
    columns = "".join(f", k{i}" for i in range(len(watch.key)))
    return f"INSERT INTO {LOG} (watched{columns})"


def _row(watch: Watch, row: str) -> str:
    values = "".join(f", {row}.{quoted(c)}" for c in watch.key)
    return f"{_into(watch)} SELECT {watch.number}{values}"


def _unique(table: SourceTable) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Yield, for each unique rule, the conditions under which a row of the table clashes with the new one.

    Beside them stand the columns that decide on it, none where an expression does.
    """
    if table.rowid_alias is not None:
        yield [_same(table.rowid_alias, "BINARY")], [table.rowid_alias]
    elif table.without_rowid:
        yield [_same(c, column.collation) for c in table.key if (column := table.column(c)) is not None], table.key
    for index in table.indexes:
        if index.unique and not (table.without_rowid and index.origin == "pk"):
            plain = [c for c in index.columns if c is not None] if index.where is None else []
            yield list(_conditions(table, index)), plain if len(plain) == len(index.columns) else []


def _conditions(table: SourceTable, index: SourceIndex) -> Iterator[str]:
    for place, column in enumerate(index.columns):
        collation = index.collations[place] if index.collations else "BINARY"
        if column is not None:
            yield _same(column, collation)
        else:
            # The expression reads the new row where a table of the same name holds nothing but it.
            row = ", ".join(f"NEW.{quoted(c.name)} AS {quoted(c.name)}" for c in table.columns)
            term = index.expressions[place]
            alone = f"(SELECT {term} FROM (SELECT {row}) AS {quoted(table.name)})"  # noqa: S608 - quoted names
            yield f"({term}) COLLATE {quoted(collation)} = {alone}"
    if index.where is not None:
        yield f"({index.where})"


def _same(column: str, collation: str) -> str:
    return f"{quoted(column)} COLLATE {quoted(collation)} = NEW.{quoted(column)}"


def _victims(watch: Watch, table: SourceTable, conditions: Sequence[str]) -> str:
    keys = "".join(f", {quoted(c)}" for c in watch.key)
    where = " AND ".join(conditions)
    return f"{_into(watch)} SELECT {watch.number}{keys} FROM {quoted(table.name)} WHERE {where}"  # noqa: S608 - quoted
