"""Comparisons and conditions of a query: where SQLite compares loosely, and PostgreSQL by types."""

import datetime as dt
import re

from zenni_tui.model.plan import Epoch

from .port_dates import bare, from_millis
from .port_nodes import Node, called, grammar, is_number, made, name_of, number, quoted_name, string, text_of, truth_of
from .port_scope import Field
from .port_walk import NUMBERS, Porting

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_DATED = re.compile(r"\d{4}-\d\d-\d\d")
_COUNTED = re.compile(r"getTime\(|Date\.now\(|toISOString\(|valueOf\(|Number\(|\.getUTC|Math\.")
_BOOLEAN = "The column is boolean in PostgreSQL, which compares it with TRUE and FALSE only."
_DATE = "The column is a timestamp in PostgreSQL, no number."
COMPARISONS = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "In")
_TEXT = "PostgreSQL compares no text with a number."


def compared(porting: Porting, node: Node) -> None:
    """Carry over a comparison, an IN or a BETWEEN."""
    if name_of(node.parent) in ("Update", "OnConflict") and node.arg_key == "expressions":
        return
    if name_of(node) == "In" and not node.expressions and node.args.get("query") is None:
        porting.mark("IN ()", node, "PostgreSQL knows no empty list.")
        node.replace(truth_of(value=False))
        return
    _by_language(porting, node)
    pairs = {"In": ("expressions",), "Between": ("low", "high")}.get(name_of(node), ("expression",))
    _fold_sides(porting, node)
    for part in pairs:
        others = node.args.get(part) or []
        for other in others if isinstance(others, list) else [others]:
            _side(porting, node, node.this, other)
            if part == "expression":
                _side(porting, node, node.args["expression"], node.this)
    if name_of(node) in ("NullSafeEQ", "NullSafeNEQ"):
        _is(porting, node)


def _by_language(porting: Porting, node: Node) -> None:
    """Note where texts are compared by their order, which is the database's."""
    ordering = name_of(node) in ("LT", "LTE", "GT", "GTE", "Between")
    if ordering and porting.kind(node.this) == "text" and porting.field_of(node.this) is not None:
        porting.note("order of texts", node, "SQLite compares by bytes, PostgreSQL by the database's language.")


def _is(porting: Porting, node: Node) -> None:
    if name_of(node.expression) != "Null":
        porting.mark("IS", node, "In PostgreSQL IS stands before NULL, TRUE and FALSE only: IS NOT DISTINCT FROM.")


def _side(porting: Porting, whole: Node, one: Node, other: Node) -> None:
    """Change what is compared with a value of a known kind, as its kind asks for."""
    changed = adapted(porting, whole, one, other)
    if changed is not None:
        other.replace(changed)


def adapted(porting: Porting, whole: Node, one: Node, other: Node) -> Node | None:
    """Return the form of a value beside one of a known kind, None when it can stay."""
    kind = porting.kind(one)
    if _apart(porting, one, other):
        porting.mark(
            "unlike types", whole, "PostgreSQL compares like with like only, where SQLite orders any two values."
        )
        porting.stick("Compare values of one type, or cast one of them.")
        return None
    if kind == "boolean":
        return _with_boolean(porting, whole, one, other)
    if kind == "instant":
        return _with_instant(porting, whole, one, other)
    if kind == "text":
        return _with_text(porting, whole, one, other)
    if kind in NUMBERS:
        return _with_number(porting, whole, other)
    return None


_APART = frozenset(
    frozenset(pair)
    for pair in (
        ("instant", "text"),
        ("boolean", "text"),
        ("boolean", "instant"),
        ("blob", "text"),
        ("blob", "integer"),
        ("blob", "real"),
    )
)
"""Kinds of columns of which PostgreSQL compares none with the other, and no cast is sure to be meant."""


def _apart(porting: Porting, one: Node, other: Node) -> bool:
    columns = porting.field_of(one) is not None and porting.field_of(other) is not None
    return columns and frozenset((porting.kind(one), porting.kind(other))) in _APART


def _with_boolean(porting: Porting, whole: Node, one: Node, other: Node) -> Node | None:
    value = number(other)
    if value in (0, 1):
        porting.mark("boolean", whole, _BOOLEAN)
        return truth_of(bool(value))
    if value is not None or porting.kind(other) in NUMBERS:
        porting.mark("boolean", whole, _BOOLEAN)
        one.replace(porting.as_number(one))
    elif string(other) is not None:
        porting.mark("boolean as text", whole, "SQLite's 1 equals no text; PostgreSQL may read it as TRUE or FALSE.")
        porting.stick("Compare with TRUE or FALSE, as it is meant.")
    return None


