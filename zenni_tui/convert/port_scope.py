"""Which column of the plan a name in a query means, found as SQLite finds it: by scope, without the case of A to Z."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zenni_tui.model.plan import ColumnPlan, Plan, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.schema import SourceSchema

from . import rules
from .translate_terms import Column
from .translate_walk import folded

Node = Any
"""A node of sqlglot's tree; its arguments are as dynamic as the grammar."""

_QUERIES = ("Select", "Update", "Delete", "Insert")
ROWIDS = ("rowid", "oid", "_rowid_")


@dataclass(frozen=True)
class Field:
    """A column of a carried table: where it goes, and what SQLite stores in it."""

    table: TablePlan
    plan: ColumnPlan
    held: Column

    @property
    def kind(self) -> str:
        """Return the name of its type in PostgreSQL."""
        return str(self.plan.type.kind)


@dataclass(frozen=True)
class Carried:
    """A table that is carried, its columns by their folded source names, and its alias of the rowid, if any."""

    plan: TablePlan
    fields: Mapping[str, Field]
    rowid: Field | None = None


Catalogue = Mapping[str, Carried]
"""The tables by their folded source names."""


def catalogue(schema: SourceSchema, plan: Plan, profiles: Profiles) -> Catalogue:
    """Return what the plan carries, in the words of the source."""
    found = {}
    for table in plan.tables:
        source = schema.table(table.source)
        if source is None:
            continue
        known = rules.meanings(source, table, profiles.tables.get(table.source))
        fields = {
            folded(c.source): Field(table, c, Column(*known[c.source]))
            for c in table.columns
            if c.source is not None and c.source in known
        }
        alias = fields.get(folded(source.rowid_alias)) if source.rowid_alias else None
        found[folded(table.source)] = Carried(table, fields, alias)
    return found


@dataclass(frozen=True)
class Relation:
    """Something in a FROM: its columns by folded name, None for computed ones; `carried` for a table's own.

    A relation that is `open` may have columns that aren't known here.
    """

    name: str
    columns: Mapping[str, Field | None]
    carried: Carried | None = None
    open: bool = False


class Names:
    """Finds columns in the queries of one tree."""

    def __init__(self, tables: Catalogue) -> None:
        self._tables = tables
        self._known: dict[int, list[Relation]] = {}
        self._kept: list[Node] = []

    def field(self, node: Node) -> Field | None:
        """Return the table's column that a name means, None for anything else."""
        for relation in self.candidates(node):
            found = relation.columns.get(folded(node.name))
            if found is not None:
                return found
        return None

    def known(self, node: Node) -> bool:
        """Return whether a name means a column, or might mean one that isn't known here."""
        return any(r.open or folded(node.name) in r.columns for r in self.candidates(node))

    def candidates(self, node: Node) -> Iterator[Relation]:
        """Yield what a name may belong to, the innermost query's first."""
        table = folded(node.table) if node.table else None
        for query in _around(node):
            for relation in self.relations(query):
                if table is None or relation.name == table:
                    yield relation

    def relations(self, query: Node) -> list[Relation]:
        """Return what a query reads from."""
        found = self._known.get(id(query))
        if found is None:
            self._known[id(query)] = found = []
            # A node that is gone could leave its number to another.
            self._kept.append(query)
            found += [self._relation(n) for n in _sources(query) if hasattr(n, "alias")]
            if type(query).__name__ == "Insert":
                found += [Relation("excluded", r.columns, r.carried, r.open) for r in found[:1]]
        return found

    def carried(self, table: Node) -> Carried | None:
        """Return the carried table that a table's node names; a name given by WITH hides it."""
        name = folded(table.name)
        return None if self._given(table, name) is not None else self._tables.get(name)

    def unknown(self, table: Node) -> bool:
        """Return whether a node names a table that neither is carried nor given by WITH."""
        return bool(table.name) and self.carried(table) is None and self._given(table, folded(table.name)) is None

    def _given(self, table: Node, name: str) -> Node | None:
        around: Node | None = table
        while around is not None:
            clause = around.args.get("with_")
            for part in clause.expressions if clause is not None else ():
                if folded(part.alias) == name:
                    return part
            around = around.parent
        return None

    def _relation(self, node: Node) -> Relation:
        alias = folded(node.alias or node.name)
        if type(node).__name__ == "Subquery":
            return Relation(alias, *self._columns(node.this, ()))
        given = self._given(node, folded(node.name)) if type(node).__name__ == "Table" else None
        if given is not None:
            recursive = any(n is given for n in _parents(node))
            return (
                Relation(alias, {}, open=True)
                if recursive
                else Relation(alias, *self._columns(given.this, _named(given)))
            )
        found = self.carried(node) if type(node).__name__ == "Table" else None
        if found is None:
            return Relation(alias, {}, open=True)
        return Relation(alias, found.fields, found)

    def _columns(self, query: Node, names: tuple[str, ...]) -> tuple[dict[str, Field | None], None, bool]:
        """Return the columns of a subquery's result, and whether there may be more."""
        while type(query).__name__ in ("Union", "Except", "Intersect", "Subquery"):
            query = query.this
        columns: dict[str, Field | None] = {}
        for number, each in enumerate(query.expressions if type(query).__name__ == "Select" else ()):
            bare = each.this if type(each).__name__ == "Alias" else each
            if type(each).__name__ == "Star" or type(each.this).__name__ == "Star":
                for relation in self.relations(query):
                    columns |= relation.columns
                    if relation.open:
                        return columns, None, True
                continue
            name = names[number] if number < len(names) else folded(each.alias_or_name)
            columns[name] = self.field(bare) if type(bare).__name__ == "Column" else None
        return columns, None, not columns


def _named(part: Node) -> tuple[str, ...]:
    columns: Iterable[Node] = part.args["alias"].args.get("columns") or ()
    return tuple(folded(c.name) for c in columns)


def _parents(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _around(node: Node) -> Iterator[Node]:
    return (n for n in _parents(node) if type(n).__name__ in _QUERIES)


def _sources(query: Node) -> Iterator[Node]:
    kind = type(query).__name__
    if kind in ("Update", "Delete", "Insert"):
        yield query.this.this if type(query.this).__name__ == "Schema" else query.this
    from_ = query.args.get("from_")
    if from_ is not None:
        yield from_.this
        yield from (j.this for j in from_.this.args.get("joins") or ())
    yield from (j.this for j in query.args.get("joins") or ())
