"""SQLite's functions in a query (https://sqlite.org/lang_corefunc.html), carried over by name."""

import re
from collections.abc import Callable

from . import port_dates as dates
from .port_nodes import Node, called, made, name_of, number, string, text_of
from .port_walk import NUMBERS, Porting
from .translate_source import Untranslatable

Function = Callable[[Porting, Node], Node | None]

SAME = frozenset(
    word
    for line in (
        "count sum avg min max coalesce nullif abs length lower upper trim ltrim rtrim replace substr substring concat",
        "concat_ws string_agg row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value",
        "nth_value sign ceil ceiling floor sqrt power pow exp ln log log10 mod pi sin cos tan asin acos atan atan2",
        "degrees radians trunc octet_length",
    )
    for word in line.split()
)
AGGREGATES = frozenset(
    {
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "total",
        "group_concat",
        "string_agg",
        "json_group_array",
        "json_group_object",
    }
)
_LOST: dict[str, str] = {
    "changes": "The driver tells how many rows a statement touched.",
    "total_changes": "The driver tells how many rows a statement touched.",
    "last_insert_rowid": 'Let the INSERT say it: RETURNING "id".',
    "typeof": "A PostgreSQL column has one type; there is nothing to ask.",
    "randomblob": "Use gen_random_uuid() for a key, or gen_random_bytes() of the extension pgcrypto.",
    "zeroblob": "PostgreSQL has no such value.",
    "json_valid": "PostgreSQL 16 writes it: value IS JSON.",
    "load_extension": "PostgreSQL has CREATE EXTENSION.",
    "sqlite_version": "PostgreSQL has version().",
}


def ported(porting: Porting, node: Node) -> Node | None:
    """Return a function call's PostgreSQL form, None when it can stay."""
    name = node.name.lower()
    if name in dates.NAMES:
        porting.mark("date function", node, "PostgreSQL has other date functions.")
        try:
            return dates.ported(porting, node)
        except Untranslatable as error:
            porting.stick(error.reason)
            return None
    rule = _RULES.get(name)
    if rule is not None and (node.expressions or name == "random"):
        return rule(porting, node)
    if name in _LOST:
        porting.mark("function", node, f"PostgreSQL has no {name}().")
        porting.stick(_LOST[name])
    elif name not in SAME:
        porting.unknown = True
        porting.mark("function", node, f"PostgreSQL may have no {name}().")
        porting.stick(f"{name}() has no form known here.")
    return None


def _first(node: Node) -> Node:
    return node.expressions[0]


def _renamed(to: str) -> Function:
    def rule(porting: Porting, node: Node) -> Node:
        porting.mark("function", node, f"PostgreSQL calls it {to}().")
        return called(to, *node.expressions, kind=porting.kind(node))

    return rule


def _coalesced(porting: Porting, node: Node) -> Node | None:
    """Give the values of a coalesce one type."""
    if node.name.lower() == "ifnull":
        porting.mark("IFNULL", node, "PostgreSQL calls it coalesce().")
    kinds = {porting.kind(e) for e in node.expressions}
    for each in list(node.expressions):
        value = number(each)
        if "boolean" in kinds and value in (0, 1):
            porting.mark("boolean", node, "PostgreSQL wants one type in coalesce().")
            each.replace(made("TRUE" if value else "FALSE", "boolean"))
        elif "text" in kinds and value is not None:
            porting.mark("text as number", node, "PostgreSQL wants one type in coalesce().")
            each.replace(text_of(each.name))
        elif kinds & {*NUMBERS, "instant"} and not (string(each) or "0").isdigit():
            porting.mark("mixed types", node, "PostgreSQL wants one type in coalesce().")
            for other in list(node.expressions):
                if other is not each and porting.kind(other) != "text":
                    other.replace(made("_x::text", "text", x=other))
    return called("coalesce", *node.expressions, kind=porting.kind(node))


def _iif(porting: Porting, node: Node) -> Node:
    porting.mark("iif", node, "PostgreSQL writes it CASE WHEN.")
    when, then, *rest = node.expressions
    parts = {"w": when, "t": then, **({"e": rest[0]} if rest else {})}
    pattern = f"CASE WHEN _w THEN _t {'ELSE _e' if rest else ''} END"
    return made(pattern, porting.kind(then), **parts)


def _instr(porting: Porting, node: Node) -> Node:
    porting.mark("function", node, "PostgreSQL calls it strpos().")
    return called("strpos", *node.expressions, kind="integer")


