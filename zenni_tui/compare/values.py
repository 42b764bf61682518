"""What one stored SQLite value means as a PostgreSQL type, as canonical text; `expressions` has the SQL for the same.

Canonical texts: text itself; decimal digits for whole numbers; the IEEE bits in hexadecimal for doubles; plain decimals
without trailing zeros; `true` and `false`; microseconds or days since 1970-01-01 UTC; microseconds since midnight; the
SHA-256 of bytes; JSON as jsonb prints it. TEXT that is not valid UTF-8 comes as `str` with surrogate escapes (PEP 383).
"""

import hashlib
import math
import re
import struct
from collections.abc import Callable

from zenni_tui.model.plan import Epoch, Kind, TargetType
from zenni_tui.model.schema import Value

from . import dates
from .jsontext import jsonb_text, plain_decimal
from .unreadable import Unreadable

Stored = int | float | str | bytes
Reader = Callable[[Stored], str]

GREATEST_COUNTED = 2**63 - 1
"""The last instant whose microseconds fit a bigint, in 294247; PostgreSQL's few later ones are named as dates."""

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{32}")
_UNHELD = re.compile("[\x00\udc80-\udcff]")
_BITS = {Kind.SMALLINT: 16, Kind.INTEGER: 32, Kind.BIGINT: 64}
_SPECIAL = {"nan": "NaN", "infinity": "Infinity", "-infinity": "-Infinity", "inf": "Infinity", "-inf": "-Infinity"}
_BOOLEANS = dict.fromkeys(("true", "t", "yes", "y", "on", "1"), "true") | dict.fromkeys(
    ("false", "f", "no", "n", "off", "0"), "false"
)


def canonical(value: Value, kind: TargetType, epoch: Epoch = Epoch.MILLISECONDS) -> str | None:
    """Return the canonical text of a stored value as that type, None for NULL; raises `Unreadable`."""
    return None if value is None else reader(kind, epoch)(value)


def reader(kind: TargetType, epoch: Epoch = Epoch.MILLISECONDS) -> Reader:
    """Return the function that reads one stored value, NULL apart, as that type; it raises `Unreadable`."""
    if kind.kind in _BITS:
        return _whole_reader(_BITS[kind.kind], str(kind.kind))
    if kind.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return lambda value: counted(_instant(value, epoch))
    if kind.kind is Kind.DATE:
        return lambda value: str(_day(value, epoch))
    if kind.kind is Kind.TIME:
        return lambda value: str(_time(value, epoch))
    return _READERS[kind.kind]


def counted(micros: int) -> str:
    """Return an instant as decimal microseconds, or as a date where PostgreSQL can't count them."""
    return str(micros) if micros <= GREATEST_COUNTED else dates.timestamp_text(micros)


def _text(value: Stored) -> str:
    if isinstance(value, str):
        unheld = _UNHELD.search(value)
        if unheld is None:
            return value
        raise Unreadable(
            "text with NUL, which PostgreSQL cannot hold" if unheld[0] == "\x00" else "text that is not valid UTF-8"
        )
    if isinstance(value, bytes):
        raise Unreadable("a BLOB in a column of text")
    return str(value) if isinstance(value, int) else _real_text(value)


def _real_text(value: float) -> str:
    """Return a real in the form of SQLite's CAST AS TEXT, with the digits it takes to read the same double back."""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else mantissa + e + exponent


def _padded(value: Stored) -> str:
    # Trailing blanks mean nothing in character(n), and PostgreSQL's cast to text removes them.
    return _text(value).rstrip(" ")


def _whole_reader(bits: int, name: str) -> Reader:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def read(value: Stored) -> str:
        number = _whole(value)
        if not low <= number < high:
            raise Unreadable(f"outside the range of {name}")
        return str(number)

    return read


def _whole(value: Stored) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise Unreadable("not a whole number")


