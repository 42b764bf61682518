"""SQLite's date functions in a query (https://sqlite.org/lang_datefunc.html) in PostgreSQL's words.

Dates are `timestamp` in UTC, as Prisma writes them; texts come out as SQLite spells them.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .port_nodes import Node, called, made, name_of, number, string, text_of
from .translate_source import Untranslatable

if TYPE_CHECKING:
    from .port_walk import Porting

NAMES = frozenset({"date", "time", "datetime", "julianday", "unixepoch", "strftime"})

_LATER = re.compile(r"([+-]?)\s*(\d{1,5}(?:\.\d+)?)\s+(second|minute|hour|day|month|year)s?", re.IGNORECASE)
_START = re.compile(r"start of (day|month|year)", re.IGNORECASE)
_WEEKDAY = re.compile(r"weekday ([0-6])", re.IGNORECASE)
_PARTS = {
    "Y": "YYYY",
    "m": "MM",
    "d": "DD",
    "H": "HH24",
    "M": "MI",
    "S": "SS",
    "f": "SS.MS",
    "j": "DDD",
    "F": "YYYY-MM-DD",
    "T": "HH24:MI:SS",
    "R": "HH24:MI",
}
_FORMS = {"date": "YYYY-MM-DD", "time": "HH24:MI:SS", "datetime": "YYYY-MM-DD HH24:MI:SS"}
_MILLIS = 1000
_JULIAN_1970 = "2440587.5"


def ported(porting: "Porting", node: Node) -> Node:
    """Return a date function's PostgreSQL form; raises Untranslatable for one that has none."""
    name, arguments = node.name.lower(), list(node.expressions)
    form = None
    if name == "strftime":
        form = string(arguments.pop(0)) if arguments else None
        if form is None:
            raise Untranslatable("The form of strftime is no constant.")
    moment = _moment(porting, arguments)
    if name == "julianday":
        return made(f"(extract(epoch FROM _x)::double precision / 86400 + {_JULIAN_1970})", "real", x=moment)
    if name == "unixepoch" or form == "%s":
        return _seconds(moment, text=form is not None)
    made_text = _formatted(form, moment) if form is not None else called("to_char", moment, text_of(_FORMS[name]))
    made_text.meta["kind"] = "text"
    if name in ("date", "datetime") or form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%fZ"):
        whole = name == "date" or form == "%Y-%m-%d"
        made_text.meta["instant"] = made("date_trunc('day', _x)", x=moment) if whole else moment
    return made_text


def _seconds(moment: Node, *, text: bool) -> Node:
    found = made("floor(extract(epoch FROM _x))::bigint", "integer", x=moment)
    if text:
        found = made("_x::text", "text", x=found)
    found.meta["seconds"] = moment
    return found


def _formatted(form: str, moment: Node) -> Node:
    """Return a text by strftime's form: to_char where it can, the other parts joined to it."""
    pieces: list[Node] = []
    pattern = ""
    for part in re.findall(r"%.|[^%]+|%", form):
        letter = part[1:] if part[0] == "%" else ""
        if letter in _PARTS:
            pattern += _PARTS[letter]
        elif letter == "%" or not letter:
            shown = "%" if letter else part
            pattern += '"' + shown.replace('"', "") + '"' if re.search(r"[A-Za-z%]", shown) else shown
        else:
            pieces += [called("to_char", moment, text_of(pattern))] if pattern else []
            pieces.append(_odd(letter, moment))
            pattern = ""
    pieces += [called("to_char", moment, text_of(pattern))] if pattern else []
    if not pieces:
        return text_of("")
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = made("_x || _y", x=whole, y=piece)
    return whole


def _odd(letter: str, moment: Node) -> Node:
    if letter == "w":
        return made("extract(dow FROM _x)::integer::text", x=moment)
    if letter == "u":
        return made("extract(isodow FROM _x)::integer::text", x=moment)
    if letter == "s":
        return made("floor(extract(epoch FROM _x))::bigint::text", x=moment)
    raise Untranslatable(f"%{letter} of strftime has no form here.")


