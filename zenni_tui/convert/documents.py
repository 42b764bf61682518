"""Checks JSON texts for what PostgreSQL's json and jsonb can hold.

Facts from https://www.postgresql.org/docs/current/datatype-json.html: json keeps the text as it is and only wants it
well-formed; jsonb takes escapes and numbers apart, so U+0000, half surrogate pairs and overlong numbers are errors.
"""

import json
import re
from decimal import Decimal, InvalidOperation

from .unfit import Unfit

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u(?P<nul>0000)|\\u(?P<half>[dD][89a-fA-F])|\\.",
    re.DOTALL,
)
_LONG_EXPONENT = re.compile(r"[eE][+-]?\d{4}", re.ASCII)
_ORDINARY = 4_000
"""No number in a shorter text has too many digits, but by its exponent; Python's own integers end at 4,300."""
_DIGITS = 131_072
_DECIMALS = 16_383
_EXPONENT = 1_000_000_000


def check(text: str, *, binary: bool) -> None:
    """Raise Unfit when json, or jsonb if `binary`, would refuse a text or change it."""
    unusual = len(text) > _ORDINARY or _LONG_EXPONENT.search(text) is not None
    number = _held if binary else str
    try:
        if unusual:
            json.loads(text, parse_constant=_refuse, parse_int=number, parse_float=number)
        else:
            json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise Unfit("json_invalid", "it is nested too deep to be read") from None
    except json.JSONDecodeError as error:
        raise Unfit("json_invalid", f"it is not JSON: {error}") from None
    if binary and "\\u" in text:
        _check_escapes(text)


def _refuse(constant: str) -> object:
    raise Unfit("json_invalid", f"JSON has no {constant}")


def _held(literal: str) -> str:
    try:
        number = Decimal(literal)
    except InvalidOperation:
        raise Unfit("number_too_precise", "it holds a number beyond jsonb's range") from None
    exponent = int(number.as_tuple().exponent)
    if (number and number.adjusted() >= _DIGITS) or not -_DECIMALS <= exponent < _EXPONENT:
        raise Unfit("number_too_precise", "it holds a number with more digits than jsonb keeps")
    return literal


def _check_escapes(text: str) -> None:
    for match in _ESCAPE.finditer(text):
        if match["nul"]:
            raise Unfit("json_nul", "it holds \\u0000, which jsonb can't")
        if match["half"]:
            raise Unfit("json_surrogate", "it holds half of a surrogate pair, which jsonb can't")


def doubled(text: str) -> bool:
    """Return whether an object in a JSON text names a key twice, of which jsonb keeps the last."""
    seen = False

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal seen
        made = dict(found)
        seen = seen or len(made) < len(found)
        return made

    try:
        json.loads(text, object_pairs_hook=pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return seen


def meaning(text: str) -> object:
    """Return what jsonb keeps of a JSON text that it holds: neither blanks nor order, the last of equal keys."""
    return json.loads(text, parse_int=_number, parse_float=_number)


def _number(literal: str) -> tuple[str]:
    """Return a number as jsonb shows it, apart from a string of the same characters."""
    number = Decimal(literal)
    if not number:
        number = abs(number) if int(number.as_tuple().exponent) <= 0 else Decimal(0)
    return (format(number, "f"),)