def _substr(porting: Porting, node: Node) -> Node | None:
    arguments = node.expressions
    start = number(arguments[1]) if len(arguments) > 1 else None
    if porting.kind(_first(node)) in (*NUMBERS, "instant"):
        porting.mark("number as text", node, "PostgreSQL takes parts of texts only.")
        _first(node).replace(made("_x::text", "text", x=_first(node)))
    if start is None or start > 0:
        return None
    porting.mark("substr", node, "PostgreSQL does not count from the end.")
    if len(arguments) == 2 and start < 0:  # noqa: PLR2004 - text and start
        return called("right", arguments[0], made(str(int(-start))), kind="text")
    porting.stick("substr() with a start before the text and a length has no form here.")
    return None


def _group_concat(porting: Porting, node: Node) -> Node:
    porting.mark("group_concat", node, "PostgreSQL calls it string_agg(), takes texts only, and wants a separator.")
    first = _first(node)
    separator = node.expressions[1] if len(node.expressions) > 1 else text_of(",")
    porting.lists.add(string(separator) or ",")
    if name_of(first) == "Distinct":
        text = _as_text(porting, first.expressions[0])
        return made("string_agg(DISTINCT _x, _s)", "text", x=text, s=separator)
    return made("string_agg(_x, _s)", "text", x=_as_text(porting, first), s=separator)


def _as_text(porting: Porting, node: Node) -> Node:
    if porting.kind(node) == "text":
        return node
    return made("_x::text", "text", x=porting.as_number(node))


def _total(porting: Porting, node: Node) -> Node:
    porting.mark("total", node, "PostgreSQL has sum(), which is NULL without rows.")
    return made("coalesce(sum(_x), 0)::double precision", "real", x=_counted(porting, _first(node)))


def _counted(porting: Porting, node: Node) -> Node:
    if porting.kind(node) == "instant":
        return dates.millis(node)
    return porting.as_number(node)


def _summed(porting: Porting, node: Node) -> Node | None:
    """Sum and average of truth values and dates count numbers."""
    inside = _first(node)
    inside = inside.expressions[0] if name_of(inside) == "Distinct" else inside
    kind = porting.kind(inside)
    if kind in ("boolean", "instant"):
        porting.mark(
            kind, node, f"PostgreSQL takes no {'sum of truth values' if kind == 'boolean' else 'sum of dates'}."
        )
        inside.replace(_counted(porting, inside))
    elif node.name.lower() == "avg" and kind != "real":
        porting.note("type of avg", node, "PostgreSQL's average of whole numbers is numeric: a Decimal in the code.")
    return None


def _extreme(porting: Porting, node: Node) -> Node | None:
    if len(node.expressions) > 1:
        to = "greatest" if node.name.lower() == "max" else "least"
        why = f"PostgreSQL calls it {to}(), and leaves out NULL where SQLite answers NULL."
        porting.mark("function", node, why)
        kind = porting.kind(node)
        made_call = called(to, *node.expressions, kind=kind)
        for each in (e for e in node.expressions if not _is_there(porting, e)):
            made_call = made("CASE WHEN NOT _x IS NULL THEN _c END", kind, x=each, c=made_call)
        return made_call
    if porting.kind(_first(node)) == "boolean":
        porting.mark("boolean", node, "PostgreSQL has no greatest or least truth value.")
        _first(node).replace(porting.as_number(_first(node)))
    return None


def _is_there(porting: Porting, node: Node) -> bool:
    """Return whether a value is surely not NULL."""
    found = porting.field_of(node)
    return (found is not None and found.plan.not_null) or porting.is_constant(node)


def _rounded(porting: Porting, node: Node) -> Node | None:
    first = _first(node)
    if len(node.expressions) == 1 and porting.kind(first) in ("integer", "numeric"):
        return None
    porting.mark("round", node, "PostgreSQL rounds digits of numeric only, and halves of doubles to even.")
    if len(node.expressions) == 1:
        return made("round(_x::numeric)::double precision", "real", x=first)
    return made("round(_x::numeric, _y)::double precision", "real", x=first, y=node.expressions[1])


def _random(porting: Porting, node: Node) -> Node | None:
    porting.random = True
    if name_of(node.parent) == "Ordered":
        return None
    porting.mark("random", node, "PostgreSQL's random() is between 0 and 1; SQLite's is a whole number of 64 bits.")
    return made("floor(random() * 9223372036854775807)::bigint", "integer")


_FORMAT = re.compile(r"%(0?)(\d*)(?:\.(\d+))?([dsf%])|%")


