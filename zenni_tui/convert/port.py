"""A query of the application's, from SQLite to PostgreSQL: what in it is SQLite's own, and the form to write instead.

Unlike `translate`, which promises the same answer for every value, this keeps a query readable for the person who
will own it; what it proposes is a proposal until it has been tried on both databases.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from zenni_tui.model.queries import Mark

from . import port_clauses as clauses
from . import port_compare as comparing
from . import port_dates as dates
from . import port_functions as functions
from . import port_names as naming
from .port_nodes import Node, made, name_of, number, parse, text_of, written
from .port_scope import Catalogue, Field, Names, catalogue
from .port_tokens import render, spelling_marks, tokens
from .port_walk import Porting, Use
from .translate_source import Untranslatable
from .translate_walk import folded

__all__ = ["SCHEMA_CHANGE", "Catalogue", "Ported", "Use", "catalogue", "port", "render"]

_REPLACE = re.compile(r"\A\s*REPLACE\s+INTO\b", re.IGNORECASE)
_NULLS = re.compile(r"\bNULLS\s+(?:FIRST|LAST)\b", re.IGNORECASE)
SCHEMA_CHANGE = "schema change"
"""The mark of a statement that makes or changes tables."""
_READS = ("Select", "Union", "Except", "Intersect", "Values")
_DDL = ("Create", "Alter", "Drop", "AlterTable")
_NO_FORM = {
    "PRAGMA": "PostgreSQL has no PRAGMA: leave it out, its settings are the server's.",
    "ATTACH": "PostgreSQL reads one database at a time.",
    "DETACH": "PostgreSQL reads one database at a time.",
    "EXPLAIN": "PostgreSQL writes it EXPLAIN, and answers otherwise.",
    "REINDEX": "PostgreSQL keeps its indexes in order; REINDEX INDEX names one.",
}


@dataclass(frozen=True)
class Ported:
    """A query carried over.

    `sql` is PostgreSQL's form with parameters as :p1, :p2, ...; `marks` say what in the query is SQLite's own, `notes`
    what works and should be known, `stuck` why a person must see to it. `reads` tells a query from a write, `planned`
    both from what PostgreSQL makes no plan for. `uses` say what each parameter stands for, `foreign` that no table is
    named that is carried.
    """

    sql: str
    marks: tuple[Mark, ...]
    notes: tuple[Mark, ...] = ()
    stuck: tuple[str, ...] = ()
    reads: bool = False
    planned: bool = False
    uses: dict[str, Use] | None = None
    foreign: bool = False
    random: bool = False
    lists: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """The carried tables that it names, as the source names them."""
    order: tuple[int, ...] | None = None
    """Which columns of the result it is ordered by, None when it isn't, or by something else."""
    whole: tuple[str, str] | None = None
    """Where a LIMIT takes some rows: the query without it, SQLite's form and PostgreSQL's."""


def port(sql: str, spellings: tuple[str, ...], tables: Catalogue, schema: str = "", *, exact: bool = False) -> Ported:
    """Carry one statement over; never raises for what it can't read.

    `spellings` are its parameters' in the code; `schema` goes before each table's name, if there is one; `exact` asks
    for the same answer where a form that people would rather write answers a little more.
    """
    replaced = _REPLACE.sub("INSERT OR REPLACE INTO", sql, count=1)
    marks = list(spelling_marks(sql))
    word = re.match(r"\w*", sql.lstrip())
    head = word[0].upper() if word else ""
    if head in _NO_FORM:
        return Ported(sql, (Mark(head, head, _NO_FORM[head]), *marks), (), (_NO_FORM[head],))
    try:
        tree = parse(replaced)
        porting = Porting(Names(tables), spellings, schema, exact)
        return _ported(porting, tree, tables, marks, said=_NULLS.search(sql) is not None)
    except (Untranslatable, RecursionError, LookupError, AttributeError, TypeError, ValueError):
        # A text that trips the rules is one that a person should see; it must not stop a migration.
        names = {folded(text.strip('"`[]')) for _, text in tokens(sql)}
        return Ported(sql, tuple(marks), (), ("Its syntax is not understood.",), foreign=names.isdisjoint(tables))