def _with_instant(porting: Porting, whole: Node, one: Node, other: Node) -> Node | None:
    found = porting.field_of(one)
    zoned = porting.zoned(one)
    if is_number(other):
        porting.mark("date as number", whole, _DATE)
        return _moment(other, found, zoned=zoned)
    inner = bare(other)
    stamp = inner.meta.get("instant")
    if stamp is not None:
        return made("(_x AT TIME ZONE 'UTC')", "instant", x=stamp) if zoned else stamp
    if porting.kind(other) in NUMBERS or inner.meta.get("millis") is not None:
        porting.mark("date as number", whole, _DATE)
        return from_millis(porting, inner, zoned=zoned)
    if name_of(other) == "Placeholder":
        _date_parameter(porting, other)
    elif _is_text(other) and found is not None and found.held.numbers is not None:
        porting.mark(
            "date as text",
            whole,
            "SQLite holds numbers here, and every number is less than every text; PostgreSQL compares dates.",
        )
    return None


def _is_text(node: Node) -> bool:
    """Return whether SQLite sees a text: a string, or the present moment."""
    return string(node) is not None or (name_of(node) == "Column" and node.meta.get("kind") == "instant")


def _date_parameter(porting: Porting, node: Node) -> None:
    spelled = porting.spellings[int(node.name[1:]) - 1]
    if _COUNTED.search(spelled):
        porting.mark("date parameter", node, f"{spelled} is a number or a text; hand over the Date itself.")


def _moment(node: Node, found: Field | None, *, zoned: bool) -> Node:
    epoch = found.held.numbers if found is not None else None
    value = number(node) or 0
    seconds = value if epoch is Epoch.SECONDS else value / 1000
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return from_number(node, zoned=zoned)
    text = at.strftime("%Y-%m-%d %H:%M:%S") + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")
    return made("_x::timestamptz" if zoned else "_x::timestamp", "instant", x=text_of(text + "+00" * zoned))


def from_number(node: Node, *, zoned: bool) -> Node:
    """Return the instant of a number of milliseconds that is beyond the calendar."""
    return made(
        "to_timestamp(_x / 1000.0)" if zoned else "(to_timestamp(_x / 1000.0) AT TIME ZONE 'UTC')", "instant", x=node
    )


def _with_text(porting: Porting, whole: Node, one: Node, other: Node) -> Node | None:
    if porting.field_of(one) is None and porting.kind(other) not in NUMBERS:
        return None
    if is_number(other):
        porting.mark("text as number", whole, _TEXT)
        return text_of(str(number(other)))
    if porting.kind(other) in NUMBERS and porting.field_of(one) is not None:
        porting.mark("text as number", whole, _TEXT)
        return made("_x::text", "text", x=other)
    return None


def _with_number(porting: Porting, whole: Node, other: Node) -> Node | None:
    text = string(other)
    if text is not None and _NUMBER.fullmatch(text) is None:
        porting.mark("number as text", whole, _TEXT)
        porting.stick("A number is compared with a text that is none: in SQLite never equal, in PostgreSQL an error.")
    return None


def _fold_sides(porting: Porting, node: Node) -> None:
    """Compare without case where a side says COLLATE NOCASE, or its column does."""
    if name_of(node) not in COMPARISONS:
        return
    members = list(node.expressions) if name_of(node) == "In" else [node.args["expression"]]
    sides = [node.this, *members]
    said = {s.args["expression"].name.upper() for s in sides if name_of(s) == "Collate"}
    own = {f.held.collation for s in sides if (f := porting.field_of(s)) is not None}
    if "NOCASE" not in (said or own):
        return
    if not said:
        porting.mark("NOCASE", node, "The column compares without case in SQLite, with case in PostgreSQL.")
    for side in sides:
        inside = side.this if name_of(side) == "Collate" else side
        text = made("_x::text", "text", x=inside) if porting.kind(inside) in NUMBERS else inside
        side.replace(called("lower", text, kind="text"))


def collated(porting: Porting, node: Node) -> Node:
    """Return what stands for COLLATE elsewhere than in a comparison."""
    name = node.args["expression"].name.upper()
    if name == "NOCASE" and name_of(node.parent) in COMPARISONS:
        return node
    if name == "NOCASE":
        return called("lower", node.this, kind="text")
    if name == "RTRIM":
        return called("rtrim", node.this, kind="text")
    if name == "BINARY":
        node.args["expression"].replace(quoted_name("C"))
    else:
        porting.stick(f"The collation {name} belongs to the application.")
    return node


