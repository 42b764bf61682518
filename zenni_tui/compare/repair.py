"""What mends a target that differs: rows to be deleted there, and rows of the source to be loaded again."""

from collections import Counter
from collections.abc import Iterable

from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Kind, TablePlan
from zenni_tui.model.record import Record

from .expressions import bare_type, canonical_sql
from .records import Difference, DifferenceKind, Part
from .session import PARAMETER, parameterized
from .values import readable

Deletion = tuple[sql.SQL, list[str]]

_HASH = sql.SQL(f"encode(sha256(convert_to({{}}, 'UTF8')), 'hex') = {PARAMETER}")
_TEXT_IS = sql.SQL(f"{{}} = {PARAMETER}")
_IS = sql.SQL(f"t.{{}} = {PARAMETER}::text::{{}}")
_NULL = sql.SQL("t.{} IS NULL")
_ALL = sql.SQL("DELETE FROM {} AS t WHERE {}")
_SOME = sql.SQL("DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM {0} AS t WHERE {1} LIMIT {2}))")
_NUMBERED = frozenset({Kind.DOUBLE, Kind.REAL, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME})
_BY_TEXT = frozenset({Kind.BYTEA, Kind.JSON})
"""Kinds whose canonical text is no literal of theirs, or which have no equality."""


class Delete(Record, frozen=True):
    """Rows of a target table to be deleted: all that `where` finds, or as many of them as `copies` says.

    An empty `where` finds every row.
    """

    table: str
    where: tuple[Part, ...] = ()
    copies: int | None = None


class Reload(Record, frozen=True):
    """Rows of the source to be loaded into a target table, by rowid in order; all of them when `whole`."""

    table: str
    rowids: tuple[int, ...] = ()
    whole: bool = False


class Orders(Record, frozen=True):
    """What is to be done, table by table: first the deletions, then the loads, best in one transaction."""

    deletes: tuple[Delete, ...] = ()
    reloads: tuple[Reload, ...] = ()


def orders(differences: Iterable[Difference]) -> Orders:
    """Return what mends the rows that these differences name, in a target whose structure is as planned.

    A table is emptied and loaded again when some row of it can't be found again by rowid. Differences beyond those
    kept are not known here: compare again afterwards.
    """
    by_table: dict[str, list[Difference]] = {}
    for difference in differences:
        by_table.setdefault(difference.table, []).append(difference)
    deletes: list[Delete] = []
    reloads: list[Reload] = []
    for table, found in by_table.items():
        if _unfindable(found):
            deletes.append(Delete(table))
            reloads.append(Reload(table, whole=True))
            continue
        deletes += _deletes(table, found)
        rowids = sorted({d.rowid for d in found if d.rowid is not None})
        reloads += [Reload(table, tuple(rowids))] if rowids else []
    return Orders(tuple(deletes), tuple(reloads))


def _unfindable(found: list[Difference]) -> bool:
    known = {d.where for d in found if d.rowid is not None and d.where}
    lost = (d for d in found if d.kind is not DifferenceKind.EXTRA and d.rowid is None)
    return any(d.where not in known for d in lost) or any(_nowhere(d) for d in found)


def _nowhere(difference: Difference) -> bool:
    return not difference.where and difference.kind is not DifferenceKind.MISSING


def _deletes(table: str, found: list[Difference]) -> list[Delete]:
    there = [d for d in found if d.kind is not DifferenceKind.MISSING]
    keyed = dict.fromkeys(d.where for d in there if not d.keyless)
    copies = Counter(d.where for d in there if d.keyless)
    return [Delete(table, where) for where in keyed] + [Delete(table, where, many) for where, many in copies.items()]


def deletion(schema: str, table: TablePlan, order: Delete) -> Deletion:
    """Return the statement that carries out a deletion, and its parameters; raises KeyError for unknown columns."""
    name = sql.Identifier(schema, table.name)
    exact = order.copies is not None
    conditions = [_condition(table.column(part.column), part, exact=exact) for part in order.where]
    found = sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
    parameters = [_literal(table.column(p.column), p, exact=exact) for p in order.where if p.text is not None]
    if order.copies is None:
        return parameterized(_ALL.format(name, found)), parameters
    return parameterized(_SOME.format(name, found, sql.Literal(order.copies))), parameters


def _condition(column: ColumnPlan, part: Part, *, exact: bool) -> sql.Composable:
    if part.text is None:
        return _NULL.format(sql.Identifier(column.name))
    if part.hashed:
        return _HASH.format(canonical_sql(column, "t"))
    kind = None if exact or column.type.kind in _BY_TEXT else bare_type(column.type.kind)
    if kind is None:
        return _TEXT_IS.format(canonical_sql(column, "t"))
    # In the column's own type, so that the key's index finds the row.
    return _IS.format(sql.Identifier(column.name), kind)


def _literal(column: ColumnPlan, part: Part, *, exact: bool) -> str:
    text = part.text or ""
    if exact or part.hashed or column.type.kind not in _NUMBERED:
        return text
    return readable(column.type.kind, text) or text
