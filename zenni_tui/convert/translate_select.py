"""SELECTs in PostgreSQL's terms: what they read, keep, group, order and put together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .translate_aggregates import Grouped, aggregate_name, distinguishable
from .translate_from import only, sources
from .translate_order import keys_of, limit_of, order_by, order_outside
from .translate_relations import Relation, Sources, Tables, base, derived, outcome, output
from .translate_source import Untranslatable, Word
from .translate_terms import DOUBTFUL, Class, Term, identifier, truth, usable
from .translate_walk import Scope, Walker, folded

Node = Any
Name = str | None
Column = tuple[Name, Term]

_SELECT = {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_"}
_COMPOUND = {"this", "expression", "distinct", "order", "limit", "offset", "with_"}
_KINDS = {"Union": "UNION", "Except": "EXCEPT", "Intersect": "INTERSECT"}


@dataclass(frozen=True)
class Query:
    """A query's text and the columns of its result; a name is None where SQLite has only the expression's text."""

    sql: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Naming:
    """What the columns of a view's result are named: `given` by the view, else `labels`, an expression's own text."""

    given: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a query may read: the tables, the names given by WITH, and the query around it."""

    words: Sequence[Word]
    tables: Tables
    namespace: str
    known: Mapping[str, Query] = field(default_factory=dict)
    outer: Scope | None = None

    def text(self, node: Node) -> str:
        """Return the name that an identifier numbers."""
        return str(Walker(self.words, Scope({})).word(node).value)


class _Inside(Walker):
    """A walker that knows subqueries behind EXISTS and IN."""

    def __init__(self, context: Context, scope: Scope) -> None:
        super().__init__(context.words, scope)
        self._context = context

    def term(self, node: Node) -> Term:
        """Return a node's term; raises Untranslatable."""
        kind = type(node).__name__
        if kind == "Exists":
            return truth(f"(EXISTS ({self._query(node.this).sql}))")
        if kind == "In" and node.args.get("query") is not None:
            return self._among(node)
        return super().term(node)

    def _query(self, node: Node) -> Query:
        return query(node, replace(self._context, outer=self.scope))

    def _among(self, node: Node) -> Term:
        left, inside = usable(self.term(node.this)), self._query(node.args["query"].this)
        member = inside.columns[0][1]
        alike = left.of is member.of and left.of in (Class.INTEGER, Class.TEXT) and len(inside.columns) == 1
        if not alike or left.collation != "BINARY":
            raise Untranslatable("A value is looked for among values of another kind.")
        return truth(f"({left.sql} IN ({inside.sql}))")


def query(node: Node, context: Context, naming: Naming | None = None) -> Query:
    """Return a SELECT or a compound of them; raises Untranslatable."""
    naming = naming or Naming()
    kind = type(node).__name__
    if kind == "Subquery" and not node.args.get("alias"):
        return query(node.this, context, naming)
    if kind == "Select":
        only(node, _SELECT)
        return _with(node, context, lambda inside: _select(node, inside, naming))
    if kind in _KINDS:
        only(node, _COMPOUND)
        return _with(node, context, lambda inside: _compound(node, inside, naming))
    raise Untranslatable("It is no SELECT.")


def _with(node: Node, context: Context, make: Callable[[Context], Query]) -> Query:
    clause = node.args.get("with_")
    if clause is None:
        return make(context)
    if clause.args.get("recursive"):
        raise Untranslatable("A recursive query.")
    texts = []
    for part in clause.expressions:
        only(part, {"this", "alias"})
        name = context.text(part.args["alias"].this)
        given = tuple(context.text(c) for c in part.args["alias"].args.get("columns") or ())
        made = query(part.this, context, Naming(given))
        texts.append(f"{identifier(name)} AS ({made.sql})")
        context = replace(context, known={**context.known, folded(name): replace(made, sql=identifier(name))})
    whole = make(context)
    return replace(whole, sql=f"WITH {', '.join(texts)} {whole.sql}")


