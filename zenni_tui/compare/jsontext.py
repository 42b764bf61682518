"""JSON as PostgreSQL's jsonb prints it.

Facts from https://www.postgresql.org/docs/current/datatype-json.html and the server's jsonb_util.c: of equal keys the
last one stays, keys are ordered by the length of their UTF-8 form and then by its bytes, numbers are `numeric`.
"""

import json
import re
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, InvalidOperation

from .unreadable import Unreadable

MOST_DIGITS = 131_072
MOST_DECIMALS = 16_383
"""Digits before and after the point in PostgreSQL's numeric
(https://www.postgresql.org/docs/current/datatype-numeric.html)."""

DEEPEST = 50_000
DEEP_STACK = 256 * 1024 * 1024

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
MOST_EXPONENT = 1_000_000_000
"""Exponents at which the server reads no number, not even zero."""


class _Printed(str):
    """A part of the document that is already in its final form."""

    __slots__ = ()


def jsonb_text(text: str) -> str:
    """Return what jsonb prints for a JSON text; raises `Unreadable` when jsonb would refuse it."""
    try:
        printed = _read(text)
    except RecursionError:
        printed = _read_deep(text)
    _check_escapes(text)
    return printed


def json_or_not(text: str) -> None:
    """Raise `Unreadable` for a text that the type json refuses; it keeps the others as they are."""
    try:
        json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise _no_json(error) from None
    except RecursionError:
        _read_deep(text)


def plain_decimal(literal: str) -> str:
    """Return a decimal literal as PostgreSQL's numeric prints it, its trailing zeros kept; raises `Unreadable`."""
    try:
        number = Decimal(literal)
    except InvalidOperation:
        raise Unreadable("number_too_precise", "a number beyond PostgreSQL's numeric") from None
    decimals = -int(number.as_tuple().exponent)
    if (number and number.adjusted() >= MOST_DIGITS) or decimals > MOST_DECIMALS:
        raise Unreadable("number_too_precise", "more digits than PostgreSQL's numeric holds")
    if not number:
        # PostgreSQL knows no negative zero and no zeros before the point.
        return "0." + "0" * decimals if decimals > 0 else "0"
    return f"{number:f}"


def _read(text: str) -> str:
    try:
        return _printed(
            json.loads(
                text,
                object_pairs_hook=_object,
                parse_float=_number,
                parse_int=_number,
                parse_constant=_refuse,
            )
        )
    except json.JSONDecodeError as error:
        raise _no_json(error) from None


def _no_json(error: json.JSONDecodeError) -> Unreadable:
    return Unreadable("json_invalid", f"not JSON: {error.msg} at character {error.pos + 1}")


def _check_escapes(text: str) -> None:
    """Raise `Unreadable` for the first escape that jsonb refuses, in a text that is JSON but for that."""
    half_ends = -1
    for match in _ESCAPE.finditer(text):
        code = int(match[1], 16) if match[1] else -1
        low = 0xDC00 <= code <= 0xDFFF  # noqa: PLR2004 - the second halves of pairs
        if (half_ends >= 0 or low) and not (low and half_ends == match.start()):
            raise _half_pair()
        if code == 0:
            raise Unreadable("json_nul", "JSON text with \\u0000, which jsonb refuses")
        half_ends = match.end() if 0xD800 <= code <= 0xDBFF else -1  # noqa: PLR2004 - the first halves
    if half_ends >= 0:
        raise _half_pair()


def _half_pair() -> Unreadable:
    return Unreadable("json_surrogate", "JSON text with half a surrogate pair, which jsonb refuses")


def without_nul(text: str) -> str:
    """Return a JSON text without its escapes of U+0000."""
    return _ESCAPE.sub(lambda match: "" if match[1] == "0000" else match[0], text)


def _read_deep(text: str) -> str:
    # The server reads deeper than Python's usual stack does: read again in a thread with a stack of its own.
    usual_depth, usual_stack = sys.getrecursionlimit(), threading.stack_size(DEEP_STACK)
    try:
        sys.setrecursionlimit(DEEPEST)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_read, text).result()
    except RecursionError:
        raise Unreadable("json_invalid", "JSON nested too deep to be read") from None
    finally:
        sys.setrecursionlimit(usual_depth)
        threading.stack_size(usual_stack)


def _number(literal: str) -> _Printed:
    plain = plain_decimal(literal)
    if "e" in literal.lower() and int(literal.lower().rpartition("e")[2]) >= MOST_EXPONENT:
        raise Unreadable("number_too_precise", "a number beyond PostgreSQL's numeric")
    return _Printed(plain)


def _refuse(word: str) -> str:
    raise Unreadable("json_invalid", f"not JSON: {word}")


def _object(pairs: Iterable[tuple[str, object]]) -> _Printed:
    members = {key.encode("utf-8", "surrogatepass"): (key, value) for key, value in pairs}
    ordered = (members[name] for name in sorted(members, key=lambda name: (len(name), name)))
    return _Printed("{" + ", ".join(f"{_string(key)}: {_printed(value)}" for key, value in ordered) + "}")


def _printed(value: object) -> str:
    if isinstance(value, _Printed):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_printed, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def _string(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'