def _ported(porting: Porting, tree: Node, tables: Catalogue, marks: list[Mark], *, said: bool) -> Ported:
    kind = name_of(tree)
    if kind in _DDL:
        return _schema_change(tree, marks)
    if kind == "Command":
        return Ported(tree.sql(dialect="sqlite"), tuple(marks), (), ("Its syntax is not understood.",))
    porting.remember(tree)
    unlimited = _unlimited(tree)
    named = [n for n in porting.kept if name_of(n) == "Table" and n.name]
    carried = [n for n in named if porting.names.carried(n) is not None]
    sources = tuple(dict.fromkeys(tables[folded(n.name)].plan.source for n in carried))
    _parameters(porting)
    for each in porting.kept[:]:
        if name_of(each) == "Select":
            clauses.grouped(porting, each)
    _walk(porting, tree, said=said)
    spelled = written(tree)
    _style(porting)
    reads = kind in _READS
    if reads:
        _result(porting, tree)
    return Ported(
        spelled,
        tuple(dict.fromkeys([*porting.marks, *marks])),
        tuple(porting.notes),
        tuple(porting.stuck),
        reads=reads,
        planned=reads or kind in ("Insert", "Update", "Delete"),
        uses=porting.uses,
        foreign=not carried and ((bool(named) and not porting.stuck) or porting.unknown),
        random=porting.random,
        lists=tuple(porting.lists),
        tables=sources,
        order=_order(tree) if reads else None,
        whole=(unlimited, _written_whole(tree)) if unlimited is not None else None,
    )


def _result(porting: Porting, tree: Node) -> None:
    """Note which columns of the result come in another type, or under another name, than the code is used to."""
    for each in tree.expressions if name_of(tree) == "Select" else ():
        inside = each.this if name_of(each) == "Alias" else each
        found = porting.field_of(inside)
        if found is not None and porting.kind(inside) == "boolean":
            porting.note("type of the result", each, "SQLite's driver gives 0 and 1, PostgreSQL's true and false.")
        elif found is not None and porting.kind(inside) == "instant":
            porting.note("type of the result", each, "SQLite's driver gives what is stored, PostgreSQL's a Date.")
        elif name_of(each) not in ("Alias", "Column", "Star"):
            porting.note("name of the result", each, "Without AS the column has another name in PostgreSQL.")


def _unlimited(tree: Node) -> str | None:
    """Return SQLite's form of a query without its LIMIT; None when it has none."""
    if tree.args.get("limit") is None:
        return None
    bare = tree.copy()
    bare.set("limit", None)
    bare.set("offset", None)
    text: str = bare.sql(dialect="sqlite", normalize_functions=False)
    return text


def _written_whole(tree: Node) -> str:
    bare = tree.copy()
    bare.set("limit", None)
    bare.set("offset", None)
    return written(bare)


def _order(tree: Node) -> tuple[int, ...] | None:
    keys = tree.args.get("order")
    if keys is None or name_of(tree) != "Select" or any(name_of(e) == "Star" for e in tree.expressions):
        return None
    names = [folded(e.alias_or_name) for e in tree.expressions]
    found = []
    for key in keys.expressions:
        place = number(key.this)
        if place is not None:
            found.append(int(place) - 1)
        elif name_of(key.this) == "Column" and folded(key.this.name) in names:
            found.append(names.index(folded(key.this.name)))
        else:
            return None
    return tuple(found)


def _schema_change(tree: Node, marks: list[Mark]) -> Ported:
    why = "The schema belongs to the migration, which makes it from the plan; leave this out."
    mark = Mark(SCHEMA_CHANGE, name_of(tree).upper(), why)
    return Ported(written(tree), (mark, *marks), (), (why,))


def _style(porting: Porting) -> None:
    if any(s[:1] in "?:@" for s in porting.spellings):
        spelled = next(s for s in porting.spellings if s[:1] in "?:@")
        porting.marks.append(Mark("placeholder", spelled, "PostgreSQL's drivers write parameters $1, $2, …"))