def case(porting: Porting, node: Node) -> None:
    """Carry over CASE x WHEN y, which compares."""
    values = [i.args["true"] for i in node.args["ifs"]] + [d for d in (node.args.get("default"),) if d is not None]
    kinds = {porting.kind(v) for v in values if name_of(v) != "Null"}
    if "text" in kinds and kinds & {*NUMBERS, "boolean", "instant"}:
        porting.mark("mixed types", node, "PostgreSQL wants one type in all branches of CASE.")
        porting.stick("Give all branches of the CASE one type.")
    if node.args.get("this") is None:
        return
    for branch in node.args["ifs"]:
        _side(porting, node, node.this, branch.this)


def condition(porting: Porting, node: Node | None) -> None:
    """Make a truth value of a number that stands where a condition is meant."""
    if node is None:
        return
    value = number(node)
    if value is not None:
        porting.mark("number as condition", node, "PostgreSQL takes no number for a condition.")
        node.replace(truth_of(bool(value)))
    elif porting.kind(node) in NUMBERS:
        porting.mark("number as condition", node, "PostgreSQL takes no number for a condition.")
        node.replace(made("(_x <> 0)", "boolean", x=node))
    elif porting.kind(node) in ("text", "instant", "clock", "blob", "json"):
        porting.mark("value as condition", node, "PostgreSQL takes truth values only for a condition.")
        porting.stick("Say what is asked of the value: IS NOT NULL, <> ''.")


def like(porting: Porting, node: Node) -> Node:
    """Return a LIKE that disregards case as SQLite's does (A to Z)."""
    pattern = string(node.expression)
    kind = porting.kind(node.this)
    if kind == "instant":
        porting.mark("date as text", node, "The column is a timestamp in PostgreSQL, no text.")
        subject = called("to_char", node.this, text_of('YYYY-MM-DD"T"HH24:MI:SS.MS'), kind="text")
        node.this.replace(subject)
    elif kind in (*NUMBERS, "boolean"):
        porting.mark("number as text", node, "PostgreSQL's LIKE takes texts only.")
        node.this.replace(made("_x::text", "text", x=node.this))
    if pattern is not None and not re.search(r"[^\W\d_]", pattern):
        return _unescaped(porting, node, node.copy()) if "\\" in pattern else node
    porting.mark("LIKE", node, "SQLite's LIKE disregards the case of A to Z; PostgreSQL's does not: ILIKE.")
    negate = node.args.get("negate")
    if porting.exact:
        sides = (made('lower(_x COLLATE "C")', "text", x=s) for s in (node.this, node.expression))
        return _unescaped(porting, node, grammar().Like(this=next(sides), expression=next(sides), negate=negate))
    made_like = grammar().ILike(this=node.this.copy(), expression=node.expression.copy(), negate=negate)
    return _unescaped(porting, node, made_like)


def _unescaped(porting: Porting, node: Node, made_like: Node) -> Node:
    """Let a backslash in a pattern be itself, as it is in SQLite without ESCAPE."""
    if "\\" not in (string(node.expression) or "") or name_of(node.parent) == "Escape":
        return made_like
    porting.mark("backslash", node, "In PostgreSQL's LIKE a backslash makes the next character itself.")
    return grammar().Escape(this=made_like, expression=text_of(""))


def glob(porting: Porting, node: Node) -> Node:
    """Return a LIKE, or a regular expression, for a GLOB."""
    porting.mark("GLOB", node, "PostgreSQL has no GLOB.")
    pattern = string(node.expression)
    if pattern is None:
        porting.stick("The pattern of GLOB comes at run time: make it one of LIKE in the code (* is %, ? is _).")
        return node
    if "[" not in pattern:
        escaped = re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%").replace("?", "_")
        made_like: Node = grammar().Like(this=node.this.copy(), expression=text_of(escaped))
    else:
        made_like = grammar().RegexpLike(this=node.this.copy(), expression=text_of(_regular(pattern)))
    return grammar().Not(this=made_like) if node.args.get("negate") else made_like


def _regular(pattern: str) -> str:
    parts = re.findall(r"\[\^?\]?[^\]]*\]|.", pattern, re.DOTALL)
    shown = {"*": ".*", "?": "."}
    return "^" + "".join(p if len(p) > 1 else shown.get(p) or re.escape(p) for p in parts) + "$"