def _select(node: Node, context: Context, naming: Naming) -> Query:
    scope = Sources(outer=context.outer)
    inner = _Inside(context, scope)
    from_ = sources(node, inner, scope, lambda each, number: _relation(each, context, number))
    aliases = {folded(context.text(e.args["alias"])): e.this for e in node.expressions if type(e).__name__ == "Alias"}
    scope.aliases.update(aliases)
    where = f"WHERE {inner.condition(node.args['where'].this)}" if node.args.get("where") is not None else ""
    outer, group = _grouping(node, inner)
    having = _having(node, outer)
    scope.aliases.clear()
    columns = _columns(node, outer, naming)
    shown = ", ".join(_shown(c, number) for number, c in enumerate(columns, 1))
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    sql = " ".join(p for p in (f"SELECT {distinct}{shown}", from_, where, group, having) if p)
    made = Query(sql, tuple((n, outcome(t)) for n, t in columns))
    if distinct:
        for _, term in columns:
            distinguishable(term)
        return _ordered(made, node, context, naming)
    return replace(made, sql=sql + order_by(node, outer, columns, aliases) + limit_of(node, outer))


def _shown(column: Column, number: int) -> str:
    name, term = column
    return f"{output(term)} AS {identifier(name if name is not None else f'column_{number}')}"


def _relation(node: Node, context: Context, number: int) -> Relation:
    only(node, {"this", "alias", "db"})
    given = node.args.get("alias")
    if given is not None and given.args.get("columns"):
        raise Untranslatable("An alias renames columns.")
    alias = context.text(given.this) if given is not None else None
    if type(node).__name__ == "Subquery":
        made = query(node.this, replace(context, outer=None))
        shown = alias or f"subquery_{number}"
        return derived(f"({made.sql}) AS {identifier(shown)}", shown, made.columns)
    if type(node).__name__ != "Table":
        raise Untranslatable("It reads something else than tables and subqueries.")
    return _table(node, context, alias)


def _table(node: Node, context: Context, alias: str | None) -> Relation:
    name = context.text(node.this)
    database = node.args.get("db")
    if database is not None and folded(context.text(database)) != "main":
        raise Untranslatable("It reads another database.")
    shown = alias or name
    known = context.known.get(folded(name)) if database is None else None
    if known is not None:
        return derived(f"{known.sql} AS {identifier(shown)}", shown, known.columns)
    return base(name, shown, context.tables, context.namespace)


def _grouping(node: Node, inner: _Inside) -> tuple[Walker, str]:
    group = node.args.get("group")
    if group is not None:
        only(group, {"expressions"})
        terms = [distinguishable(_group_term(node, key, inner)) for key in group.expressions]
        if any(t.literal for t in terms):
            raise Untranslatable("GROUP BY a constant.")
        sqls = [t.sql for t in terms]
        return Grouped(inner.words, inner.scope, frozenset(sqls), inner), f"GROUP BY {', '.join(sqls)}"
    looked_at = [*node.expressions, *(k.this for k in keys_of(node))]
    if any(aggregate_name(inner, n) for e in looked_at for n in _walked(e)):
        return Grouped(inner.words, inner.scope, frozenset(), inner), ""
    return inner, ""


def _walked(node: Node) -> Iterator[Node]:
    return iter(node.walk(prune=lambda n: type(n).__name__ in ("Subquery", "Select")))


def _group_term(node: Node, key: Node, inner: _Inside) -> Term:
    """Return a key of GROUP BY; a number is that of a column of the result."""
    if type(key).__name__ != "Literal":
        return inner.term(key)
    number = inner.word(key).value
    stars = any(type(e).__name__ == "Star" or type(e.this).__name__ == "Star" for e in node.expressions)
    if stars or not isinstance(number, int) or not 1 <= number <= len(node.expressions):
        raise Untranslatable("GROUP BY names a column by a number that is none.")
    meant = node.expressions[number - 1]
    return inner.term(meant.this if type(meant).__name__ == "Alias" else meant)


def _having(node: Node, walker: Walker) -> str:
    having = node.args.get("having")
    if having is None:
        return ""
    if not node.args.get("group"):
        raise Untranslatable("HAVING without GROUP BY.")
    return f"HAVING {walker.condition(having.this)}"


