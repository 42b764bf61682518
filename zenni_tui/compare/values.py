"""What one stored SQLite value means as a PostgreSQL type, as canonical text; `expressions` has the SQL for the same.

Canonical texts: text itself; decimal digits for whole numbers; the IEEE bits in hexadecimal for doubles; plain decimals
without trailing zeros; `true` and `false`; microseconds or days since 1970-01-01 UTC; microseconds since midnight; the
SHA-256 of bytes; JSON as jsonb prints it. TEXT that is not valid UTF-8 comes as `str` with surrogate escapes (PEP 383).
Where a value has no reading the reason bears a finding's code; what only the column's size forbids is in `limits`.
"""

import hashlib
import math
import re
import struct
from collections.abc import Callable

from zenni_tui.model.long import Long
from zenni_tui.model.plan import Epoch, Kind, TargetType
from zenni_tui.model.schema import Value

from . import dates, long
from .jsontext import jsonb_text, plain_decimal
from .unreadable import Unreadable

Stored = int | float | str | bytes
Reader = Callable[[Stored], str]

GREATEST_COUNTED = 2**63 - 2
"""The last instant whose microseconds PostgreSQL counts exactly, in 294247: from the next one on its `extract` divides
as numeric and keeps four digits of a second. The few later ones are named as dates."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_UNHELD = re.compile("[\x00\udc80-\udcff]")
_BITS = {Kind.SMALLINT: 16, Kind.INTEGER: 32, Kind.BIGINT: 64}
_BOOLEANS = dict.fromkeys(("true", "t", "yes", "y", "on", "1"), "true") | dict.fromkeys(
    ("false", "f", "no", "n", "off", "0"), "false"
)


def canonical(value: Value, kind: TargetType, epoch: Epoch = Epoch.MILLISECONDS, zone: str | None = None) -> str | None:
    """Return the canonical text of a stored value as that type, None for NULL; raises `Unreadable`."""
    return None if value is None else reader(kind, epoch, zone)(value)


def reader(kind: TargetType, epoch: Epoch = Epoch.MILLISECONDS, zone: str | None = None) -> Reader:
    """Return the function that reads one stored value, NULL apart, as that type; it raises `Unreadable`.

    `zone` is that of instants written without one, None for UTC; dates and times of day have none.
    """
    if kind.kind in _BITS:
        return _whole_reader(_BITS[kind.kind], str(kind.kind))
    if kind.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return lambda value: counted(instant(value, epoch, zone))
    if kind.kind is Kind.DATE:
        return lambda value: str(_day(value, epoch))
    if kind.kind is Kind.TIME:
        return lambda value: str(_time(value))
    return _READERS[kind.kind]


def counted(micros: int) -> str:
    """Return an instant as decimal microseconds, or as a date where PostgreSQL can't count them."""
    return str(micros) if micros <= GREATEST_COUNTED else dates.timestamp_text(micros)


def _text(value: Stored | Long) -> str:
    if isinstance(value, Long):
        return long.text_of(value)
    if isinstance(value, str):
        if _UNHELD.search(value) is None:
            return value
        if "\x00" in value:
            raise Unreadable("text_nul", "text with NUL, which PostgreSQL cannot hold")
        raise Unreadable("text_not_utf8", "text that is not valid UTF-8")
    if isinstance(value, bytes):
        raise Unreadable("blob_in_text", "a BLOB in a column of text")
    return str(value) if isinstance(value, int) else _real_text(value)


def _real_text(value: float) -> str:
    """Return a real in the form of SQLite's CAST AS TEXT, with the digits it takes to read the same double back."""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else mantissa + e + exponent


def _label(value: Stored) -> str:
    if isinstance(value, str) and _UNHELD.search(value) is None:
        return value
    raise Unreadable("enum_unknown", "no text that could be a label")


def _padded(value: Stored) -> str:
    # Trailing blanks mean nothing in character(n), and PostgreSQL's cast to text removes them.
    return _text(value).rstrip(" ")


def _whole_reader(bits: int, name: str) -> Reader:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def read(value: Stored) -> str:
        number = _whole(value)
        if not low <= number < high:
            raise Unreadable("integer_out_of_range", f"outside the range of {name}")
        return str(number)

    return read


def _whole(value: Stored) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise Unreadable("not_an_integer", "not a whole number")


def _double(value: Stored) -> str:
    if isinstance(value, str | bytes):
        raise Unreadable("not_a_number", "not a number")
    if int(float(value)) != value if isinstance(value, int) else False:
        raise Unreadable("integer_inexact", "a whole number that a double cannot hold exactly")
    return struct.pack(">d", value).hex()


def _single(value: Stored) -> str:
    if isinstance(value, str | bytes):
        raise Unreadable("not_a_number", "not a number")
    try:
        (kept,) = struct.unpack(">f", struct.pack(">f", value))
    except OverflowError:
        raise Unreadable("real_out_of_range", "outside the range of real") from None
    if kept != value:
        raise Unreadable("real_inexact", "a number that a real cannot hold exactly")
    return struct.pack(">d", kept).hex()


def _numeric(value: Stored) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    literal = repr(value) if isinstance(value, float) else value
    if isinstance(literal, bytes) or not _DECIMAL.fullmatch(literal):
        raise Unreadable("not_a_number", "not a number")
    plain = plain_decimal(literal)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _boolean(value: Stored) -> str:
    word = value.lower() if isinstance(value, str) else str(int(value)) if value in (0, 1) else ""
    if word not in _BOOLEANS:
        raise Unreadable("not_a_boolean", "neither true nor false")
    return _BOOLEANS[word]


def instant(value: Stored, epoch: Epoch, zone: str | None = None) -> int:
    """Return a stored value as microseconds since 1970-01-01 UTC; raises `Unreadable`."""
    if isinstance(value, str):
        return dates.micros_of_text(value, zone)
    if isinstance(value, bytes):
        raise Unreadable("date_unreadable", "a BLOB in a column of dates")
    return dates.micros_of_number(value, epoch)


def _day(value: Stored, epoch: Epoch) -> int:
    if isinstance(value, str) and "T" not in value and ":" not in value:
        return dates.days_of_text(value)
    return dates.whole_days(instant(value, epoch))


def _time(value: Stored) -> int:
    if isinstance(value, str):
        return dates.micros_of_time(value)
    raise Unreadable("time_unreadable", "not a time of day")


def raw_bytes(value: Stored) -> bytes:
    """Return the bytes of a BLOB, or the stored bytes of a TEXT; raises `Unreadable` for numbers."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    raise Unreadable("not_a_blob", "a number in a column of bytes")


def _digest(value: Stored | Long) -> str:
    if isinstance(value, Long):
        return long.digest_of(value)
    return hashlib.sha256(raw_bytes(value)).hexdigest()


def _jsonb(value: Stored) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("json_invalid", "an infinite number, which JSON cannot hold")
    return jsonb_text(repr(value) if isinstance(value, float) else _text(value))


def _uuid(value: Stored) -> str:
    text = value.lower() if isinstance(value, str) else ""
    bare = text[1:-1] if text[:1] + text[-1:] == "{}" else text
    if not _UUID.fullmatch(bare):
        raise Unreadable("not_a_uuid", "not a UUID")
    digits = bare.replace("-", "")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_READERS: dict[Kind, Reader] = {
    Kind.TEXT: _text,
    Kind.VARCHAR: _text,
    Kind.ENUM: _label,
    Kind.JSON: _text,
    Kind.CHAR: _padded,
    Kind.UUID: _uuid,
    Kind.DOUBLE: _double,
    Kind.REAL: _single,
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
