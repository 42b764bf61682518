"""The clauses of a query: what PostgreSQL groups, orders, limits and stores otherwise than SQLite."""

from collections.abc import Iterator

from . import port_functions as functions
from .port_compare import adapted
from .port_dates import NAMES, millis, product
from .port_nodes import Node, grammar, made, name_of, number, string
from .port_scope import Carried, Field
from .port_walk import NUMBERS, Porting
from .translate_walk import folded

_AGGREGATED = "A column is neither grouped by nor aggregated; SQLite takes it from any row, PostgreSQL refuses it."
_RECKONED = "The column is a timestamp in PostgreSQL; what is reckoned with is its number."


def arithmetic(porting: Porting, node: Node) -> Node | None:
    """Reckon with dates as milliseconds and with truth values as 0 and 1, as SQLite does."""
    found = product(node.this, node.expression) if name_of(node) == "Mul" else None
    sides = [s for s in (node.this, node.args.get("expression")) if s is not None]
    if found is not None:
        node.meta["millis"] = found
        for side in (s for s in sides if porting.kind(s) == "text"):
            side.replace(made("_x::bigint", "integer", x=side))
        return None
    for side in sides:
        _reckoned(porting, node, side)
    if name_of(node) == "Div":
        _divided(porting, node)
    if name_of(node) == "Mod" and "real" in (porting.kind(node.this), porting.kind(node.expression)):
        porting.mark("remainder", node, "PostgreSQL has no remainder of doubles; SQLite takes their whole parts.")
        return made("(trunc(_x)::bigint % trunc(_y)::bigint)", "integer", x=node.this, y=node.expression)
    return None


def _reckoned(porting: Porting, node: Node, side: Node) -> None:
    """Make a number of one side of an operation."""
    kind = porting.kind(side)
    if kind == "instant":
        if name_of(node.parent) != "Anonymous" or node.parent.name.lower() not in NAMES:
            porting.mark("date as number", node, _RECKONED)
        side.replace(millis(side))
    elif kind == "boolean":
        porting.mark("boolean", node, "PostgreSQL does not reckon with truth values.")
        side.replace(porting.as_number(side))
    elif kind == "text" and name_of(node) != "Neg":
        porting.mark("text as number", node, "PostgreSQL does not reckon with texts.")
        side.replace(made("_x::numeric", "numeric", x=side))


def _divided(porting: Porting, node: Node) -> None:
    divisor = node.expression
    # SQLite divides whole numbers as PostgreSQL does; sqlglot would write its care for a zero into every division.
    node.set("safe", value=False)
    stamp = node.this.meta.get("millis")
    if stamp is not None and number(divisor) == 1000:  # noqa: PLR2004 - milliseconds of a second
        node.meta["seconds"] = stamp
    if number(divisor) is None and not _guarded(divisor):
        porting.note(
            "division", node, "PostgreSQL refuses a division by zero, where SQLite answers NULL: nullif(…, 0)."
        )
        divisor.replace(made("nullif(_x, 0)", porting.kind(divisor), x=divisor))


def _guarded(divisor: Node) -> bool:
    return name_of(divisor) == "Anonymous" and divisor.name.lower() == "nullif"


def concatenated(porting: Porting, node: Node) -> None:
    """Make texts of what stands beside ||."""
    for side in (node.this, node.expression):
        kind = porting.kind(side)
        if kind in ("boolean", "instant"):
            porting.mark(f"{kind} as text", node, "PostgreSQL spells it otherwise than SQLite.")
            side.replace(porting.as_number(side) if kind == "boolean" else millis(side))
    if all(porting.kind(s) in NUMBERS for s in (node.this, node.expression)):
        porting.mark("number as text", node, "PostgreSQL's || takes a text on one side.")
        node.this.replace(made("_x::text", "text", x=node.this))