def _columns(node: Node, walker: Walker, naming: Naming) -> list[Column]:
    columns: list[Column] = []
    for number, each in enumerate(node.expressions):
        label = naming.labels[number] if number < len(naming.labels) else None
        columns += _column(each, walker, label)
    if naming.given:
        if len(naming.given) != len(columns):
            raise Untranslatable("The columns named are more or fewer than the query's.")
        columns = [(name, term) for name, (_, term) in zip(naming.given, columns, strict=True)]
    names = [folded(n) for n, _ in columns if n is not None]
    if len(set(names)) < len(names):
        raise Untranslatable("Two columns of the result have one name.")
    return columns


def _column(node: Node, walker: Walker, label: Name) -> list[Column]:
    kind = type(node).__name__
    if kind == "Star" or type(node.this).__name__ == "Star":
        return _star(node, walker)
    if kind == "Alias":
        return [(str(walker.word(node.args["alias"]).value), walker.term(node.this))]
    bare = node
    while type(bare).__name__ == "Paren":
        bare = bare.this
    own = _own_name(bare, walker) if type(bare).__name__ == "Column" else None
    return [(own if own is not None else label, walker.term(node))]


def _star(node: Node, walker: Walker) -> list[Column]:
    scope = walker.scope
    if isinstance(walker, Grouped) or not isinstance(scope, Sources):
        raise Untranslatable("A star stands beside an aggregate.")
    table = node.args.get("table")
    if table is None:
        columns: list[Column] = [(n, t) for _, n, t in scope.shown()]
    else:
        of = folded(str(walker.word(table).value))
        columns = [pair for r in scope.relations if folded(r.name) == of for pair in r.terms]
    if not columns:
        raise Untranslatable("A star stands for no columns.")
    return columns


def _own_name(node: Node, walker: Walker) -> Name:
    """Return a column's name as its table spells it; None for a string in double quotes."""
    name, table = folded(str(walker.word(node.this).value)), node.args.get("table")
    of = folded(str(walker.word(table).value)) if table is not None else None
    relations = walker.scope.relations if isinstance(walker.scope, Sources) else []
    return next((n for r in relations if of in (None, folded(r.name)) for n, _ in r.terms if folded(n) == name), None)


def _compound(node: Node, context: Context, naming: Naming) -> Query:
    left, right = query(node.this, context, naming), query(node.expression, context)
    distinct = bool(node.args.get("distinct"))
    if len(left.columns) != len(right.columns):
        raise Untranslatable("The parts of a compound SELECT have columns of different number.")
    pairs = zip(left.columns, right.columns, strict=True)
    columns = tuple((name, _merged(one, two, distinct=distinct)) for (name, one), (_, two) in pairs)
    word = _KINDS[type(node).__name__] + ("" if distinct else " ALL")
    return _ordered(Query(f"({left.sql}) {word} ({right.sql})", columns), node, context, naming)


def _merged(one: Term, two: Term, *, distinct: bool) -> Term:
    same = one.of is two.of and (one.pg is two.pg or one.of in (Class.TEXT, Class.INTEGER))
    if not same or one.collation != two.collation or one.of is Class.OPAQUE or one.numbers != two.numbers:
        raise Untranslatable("The parts of a compound SELECT have columns of different kinds.")
    if distinct:
        distinguishable(one)
    kept = one.affinity if one.affinity == two.affinity else DOUBTFUL
    if None in (one.low, one.high, two.low, two.high):
        return replace(one, low=None, high=None, affinity=kept)
    low, high = min(one.low or 0, two.low or 0), max(one.high or 0, two.high or 0)
    return replace(one, low=low, high=high, affinity=kept)


def _ordered(made: Query, node: Node, context: Context, naming: Naming) -> Query:
    keys = keys_of(node)
    if naming.given and any(type(k.this).__name__ != "Literal" for k in keys):
        raise Untranslatable("A view that renames its columns orders them by their former names.")

    def walker(result: Relation) -> Walker:
        scope = Sources()
        scope.add(result)
        return Walker(context.words, scope)

    limit = limit_of(node, Walker(context.words, Scope({})))
    return replace(made, sql=order_outside(made.sql, node, walker, made.columns, limit))
