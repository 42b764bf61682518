"""The present moment and chance, as only DEFAULTs may hold them."""

import re
from collections.abc import Callable
from typing import Any

from zenni_tui.model.plan import Kind

from .translate_source import Untranslatable
from .translate_terms import INT64, Class, Term
from .translate_walk import Walker

_UTC = "timezone('UTC', now())"
MOMENTS = {
    Kind.TIMESTAMP: f"({_UTC})",
    Kind.DATE: f"({_UTC})::date",
    Kind.TIME: f"({_UTC})::time without time zone",
}
"""The moment as each type, whatever the session's time zone is."""

_SECONDS = "floor(extract(epoch FROM now()))::bigint"
_MILLIS = 1000
_MOST_BYTES = 64
_CHANCE = 6
"""The first bytes of a random UUID are random throughout; the seventh holds the version."""

_TO_CHAR = {
    "Y": "YYYY",
    "m": "MM",
    "d": "DD",
    "H": "HH24",
    "M": "MI",
    "S": "SS",
    "f": "SS.MS",
    "j": "DDD",
}
_PIECE = re.compile(r"%(.)|([^%\"\\']+)")
_NAMED = {"CURRENT_TIMESTAMP": "%Y-%m-%d %H:%M:%S", "CURRENT_DATE": "%Y-%m-%d", "CURRENT_TIME": "%H:%M:%S"}
_FORMATS = {"datetime": _NAMED["CURRENT_TIMESTAMP"], "date": _NAMED["CURRENT_DATE"], "time": _NAMED["CURRENT_TIME"]}
_INSTANT = re.compile(r"%Y-%m-%d[T ]%H:%M(?::(?:%S|%f)(?:\.000)?)?(?:Z|\+00:00)?|%s")


class Moments(Walker):
    """A walker that knows `'now'` and random numbers."""

    def term(self, node: Any) -> Term:
        """Return a node's term; raises Untranslatable."""
        if type(node).__name__ == "Literal" and self.word(node).kind == "now":
            return _shown(_NAMED[str(self.word(node).value).upper()])
        return super().term(node)

    def function(self, node: Any) -> Term:
        """Return the term of a function call."""
        name = str(self.word(node.this).value).lower()
        format_ = self.format_of(node)
        if format_ is not None:
            return _shown(format_)
        made = _CALLS.get(name)
        if made is not None and self.now(node.expressions):
            return made()
        if name == "randomblob" and len(node.expressions) == 1:
            return _random_bytes(self.term(node.expressions[0]))
        if name == "random" and not node.expressions:
            sql = "('x' || left(md5(gen_random_uuid()::text), 16))::bit(64)::bigint"
            return Term(sql, Class.INTEGER, Kind.BIGINT, low=INT64[0], high=INT64[1])
        return super().function(node)

    def now(self, arguments: list[Any]) -> bool:
        """Return whether a date function's arguments mean the present moment in UTC."""
        if not arguments:
            return True
        words = [self.word(a) for a in arguments if type(a).__name__ == "Literal"]
        return len(arguments) == 1 == len(words) and words[0].kind == "string" and str(words[0].value).lower() == "now"

    def format_of(self, node: Any) -> str | None:
        """Return the strftime format of a call that shows the present moment, None for other calls."""
        name, arguments = str(self.word(node.this).value).lower(), node.expressions
        if name in _FORMATS and self.now(arguments):
            return _FORMATS[name]
        if name == "strftime" and arguments and type(arguments[0]).__name__ == "Literal" and self.now(arguments[1:]):
            return str(self.word(arguments[0]).value)
        return None


def _shown(format_: str) -> Term:
    if format_ == "%s":
        return _whole_seconds()
    parts = []
    for match in _PIECE.finditer(format_):
        field = _TO_CHAR.get(match[1]) if match[1] else f'"{match[2]}"'
        if field is None:
            raise Untranslatable(f"The date format %{match[1]} has no exact equivalent.")
        parts.append(field)
    if "".join(m[0] for m in _PIECE.finditer(format_)) != format_ or not parts:
        raise Untranslatable("A date format holds a quote or ends in a percent sign.")
    return Term(f"to_char({_UTC}, '{''.join(parts)}')", Class.TEXT)


def _whole_seconds() -> Term:
    # SQLite's %s is a text of digits; as a number it serves texts and numbers alike.
    return Term(_SECONDS, Class.INTEGER, Kind.BIGINT, low=0, high=1 << 40)


def _julian() -> Term:
    sql = "(extract(epoch FROM now())::double precision / 86400 + 2440587.5)"
    return Term(sql, Class.REAL, Kind.DOUBLE)


_CALLS: dict[str, Callable[[], Term]] = {"unixepoch": _whole_seconds, "julianday": _julian}


def _random_bytes(count: Term) -> Term:
    size = count.value
    if not isinstance(size, int) or not 1 <= size <= _MOST_BYTES:
        raise Untranslatable("Random bytes of an unusual number.")
    if size == 16:  # noqa: PLR2004 - as many as a UUID has
        return Term("uuid_send(gen_random_uuid())", Class.BLOB, Kind.BYTEA)
    sizes = [_CHANCE] * (size // _CHANCE) + ([size % _CHANCE] if size % _CHANCE else [])
    sql = " || ".join(f"substr(uuid_send(gen_random_uuid()), 1, {s})" for s in sizes)
    return Term(f"({sql})", Class.BLOB, Kind.BYTEA)


def moment_of(walker: Moments, node: Any) -> bool:
    """Return whether an expression is the present moment in a form that dates are stored in."""
    kind = type(node).__name__
    if kind in ("Paren", "Cast"):
        return moment_of(walker, node.this)
    if kind == "Mul":
        first, second = node.this, node.expression
        return any(_is_thousand(walker, a) and moment_of(walker, b) for a, b in ((first, second), (second, first)))
    if kind == "Literal":
        return walker.word(node).kind == "now"
    if kind != "Anonymous":
        return False
    format_ = walker.format_of(node)
    if format_ is not None:
        return format_ in _NAMED.values() or _INSTANT.fullmatch(format_) is not None
    return str(walker.word(node.this).value).lower() in _CALLS and walker.now(node.expressions)


def _is_thousand(walker: Moments, node: Any) -> bool:
    """Return whether a factor makes milliseconds of seconds."""
    return type(node).__name__ == "Literal" and walker.word(node).value == _MILLIS