def _parameters(porting: Porting) -> None:
    """Find out what each parameter is compared with or stored in."""
    for node in porting.kept:
        if name_of(node) == "Placeholder":
            known = porting.uses.get(node.name)
            if known is None or (known.field is None and known.how in ("same", "tested")):
                porting.uses[node.name] = _use(porting, node)


def _use(porting: Porting, node: Node) -> Use:
    inner, around = node, node.parent
    while name_of(around) in ("Paren", "DPipe", "Escape", "Anonymous", "Cast") and around.parent is not None:
        if name_of(around) == "Anonymous" and around.name.lower() in dates.NAMES:
            first = around.expressions.index(inner) == (around.name.lower() == "strftime")
            return Use(None, "moment" if first else "modifier")
        inner, around = around, around.parent
    name = name_of(around)
    if name in ("Limit", "Offset"):
        return Use(None, "rows" if name == "Limit" else "skip")
    if name == "Tuple" and name_of(around.parent) == "Values":
        return Use(_inserted(porting, around, inner), "stored")
    if name == "Is":
        return Use(None, "tested")
    how = _HOW.get(name, "same")
    if name == "Between":
        how = "low" if around.args.get("low") is inner else "high"
    elif around.args.get("expression") is not inner and how in ("low", "high"):
        how = "high" if how == "low" else "low"
    sides = [around.args.get(k) for k in ("this", "expression", "low", "high")]
    others = [s for s in sides if s is not None and s is not inner]
    return next((u for s in others if (u := _beside(porting, s, how)) is not None), Use(None, how))


_HOW = {"GT": "low", "GTE": "low", "LT": "high", "LTE": "high", "Like": "like", "ILike": "like", "Glob": "like"}


def _beside(porting: Porting, node: Node, how: str) -> Use | None:
    """Return what a parameter beside a value is: one of a column, or of an expression over one table."""
    found = porting.field_of(node)
    if found is not None:
        return Use(found, how)
    columns = [n for n in node.walk() if name_of(n) == "Column" and porting.field_of(n) is not None]
    relations = {r.name: r for c in columns for r in porting.names.candidates(c) if r.carried is not None}
    tables = {(f.table.source, c.table) for c in columns if (f := porting.field_of(c)) is not None}
    if len(tables) != 1 or any(name_of(n) in ("Select", "Placeholder") for n in node.walk()):
        return None
    table, alias = next(iter(tables))
    named = alias or next((n for n, r in relations.items() if r.carried and r.carried.plan.source == table), table)
    return Use(None, how, str(node.sql(dialect="sqlite", normalize_functions=False)), (table, named))


def _inserted(porting: Porting, row: Node, value: Node) -> Field | None:
    insert = row.parent.parent
    if name_of(insert) != "Insert" or name_of(insert.this) != "Schema":
        return None
    found = porting.names.carried(insert.this.this)
    place = next((i for i, v in enumerate(row.expressions) if v is value), -1)
    names = [e.name for e in insert.this.expressions]
    return found.fields.get(folded(names[place])) if found is not None and 0 <= place < len(names) else None


def _walk(porting: Porting, tree: Node, *, said: bool) -> None:
    """Change what must be changed, the innermost first; names before all else, since kinds follow from them."""
    nodes = porting.kept[:]
    for node in nodes:
        if name_of(node) == "Column":
            naming.column(porting, node)
    for node in reversed(nodes):
        rule = _RULES.get(name_of(node))
        if rule is not None and node.parent is not None:
            made = rule(porting, node)
            if made is not None and made is not node:
                node.replace(made)
        if name_of(node) == "Ordered":
            clauses.ordered(porting, node, said=said)
    _finish(porting, tree)


def _finish(porting: Porting, tree: Node) -> None:
    """See to what stands last: what was put elsewhere is a copy, so the tree itself is looked at."""
    for node in list(tree.walk()):
        if name_of(node) == "Column":
            naming.spelled_out(porting, node)
        elif name_of(node) in _WRITES:
            _WRITES[name_of(node)](porting, node)
    for node in list(tree.walk()):
        if name_of(node) == "Table" and node.name:
            naming.table(porting, node)