def _moment(porting: "Porting", arguments: Sequence[Node]) -> Node:
    """Return the timestamp in UTC that a date function's arguments mean."""
    if not arguments or (string(arguments[0]) or "").lower() == "now":
        found, modifiers = now(), list(arguments[1:])
    else:
        found, modifiers = _start(porting, arguments[0], arguments[1:])
    for modifier in modifiers:
        found = _modified(found, modifier)
    return found


def now() -> Node:
    """Return the present moment as a timestamp in UTC."""
    return made("(now() AT TIME ZONE 'UTC')", "instant")


def _start(porting: "Porting", first: Node, rest: Sequence[Node]) -> tuple[Node, list[Node]]:
    words = [(string(m) or "").lower() for m in rest]
    counted = words[:1] in (["unixepoch"], ["auto"])
    modifiers = list(rest[1:] if counted else rest)
    first = bare(first)
    if counted:
        stamp = first.meta.get("seconds")
        if stamp is not None:
            return stamp, modifiers
        if porting.kind(first) == "instant":
            return _utc(porting, first), modifiers
        return made("(to_timestamp(_x) AT TIME ZONE 'UTC')", "instant", x=first), modifiers
    if first.meta.get("instant") is not None:
        return first.meta["instant"], modifiers
    if porting.kind(first) == "instant":
        return _utc(porting, first), modifiers
    if number(first) is not None or porting.kind(first) in ("integer", "real"):
        raise Untranslatable("A date function reads a bare number, which means a Julian day.")
    return made("_x::timestamp", "instant", x=first), modifiers


def _utc(porting: "Porting", node: Node) -> Node:
    return made("(_x AT TIME ZONE 'UTC')", "instant", x=node) if porting.zoned(node) else node


def _modified(moment: Node, modifier: Node) -> Node:
    text = string(modifier)
    if text is None:
        return made("(_x + _y::interval)", "instant", x=moment, y=modifier)
    words = " ".join(text.lower().split())
    later, start, weekday = _LATER.fullmatch(words), _START.fullmatch(words), _WEEKDAY.fullmatch(words)
    if later:
        sign = "-" if later[1] == "-" else "+"
        return made(f"(_x {sign} interval '{later[2]} {later[3]}s')", "instant", x=moment)
    if start:
        return made(f"date_trunc('{start[1]}', _x)", "instant", x=moment)
    if weekday:
        ahead = f"({weekday[1]} - extract(dow FROM _x)::integer + 7) % 7"
        return made(f"(_x + {ahead} * interval '1 day')", "instant", x=moment)
    if words in ("utc", "subsec", "subsecond"):
        return moment
    if words == "localtime":
        raise Untranslatable(
            "'localtime' is the server's own zone; name it: AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Helsinki'."
        )
    raise Untranslatable(f"The modifier {text!r} has no form here.")


def millis(node: Node) -> Node:
    """Return an instant's milliseconds since 1970, as SQLite stores them."""
    found = made("(extract(epoch FROM _x) * 1000)::bigint", "integer", x=node)
    found.meta["millis"] = node
    return found


def from_millis(porting: "Porting", node: Node, *, zoned: bool) -> Node:
    """Return the instant that a number of milliseconds since 1970 means."""
    stamp = node.meta.get("millis")
    if stamp is not None and porting.zoned(stamp) == zoned:
        return stamp
    pattern = "to_timestamp(_x / 1000.0)" if zoned else "(to_timestamp(_x / 1000.0) AT TIME ZONE 'UTC')"
    return made(pattern, "instant", x=node)


def product(one: Node, other: Node) -> Node | None:
    """Return the instant whose milliseconds a product is: seconds of a date function times 1000."""
    for left, right in ((one, other), (other, one)):
        stamp = bare(left).meta.get("seconds")
        if stamp is not None and number(right) == _MILLIS:
            return stamp
    return None


def bare(node: Node) -> Node:
    """Return a node without the parentheses around it."""
    while name_of(node) == "Paren":
        node = node.this
    return node