def _double(value: Stored) -> str:
    return struct.pack(">d", _float(value)).hex()


def _float(value: Stored) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        number = float(value)
        if int(number) != value:
            raise Unreadable("a whole number that a double cannot hold exactly")
        return number
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    raise Unreadable("not a number")


def _numeric(value: Stored) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        raise Unreadable("not a number")
    literal = repr(value) if isinstance(value, float) else value.strip()
    special = _SPECIAL.get(literal.lower())
    if special is not None:
        return special
    if not _DECIMAL.fullmatch(literal):
        raise Unreadable("not a number")
    plain = plain_decimal(literal)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _boolean(value: Stored) -> str:
    word = value.lower() if isinstance(value, str) else str(int(value)) if value in (0, 1) else ""
    if word not in _BOOLEANS:
        raise Unreadable("neither true nor false")
    return _BOOLEANS[word]


def _instant(value: Stored, epoch: Epoch) -> int:
    if isinstance(value, str):
        return dates.micros_of_text(value)
    if isinstance(value, bytes):
        raise Unreadable("a BLOB in a column of dates")
    return dates.micros_of_number(value, epoch)


def _day(value: Stored, epoch: Epoch) -> int:
    if isinstance(value, str) and "T" not in value and ":" not in value:
        return dates.days_of_text(value)
    return dates.whole_days(_instant(value, epoch))


def _time(value: Stored, epoch: Epoch) -> int:
    if isinstance(value, str):
        return dates.micros_of_time(value)
    if isinstance(value, bytes) or epoch is Epoch.JULIAN:
        raise Unreadable("not a time of day")
    micros = dates.micros_of_number(value, epoch)
    if not 0 <= micros < dates.DAY:
        raise Unreadable("not a time of day")
    return micros


def raw_bytes(value: Stored) -> bytes:
    """Return the bytes of a BLOB, or the stored bytes of a TEXT; raises `Unreadable` for numbers."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    raise Unreadable("a number in a column of bytes")


def _digest(value: Stored) -> str:
    return hashlib.sha256(raw_bytes(value)).hexdigest()


def _jsonb(value: Stored) -> str:
    if isinstance(value, bytes):
        raise Unreadable("a BLOB in a column of JSON")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("an infinite number, which JSON cannot hold")
    return jsonb_text(value if isinstance(value, str) else repr(value))


def _uuid(value: Stored) -> str:
    text = _text(value).lower()
    bare = (text[1:-1] if text[:1] + text[-1:] == "{}" else text).replace("-", "")
    if not _UUID.fullmatch(bare):
        raise Unreadable("not a UUID")
    return f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"


_READERS: dict[Kind, Reader] = {
    Kind.TEXT: _text,
    Kind.VARCHAR: _text,
    Kind.ENUM: _text,
    Kind.JSON: _text,
    Kind.CHAR: _padded,
    Kind.UUID: _uuid,
    Kind.DOUBLE: _double,
    Kind.REAL: _double,
    Kind.NUMERIC: _numeric,
    Kind.BOOLEAN: _boolean,
    Kind.BYTEA: _digest,
    Kind.JSONB: _jsonb,
}


def readable(kind: Kind, text: str | None) -> str | None:
    """Return a canonical text as a person reads it; None and what isn't canonical for the kind stay as they are."""
    try:
        return text if text is None else _readable(kind, text)
    except (ValueError, struct.error):
        return text


def _readable(kind: Kind, text: str) -> str:
    if kind in (Kind.DOUBLE, Kind.REAL):
        (number,) = struct.unpack(">d", bytes.fromhex(text))
        return repr(number)
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return dates.timestamp_text(int(text), "+00" if kind is Kind.TIMESTAMPTZ else "")
    if kind is Kind.DATE:
        return dates.date_text(int(text))
    if kind is Kind.TIME:
        return dates.time_text(int(text))
    return f"sha256 {text}" if kind is Kind.BYTEA else text
