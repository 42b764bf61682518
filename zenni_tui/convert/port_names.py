"""Names in a query: PostgreSQL folds those without quotes to small letters; double quotes hold names only."""

from .port_nodes import Node, grammar, made, name_of, quoted_name, text_of
from .port_scope import ROWIDS
from .port_walk import Porting
from .translate_walk import folded

_NOW = frozenset({"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"})
_RESERVED = frozenset(
    word
    for line in (
        "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create",
        "current_catalog current_role current_user default deferrable desc distinct do else end except false fetch",
        "for foreign from grant group having in initially intersect into lateral leading limit localtime",
        "localtimestamp not null offset on only or order placing primary references returning select session_user",
        "some symmetric table then to trailing true union unique user using variadic when where window with",
    )
    for word in line.split()
)


def table(porting: Porting, node: Node) -> None:
    """Give a table the name it has in the target."""
    found = porting.names.carried(node)
    if found is None:
        name = folded(node.name)
        if name.startswith(("sqlite_", "pragma_")):
            porting.mark("SQLite's own table", node, "PostgreSQL has information_schema and pg_catalog instead.")
            porting.stick("It asks SQLite about its own schema; ask information_schema in PostgreSQL.")
        elif name.startswith(("json_each", "json_tree")):
            porting.mark("JSON", node, "PostgreSQL has jsonb_array_elements() and jsonb_each() instead.")
            porting.stick("Take a document apart with jsonb_array_elements() or jsonb_each().")
        return
    database = node.args.get("db")
    if database is not None:
        porting.mark("database", node, f"PostgreSQL has schemas; {database.name} is none of them.")
        node.set("db", None)
    node.set("indexed", None)
    if porting.schema:
        node.set("db", quoted_name(porting.schema))
    former = node.this
    named(porting, node, former, found.plan.source, found.plan.name)
    if not node.alias and former.name != found.plan.name and _qualifies(node):
        node.set("alias", _alias(former.name))


def _alias(name: str) -> Node:
    return grammar().TableAlias(this=quoted_name(name))


def _qualifies(node: Node) -> bool:
    """Return whether a column is named with the table's own name, which a new name would leave behind."""
    query = node.find_ancestor(grammar().Select)
    name = folded(node.name)
    return query is not None and any(folded(c.table) == name for c in query.find_all(grammar().Column))


def named(porting: Porting, node: Node, identifier: Node, source: str, target: str) -> None:
    """Write a name as the target has it, and note when the one in the code would not find it."""
    name = identifier.name
    if source != target and folded(source) != folded(target):
        porting.mark("renamed", node, f'It is called "{target}" in PostgreSQL.')
    elif identifier.args.get("quoted"):
        if name != target:
            porting.mark("case of a name", node, f'PostgreSQL tells capitals from small letters: "{target}".')
    elif name.lower() != target or target in _RESERVED:
        porting.mark("name without quotes", node, f'PostgreSQL reads {name.lower()}; the name is "{target}".')
    if identifier.args.get("quoted") or name.lower() != target or target in _RESERVED:
        identifier.replace(quoted_name(target))


def column(porting: Porting, node: Node) -> None:
    """Give a column its name in the target; a string in double quotes and the rowid are seen to."""
    identifier = node.this
    if name_of(identifier) == "Star":
        return
    found = porting.fields.get(id(node))
    if found is not None:
        named(porting, node, identifier, found.plan.source or "", found.plan.name)
        if node.args.get("table") is not None:
            _qualifier(porting, node)
        return
    if not identifier.args.get("quoted") and identifier.name.upper() in _NOW and not node.table:
        node.meta["kind"] = "instant"
    elif folded(identifier.name) in ROWIDS:
        _rowid(porting, node)
    elif identifier.args.get("quoted") and not node.table and not _is_known(porting, node):
        porting.mark("string in double quotes", node, "PostgreSQL takes double quotes for names only.")
        node.replace(text_of(identifier.name))
    else:
        _alias_named(node)


def _qualifier(porting: Porting, node: Node) -> None:
    """Quote a table's name before a column as the table itself is quoted."""
    table_name = node.args["table"]
    for relation in porting.names.candidates(node):
        if relation.carried is not None and folded(relation.carried.plan.source) == folded(table_name.name):
            exact = table_name.args.get("quoted") and table_name.name == relation.carried.plan.name
            if (
                exact
                or relation.carried.plan.name == table_name.name.lower()
                or relation.name != folded(table_name.name)
            ):
                return
            table_name.replace(quoted_name(relation.carried.plan.name))
            return


def _is_known(porting: Porting, node: Node) -> bool:
    return porting.names.known(node) or _meant(node) is not None


def _meant(node: Node) -> Node | None:
    """Return the alias of the query around a name that the name stands for."""
    query = node.find_ancestor(grammar().Select)
    if query is None:
        return None
    aliases = (e for e in query.expressions if name_of(e) == "Alias")
    return next((a for a in aliases if folded(a.alias) == folded(node.name)), None)


def _alias_named(node: Node) -> None:
    """Quote the name of an alias that is quoted itself, and put its expression where PostgreSQL knows no alias."""
    alias = _meant(node) if not node.table else None
    if alias is None:
        return
    clause = node
    while clause.parent is not None and name_of(clause.parent) != "Select":
        clause = clause.parent
    alone = name_of(node.parent) in ("Ordered", "Group")
    if name_of(clause) in ("Where", "Having") or not alone:
        node.meta["alias"] = alias
    else:
        node.this.replace(alias.args["alias"].copy())


def _rowid(porting: Porting, node: Node) -> None:
    porting.mark("rowid", node, "PostgreSQL's tables have no rowid.")
    tables = [r for r in porting.names.candidates(node) if r.carried is not None]
    alias = tables[0].carried.rowid if tables and tables[0].carried is not None else None
    if alias is None:
        porting.stick("rowid is in no column: name the key, or a column to order by, in its place.")
        return
    node.this.replace(quoted_name(alias.plan.name))
    porting.fields[id(node)] = alias


def spelled_out(porting: Porting, node: Node) -> None:
    """Put an alias's expression where it is named in WHERE or HAVING."""
    alias = node.meta.get("alias")
    if alias is not None:
        porting.mark("alias", node, "PostgreSQL knows an alias of the result alone, in GROUP BY and ORDER BY.")
        node.replace(made("(_x)", porting.kind(alias.this), x=alias.this))


def alias(porting: Porting, node: Node) -> None:
    """Quote an alias with capitals of the outermost result, which the code looks for."""
    identifier = node.args["alias"]
    select = node.parent
    outermost = name_of(select) == "Select" and select.parent is None
    if outermost and not identifier.args.get("quoted") and identifier.name != identifier.name.lower():
        porting.mark("alias without quotes", node, f"PostgreSQL names the column {identifier.name.lower()}.")
        for clause in (select.args.get(k) for k in ("order", "group", "having") if select.args.get(k) is not None):
            for named_so in clause.find_all(grammar().Column):
                if not named_so.table and folded(named_so.name) == folded(identifier.name):
                    named_so.this.replace(quoted_name(identifier.name))
        identifier.replace(quoted_name(identifier.name))