def _done(deed: Callable[[Porting, Node], object]) -> Callable[[Porting, Node], None]:
    def rule(porting: Porting, node: Node) -> None:
        deed(porting, node)

    return rule


def _conditions(porting: Porting, node: Node) -> None:
    if name_of(node) == "If" and node.parent is not None and node.parent.args.get("this") is not None:
        return
    comparing.condition(porting, node.this)


def _both(porting: Porting, node: Node) -> None:
    comparing.condition(porting, node.this)
    comparing.condition(porting, node.expression)


def _joined(porting: Porting, node: Node) -> None:
    comparing.condition(porting, node.args.get("on"))


def _limit(_porting: Porting, node: Node) -> None:
    clauses.limited(node)


def _regexp(porting: Porting, node: Node) -> None:
    porting.mark("REGEXP", node, "PostgreSQL writes it ~, with its own kind of patterns.")


def _match(porting: Porting, node: Node) -> None:
    porting.mark("MATCH", node, "PostgreSQL searches texts by tsvector and @@.")
    porting.stick("A full-text search: write it with to_tsvector() @@ websearch_to_tsquery().")


def _arrow(porting: Porting, node: Node) -> Node:
    porting.mark("JSON", node, "PostgreSQL's -> and ->> take a key, no path, of a document, no text.")
    parts = getattr(node.expression, "expressions", [])[1:]
    keys = [str(p.this) for p in parts if name_of(p) in ("JSONPathKey", "JSONPathSubscript")]
    if len(keys) < len(parts) or not all(k.replace("_", "a").isalnum() for k in keys):
        porting.stick("The path into the document is no plain list of keys.")
        return node
    scalar = name_of(node) == "JSONExtractScalar"
    pattern = "(_x::jsonb #>> _y)" if scalar else "(_x::jsonb #> _y)"
    return made(pattern, "text" if scalar else "json", x=node.this, y=text_of("{" + ",".join(keys) + "}"))


def _blob(_porting: Porting, node: Node) -> Node:
    return made("decode(_x, 'hex')", "blob", x=text_of(str(node.this)))


def _untyped(porting: Porting, node: Node) -> Node | None:
    """Give a parameter a type where nothing beside it has one."""
    if name_of(node.this) != "Placeholder" or not porting.spellings[int(node.this.name[1:]) - 1].startswith("${"):
        return None
    porting.mark("untyped parameter", node, "PostgreSQL asks for the type of a parameter that nothing gives one.")
    return made("_x::text IS NULL", "boolean", x=node.this)


_RULES: dict[str, Callable[[Porting, Node], Node | None]] = {
    "Anonymous": functions.ported,
    **dict.fromkeys(
        ("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "NullSafeEQ", "NullSafeNEQ", "In", "Between"), _done(comparing.compared)
    ),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Mod", "Neg"), clauses.arithmetic),
    "Like": comparing.like,
    "Glob": comparing.glob,
    "Collate": comparing.collated,
    "DPipe": _done(clauses.concatenated),
    "Cast": clauses.cast,
    **dict.fromkeys(("Where", "Having", "Not"), _done(_conditions)),
    **dict.fromkeys(("And", "Or"), _done(_both)),
    "If": _done(_conditions),
    "Join": _done(_joined),
    "Limit": _done(_limit),
    "RegexpLike": _done(_regexp),
    "Match": _done(_match),
    **dict.fromkeys(("JSONExtract", "JSONExtractScalar"), _arrow),
    "HexString": _blob,
    "Is": _untyped,
    "Case": _done(comparing.case),
    "Alias": _done(naming.alias),
}
_WRITES: dict[str, Callable[[Porting, Node], None]] = {
    "Insert": clauses.inserted,
    "Update": clauses.assigned,
    "Delete": clauses.few,
    "OnConflict": clauses.assigned,
}