def _printf(porting: Porting, node: Node) -> Node | None:
    porting.mark("printf", node, "PostgreSQL's format() knows %s only.")
    pattern = string(_first(node))
    if pattern is None:
        porting.stick("The pattern of printf comes at run time.")
        return None
    pieces: list[Node] = []
    values, end = list(node.expressions[1:]), 0
    for match in _FORMAT.finditer(pattern):
        if match[4] is None or (match[4] != "%" and not values):
            porting.stick(f"The pattern {pattern!r} of printf has no form here.")
            return None
        pieces += [text_of(pattern[end : match.start()])] if match.start() > end else []
        pieces.append(text_of("%") if match[4] == "%" else _printed(porting, match, values.pop(0)))
        end = match.end()
    pieces += [text_of(pattern[end:])] if end < len(pattern) else []
    return _joined(pieces)


def _printed(porting: Porting, match: "re.Match[str]", value: Node) -> Node:
    zero, width, digits, kind = match.groups()
    if kind == "s":
        text = _as_text(porting, value)
    elif kind == "d":
        text = made("trunc(_x)::bigint::text", "text", x=value)
    else:
        text = made(f"round(_x::numeric, {digits or 6})::text", "text", x=value)
    return made(f"lpad(_x, {width}, '{'0' if zero else ' '}')", "text", x=text) if width else text


def _joined(pieces: list[Node]) -> Node:
    whole = pieces[0] if pieces else text_of("")
    for piece in pieces[1:]:
        whole = made("_x || _y", "text", x=whole, y=piece)
    return whole


def _path(text: str) -> str | None:
    """Return a JSON path of SQLite's as PostgreSQL's array of keys, None for one with more than keys and numbers."""
    if not re.fullmatch(r"\$(?:\.[\w-]+|\[\d+\])*", text):
        return None
    return "{" + ",".join(re.findall(r"[\w-]+", text[1:])) + "}"


def _json_extract(porting: Porting, node: Node) -> Node | None:
    porting.mark("JSON", node, "PostgreSQL takes a part of a document by #>> and an array of keys.")
    path = _path(string(node.expressions[1]) or "") if len(node.expressions) == 2 else None  # noqa: PLR2004 - document and path
    if path is None:
        porting.stick("The path into the document is no plain list of keys.")
        return None
    return made("(_x::jsonb #>> _y)", "text", x=_first(node), y=text_of(path))


def _document(pattern: str, kind: str | None = None) -> Function:
    def rule(porting: Porting, node: Node) -> Node:
        porting.mark("JSON", node, "PostgreSQL has other functions for documents.")
        return made(pattern, kind, x=_first(node))

    return rule


def _likely(porting: Porting, node: Node) -> Node:
    porting.mark("function", node, f"PostgreSQL has no {node.name.lower()}().")
    return _first(node)


def _char(porting: Porting, node: Node) -> Node:
    porting.mark("function", node, "PostgreSQL calls it chr(), for one character.")
    return _joined([called("chr", e) for e in node.expressions])


def _hex(porting: Porting, node: Node) -> Node:
    porting.mark("function", node, "PostgreSQL calls it encode().")
    pattern = (
        "upper(encode(_x, 'hex'))"
        if porting.kind(_first(node)) == "blob"
        else "upper(encode(convert_to(_x, 'UTF8'), 'hex'))"
    )
    return made(pattern, "text", x=_first(node))


_RULES: dict[str, Function] = {
    "ifnull": _coalesced,
    "coalesce": _coalesced,
    **dict.fromkeys(("iif", "if"), _iif),
    "instr": _instr,
    **dict.fromkeys(("substr", "substring"), _substr),
    "group_concat": _group_concat,
    "total": _total,
    **dict.fromkeys(("sum", "avg"), _summed),
    **dict.fromkeys(("max", "min"), _extreme),
    "round": _rounded,
    "random": _random,
    **dict.fromkeys(("printf", "format"), _printf),
    "json_extract": _json_extract,
    "json": _document("_x::jsonb", "json"),
    "json_array_length": _document("jsonb_array_length(_x::jsonb)", "integer"),
    "json_group_array": _document("json_agg(_x)"),
    "json_object": _renamed("json_build_object"),
    "json_array": _renamed("json_build_array"),
    "json_group_object": _renamed("json_object_agg"),
    **dict.fromkeys(("likely", "unlikely", "likelihood"), _likely),
    "char": _char,
    "hex": _hex,
    "unicode": _renamed("ascii"),
    "quote": _renamed("quote_nullable"),
}
