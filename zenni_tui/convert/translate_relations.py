"""What a SELECT reads from: tables, subqueries and common table expressions, and how names find their columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .translate_source import Untranslatable
from .translate_terms import DOUBTFUL, Class, Columns, Term, column_term, held, identifier, typed
from .translate_walk import Scope, folded

Shown = tuple[tuple[str, Term], ...]
"""The columns of a view by name, in order: what is known of them is what is known of its query's result."""

Tables = Mapping[str, tuple[str, Columns | Shown]]


@dataclass(frozen=True)
class Relation:
    """Something with columns: `sql` is what stands in FROM, `terms` the columns by name, in order."""

    name: str
    sql: str
    terms: Shown

    def find(self, name: str) -> Term | None:
        """Return a column, compared without case."""
        return next((t for n, t in self.terms if folded(n) == folded(name)), None)


def base(name: str, alias: str, tables: Tables, namespace: str) -> Relation:
    """Return a table or view of the target; raises Untranslatable when it isn't there."""
    found = next((t for n, t in tables.items() if folded(n) == folded(name)), None)
    if found is None:
        raise Untranslatable(f'It reads "{name}", which is no table that is carried.')
    target, columns = found
    prefix = identifier(alias) + "."
    sql = f"{identifier(namespace)}.{identifier(target)} AS {identifier(alias)}"
    if isinstance(columns, tuple):
        return derived(sql, alias, columns)
    return Relation(alias, sql, tuple((n, column_term(known, prefix)) for n, known in columns.items()))


def derived(sql: str, alias: str, columns: Iterable[tuple[str | None, Term]]) -> Relation:
    """Return a subquery, common table expression or view as a relation."""
    prefix = identifier(alias) + "."
    terms = []
    for name, term in columns:
        if name is None:
            raise Untranslatable("A column of a subquery has no name of its own.")
        terms.append((name, _outside(term, prefix + identifier(name))))
    return Relation(alias, sql, tuple(terms))


def _outside(term: Term, sql: str) -> Term:
    # SQLite's releases differ in the affinity that a computed column of a subquery has.
    affinity = term.affinity if term.direct else DOUBTFUL
    return replace(term, sql=sql, literal=False, value=None, direct=True, explicit=False, affinity=affinity)


@dataclass
class Sources(Scope):
    """The relations of a FROM so far; `hidden` are columns that a USING has joined to one on the left."""

    outer: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    aliases: dict[str, Any] = field(default_factory=dict)
    """The result's expressions, which a condition may name where no column has the name."""

    def add(self, relation: Relation) -> None:
        """Take one more relation; raises Untranslatable when two have one name."""
        if any(folded(r.name) == folded(relation.name) for r in self.relations):
            raise Untranslatable("Two sources of a SELECT have one name.")
        self.relations.append(relation)

    def find(self, table: str | None, name: str) -> Term | None:
        """Return a column's term, None when there is none; raises Untranslatable when it is ambiguous."""
        if table is None:
            found = [t for r, n, t in self.shown() if folded(n) == folded(name)]
        else:
            found = [t for r in self.relations if folded(r.name) == folded(table) and (t := r.find(name)) is not None]
        if len(found) > 1:
            raise Untranslatable(f'The column "{name}" is in more than one source.')
        if found:
            return found[0]
        return self.outer.find(table, name) if self.outer is not None and not self.alias(table, name) else None

    def alias(self, table: str | None, name: str) -> Any:
        """Return the expression that a name stands for, None when there is none."""
        return self.aliases.get(folded(name)) if table is None else None

    def shown(self) -> list[tuple[Relation, str, Term]]:
        """Return the columns that `*` stands for, in order."""
        return [(r, n, t) for r in self.relations for n, t in r.terms if (r.name, folded(n)) not in self.hidden]


def output(term: Term) -> str:
    """Return a term's SQL as a column of a result: a truth value is the integer 0 or 1, as in SQLite."""
    if term.direct or term.of is Class.OPAQUE:
        return term.sql
    if term.of is Class.NULL:
        return "NULL::text"
    if term.of is Class.BOOLEAN:
        return f"({term.sql})::integer"
    if term.of is not Class.TEXT:
        return held(term).sql
    # What was folded as ASCII has the collation "C", which would clash with others outside.
    return f'({term.sql} COLLATE "default")' if 'COLLATE "C"' in term.sql else typed(term)


def outcome(term: Term) -> Term:
    """Return the term of a result's column as the query around it sees it."""
    if term.of is Class.BOOLEAN and not term.direct:
        return Term("", Class.INTEGER, affinity=DOUBTFUL, low=0, high=1)
    if term.of is Class.ELEMENT or (term.explicit and term.collation != "BINARY"):
        raise Untranslatable("A column of a result has no fixed type or a collation of its own.")
    return held(term)