def cast(porting: Porting, node: Node) -> Node | None:
    """Carry over a CAST."""
    to, kind = node.args["to"].this.name, porting.kind(node.this)
    whole = to in ("INT", "BIGINT")
    if whole and kind in ("real", "numeric"):
        porting.mark("CAST", node, "PostgreSQL rounds; SQLite cuts off.")
        return made("trunc(_x)::bigint", "integer", x=node.this)
    if kind == "instant" and (whole or to in ("TEXT", "DOUBLE", "DECIMAL")):
        porting.mark("date as number", node, "The column is a timestamp in PostgreSQL, no number.")
        node.this.replace(millis(node.this))
    elif kind == "boolean" and to in ("TEXT", "DOUBLE", "DECIMAL"):
        porting.mark("boolean", node, "PostgreSQL spells it true and false.")
        node.this.replace(porting.as_number(node.this))
    elif to in ("DATETIME", "BLOB", "VARBINARY"):
        porting.mark("CAST", node, f"PostgreSQL has no type {to.lower()}.")
    elif kind == "text" and porting.field_of(node.this) is not None and (whole or to in ("DOUBLE", "DECIMAL")):
        porting.note(
            "CAST", node, "PostgreSQL refuses a text that is no number; SQLite takes what it begins with, or 0."
        )
    return None


def ordered(porting: Porting, node: Node, *, said: bool) -> None:
    """See to the place of NULL in an order; `said` tells that the query names it."""
    if name_of(node.parent) == "OnConflict":
        return
    if string(node.this) is not None:
        # A misspelled name: SQLite orders by the text of it, which is the same for all rows.
        order = node.parent
        node.pop()
        if not order.expressions:
            order.pop()
        return
    found = porting.field_of(node.this)
    place = number(node.this) is not None
    if (found is not None and found.plan.not_null) or (found is None and not place):
        node.set("nulls_first", value=bool(node.args.get("desc")))
    elif found is not None and not said:
        why = "SQLite puts NULL before all values, PostgreSQL behind them."
        if porting.kind(node.this) is not None and _limited(node):
            porting.mark("order of NULL", node, why)
        else:
            porting.note("order of NULL", node, why)
    key = found.table.key if found is not None else None
    named = key is not None and found is not None and found.plan.name in key.columns
    if found is not None and porting.kind(node.this) == "text" and not named:
        porting.note("order of texts", node, "SQLite orders by bytes, PostgreSQL by the database's language.")


def _limited(node: Node) -> bool:
    query = node.parent.parent if node.parent is not None else None
    return query is not None and query.args.get("limit") is not None


def limited(node: Node) -> None:
    """Leave out a negative LIMIT."""
    value = number(node.expression)
    if value is not None and value < 0:
        node.pop()


def grouped(porting: Porting, node: Node) -> None:
    """See that each column of a grouped result is grouped by, aggregated, or decided by a key."""
    group = node.args.get("group")
    if group is None and not any(_aggregates(e) for e in node.expressions):
        if node.args.get("having") is not None:
            porting.mark("HAVING", node.args["having"], "PostgreSQL takes HAVING with groups only: WHERE.")
            porting.stick("HAVING without GROUP BY: write WHERE.")
        return
    keys = [_key(porting, node, k) for k in (group.expressions if group is not None else ())]
    fields = [f for k in keys if (f := porting.field_of(k)) is not None]
    texts = {porting.text(k) for k in keys}
    clauses = [node.args[k] for k in ("having", "order") if node.args.get(k) is not None]
    named = {folded(e.alias) for e in node.expressions if name_of(e) == "Alias"}
    places = [*node.expressions, *clauses]
    for bare in (c for e in places for c in _bare(e, texts, porting)):
        found = porting.field_of(bare)
        meant = not bare.table and folded(bare.name) in named and bare.find_ancestor(grammar().Order) is not None
        if found is not None and not meant and not _decided(found, fields):
            porting.mark("bare column", bare, _AGGREGATED)
            porting.stick(f'Group by "{found.plan.name}" too, or say which value is wanted: min(), max().')


def _key(porting: Porting, node: Node, key: Node) -> Node:
    value = number(key)
    if value is not None and 1 <= value <= len(node.expressions):
        key = node.expressions[int(value) - 1]
    elif name_of(key) == "Column" and porting.field_of(key) is None:
        meant = [e for e in node.expressions if name_of(e) == "Alias" and folded(e.alias) == folded(key.name)]
        key = meant[0] if meant else key
    return key.this if name_of(key) == "Alias" else key


def _aggregates(node: Node) -> bool:
    return any(_is_aggregate(n) for n in node.walk(prune=_inner))


def _is_aggregate(node: Node) -> bool:
    called = name_of(node) == "Anonymous" and node.name.lower() in functions.AGGREGATES
    several = called and node.name.lower() in ("min", "max") and len(node.expressions) > 1
    return called and not several and name_of(node.parent) != "Window" and not _windowed(node)


def _windowed(node: Node) -> bool:
    return name_of(node.parent) == "Filter" and name_of(node.parent.parent) == "Window"


def _inner(node: Node) -> bool:
    return name_of(node) in ("Select", "Subquery", "Window")


def _bare(node: Node, texts: set[str], porting: Porting) -> Iterator[Node]:
    """Yield the columns of an expression that stand outside aggregates and outside what is grouped by."""
    bare = node.this if name_of(node) == "Alias" else node
    if _is_aggregate(bare) or _inner(bare) or porting.text(bare) in texts or name_of(bare) == "Filter":
        return
    if name_of(bare) == "Column":
        yield bare
        return
    for child in bare.iter_expressions():
        yield from _bare(child, texts, porting)


def _decided(found: Field, groups: list[Field]) -> bool:
    if found in groups:
        return True
    key = found.table.key
    named = {g.plan.name for g in groups if g.table is found.table}
    return key is not None and set(key.columns) <= named


def inserted(porting: Porting, node: Node) -> None:
    """Carry over an INSERT: its conflict clause, and values of another kind than their columns."""
    target = node.this.this if name_of(node.this) == "Schema" else node.this
    found = porting.names.carried(target)
    named = [e.name for e in node.this.expressions] if name_of(node.this) == "Schema" else None
    if found is not None:
        names = [folded(n) for n in named] if named is not None else list(found.fields)
        columns = [found.fields.get(n) for n in names]
        _values(porting, node, columns)
        if name_of(node.this) == "Schema":
            for each in node.this.expressions:
                _column_named(porting, each, found)
        _alternative(porting, node, found, [c for c in columns if c is not None])
    conflict = node.args.get("conflict")
    if conflict is not None and not conflict.args.get("conflict_keys") and conflict.expressions:
        porting.mark("ON CONFLICT", conflict, "PostgreSQL asks on which columns rows collide before DO UPDATE.")
        porting.stick("Say on which unique columns rows collide: ON CONFLICT (…) DO UPDATE SET ….")
    if conflict is not None:
        for key in conflict.args.get("conflict_keys") or ():
            if name_of(key) == "Ordered":
                key.replace(key.this)


def _column_named(porting: Porting, node: Node, found: Carried) -> None:
    from .port_names import named  # noqa: PLC0415 - names and clauses know each other

    column = found.fields.get(folded(node.name))
    if column is not None:
        named(porting, node, node, column.plan.source or "", column.plan.name)


def _values(porting: Porting, node: Node, columns: list[Field | None]) -> None:
    values = node.expression
    rows = values.expressions if name_of(values) == "Values" else []
    for row in rows:
        for field, value in zip(columns, list(row.expressions), strict=False):
            if field is not None:
                stored(porting, value, field)


def stored(porting: Porting, value: Node, field: Field) -> None:
    """Change a value that is stored in a column of another kind."""
    changed = adapted(porting, value, column_of(porting, field), value)
    if changed is not None and changed is not value:
        value.replace(changed)


def column_of(porting: Porting, field: Field) -> Node:
    """Return a node that stands for a column, for rules about kinds."""
    from .port_nodes import quoted_name  # noqa: PLC0415 - used here only

    node = made("_x", None)
    node.set("this", quoted_name(field.plan.name))
    porting.fields[id(node)] = field
    porting.kept.append(node)
    return node


def _alternative(porting: Porting, node: Node, found: Carried, columns: list[Field]) -> None:
    word = (node.args.get("alternative") or "").upper()
    if not word:
        return
    porting.mark(f"INSERT OR {word}", node, "PostgreSQL writes it INSERT … ON CONFLICT.")
    node.set("alternative", None)
    if word == "IGNORE":
        node.set("conflict", _conflict((), ()))
        return
    key = found.plan.key.columns if found.plan.key is not None else ()
    named = [c.plan.name for c in columns]
    if word != "REPLACE":
        porting.stick(f"INSERT OR {word} decides about the transaction; PostgreSQL has no word for that.")
    elif not key or not set(key) <= set(named):
        porting.stick("Say on which unique columns rows collide: ON CONFLICT (…) DO UPDATE SET ….")
    else:
        rest = [n for n in named if n not in key]
        porting.note(
            "REPLACE",
            node,
            "REPLACE deletes the old row first; ON CONFLICT keeps its other columns, and what refers to it.",
        )
        node.set("conflict", _conflict(key, rest))


def _conflict(key: tuple[str, ...], rest: list[str] | tuple[()]) -> Node:
    import sqlglot  # noqa: PLC0415 - it takes a tenth of a second to import

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    keys = f" ({', '.join(map(quoted, key))})" if key else ""
    sets = ", ".join(f"{quoted(n)} = EXCLUDED.{quoted(n)}" for n in rest)
    action = f"DO UPDATE SET {sets}" if rest else "DO NOTHING"
    whole = sqlglot.parse_one(f"INSERT INTO t VALUES (1) ON CONFLICT{keys} {action}", dialect="postgres")  # noqa: S608 - quoted names, for reading only
    conflict = whole.args["conflict"]
    for each in conflict.args.get("conflict_keys") or ():
        if name_of(each) == "Ordered":
            each.replace(each.this)
    return conflict


def few(porting: Porting, node: Node) -> None:
    """See to an UPDATE or DELETE of some rows only."""
    if node.args.get("limit") is not None or node.args.get("order") is not None:
        porting.mark("LIMIT of a write", node, "PostgreSQL's UPDATE and DELETE take no ORDER BY and no LIMIT.")
        porting.stick("Write: WHERE ctid IN (SELECT ctid FROM … WHERE … ORDER BY … LIMIT …).")


def assigned(porting: Porting, node: Node) -> None:
    """Carry over the SET of an UPDATE."""
    few(porting, node)
    for each in node.expressions:
        field = porting.field_of(each.this) if name_of(each) == "EQ" else None
        if field is not None:
            stored(porting, each.expression, field)
            # PostgreSQL takes no table's name before a column that is set.
            each.this.set("table", None)
        if name_of(node) == "OnConflict":
            _qualified(porting, node, each.expression)


def _qualified(porting: Porting, node: Node, value: Node) -> None:
    """Say of which row a column is that ON CONFLICT DO UPDATE reads: the old one, where SQLite needs no word."""
    insert = node.find_ancestor(grammar().Insert)
    target = insert.this.this if name_of(insert.this) == "Schema" else insert.this
    for column in list(value.find_all(grammar().Column)):
        if not column.table and porting.field_of(column) is not None:
            porting.mark("ambiguous column", column, "PostgreSQL asks whether the old row's or the new one's is meant.")
            column.set("table", (target.args["alias"].this if target.alias else target.this).copy())
