"""Encodes stored values as fields of PostgreSQL's binary COPY (https://www.postgresql.org/docs/current/sql-copy.html).

A field is a 4-byte length and the bytes of the type's `recv` function; NULL is length -1.
"""

import math
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind, Plan, TablePlan
from zenni_tui.model.schema import Value

from . import dates, documents
from .repair import Field, mending, repairing
from .unfit import Unfit

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)

PG_EPOCH_MICROS = 946_684_800_000_000
PG_EPOCH_DAYS = 10_957
_LENGTH = struct.Struct("!i").pack
_INTEGERS = {
    Kind.SMALLINT: (struct.Struct("!ih").pack, 2, 15),
    Kind.INTEGER: (struct.Struct("!ii").pack, 4, 31),
    Kind.BIGINT: (struct.Struct("!iq").pack, 8, 63),
}
_LONG = struct.Struct("!iq").pack
_DAY = struct.Struct("!ii").pack
_DOUBLE = struct.Struct("!id").pack
_TRUE, _FALSE = _LENGTH(1) + b"\1", _LENGTH(1) + b"\0"
_WORDS = dict.fromkeys(("1", "t", "true", "y", "yes", "on"), _TRUE) | dict.fromkeys(
    ("0", "f", "false", "n", "no", "off"), _FALSE
)
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_UUID = re.compile(
    r"(\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?(1)\})", re.IGNORECASE
)
_NUMERIC_DIGITS = 131_072
_NUMERIC_SCALE = 16_383
"""Digits before and after the point (https://www.postgresql.org/docs/current/datatype-numeric.html)."""


def _sized(payload: bytes) -> bytes:
    return _LENGTH(len(payload)) + payload


def spelled(value: float) -> str:
    """Return the shortest text that reads back as the same double, in SQLite's spelling (`1.0e+21`)."""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{e}{exponent}"


def _utf8(value: Value) -> bytes:
    if isinstance(value, bytes):
        raise Unfit("blob_in_text", "it is a BLOB, and which text it means is not known")
    text = value if isinstance(value, str) else spelled(value) if isinstance(value, float) else str(value)
    if "\0" in text:
        raise Unfit("text_nul", "it holds a NUL character, which PostgreSQL's text can't")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unfit("text_not_utf8", "it is not valid UTF-8") from None


def _text(value: Value) -> bytes:
    return NULL if value is None else _sized(_utf8(value))


def _limited(size: int, *, padded: bool) -> Field:
    def field(value: Value) -> bytes:
        if value is None:
            return NULL
        payload = _utf8(value)
        if len(payload.decode()) > size:
            raise Unfit("text_too_long", f"it has more than {size} characters")
        if padded and payload.endswith(b" "):
            raise Unfit("text_padded", "its trailing spaces mean nothing in type character")
        return _sized(payload)

    return field


def _enum(labels: frozenset[str]) -> Field:
    def field(value: Value) -> bytes:
        if value is None:
            return NULL
        if value not in labels:
            raise Unfit("enum_unknown", "it is none of the enum's labels")
        return _sized(str(value).encode())

    return field


def _as_integer(value: Value) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise Unfit("not_an_integer", "it is not a whole number")


def _integer(kind: Kind) -> Field:
    pack, size, bits = _INTEGERS[kind]
    low, high = -(1 << bits), (1 << bits) - 1

    def field(value: Value) -> bytes:
        if value is None:
            return NULL
        number = value if type(value) is int else _as_integer(value)
        if not low <= number <= high:
            raise Unfit("integer_out_of_range", f"it doesn't fit {kind}")
        return pack(size, number)

    return field


def _double(value: Value) -> bytes:
    if value is None:
        return NULL
    if isinstance(value, int) and int(float(value)) != value:
        raise Unfit("integer_inexact", "a double can't hold this whole number exactly")
    if not isinstance(value, int | float):
        raise Unfit("not_a_number", "it is not a number")
    return _DOUBLE(8, value)


def _single(value: Value) -> bytes:
    if value is None:
        return NULL
    if not isinstance(value, int | float):
        raise Unfit("not_a_number", "it is not a number")
    try:
        payload = struct.pack("!f", value)
    except OverflowError:
        raise Unfit("real_out_of_range", "it doesn't fit a 4-byte real") from None
    if struct.unpack("!f", payload)[0] != value:
        raise Unfit("real_inexact", "a 4-byte real can't hold it exactly")
    return _sized(payload)


def _boolean(value: Value) -> bytes:
    if value is None:
        return NULL
    if isinstance(value, int | float) and value in (0, 1):
        return _TRUE if value else _FALSE
    word = _WORDS.get(value.lower()) if isinstance(value, str) else None
    if word is None:
        raise Unfit("not_a_boolean", "it is neither 0 nor 1, true nor false")
    return word


def _as_decimal(value: Value) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return _plain(value)
    raise Unfit("not_a_number", "it is not a number")


def _plain(literal: str) -> Decimal:
    """Return a literal's number, a zero without its exponent: what only adds zeros must not cost memory."""
    try:
        number = Decimal(literal)
    except InvalidOperation:
        raise _too_many_digits() from None
    return number if number or int(number.as_tuple().exponent) <= 0 else Decimal(0)


def _too_many_digits() -> Unfit:
    digits = f"{_NUMERIC_DIGITS} digits before or {_NUMERIC_SCALE} after the point"
    return Unfit("number_too_precise", f"it has more than the {digits} that numeric holds")


def numeric_payload(number: Decimal) -> bytes:
    """Return the bytes of `numeric_recv`: digits in base 10000, weight, sign and display scale."""
    if number.is_infinite():
        return struct.pack("!hhHh", 0, 0, 0xD000 if number > 0 else 0xF000, 0)
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - not a NaN: SQLite stores none
    text = "".join(map(str, digits))
    scale = max(0, -exponent)
    text += "0" * max(0, exponent) + "0" * (-scale % 4)
    text = text.zfill(-(-len(text) // 4) * 4)
    groups = [int(text[i : i + 4]) for i in range(0, len(text), 4)]
    weight = len(groups) - 1 - -(-scale // 4)
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    head = struct.pack("!HhHh", len(groups), weight if groups else 0, 0x4000 if sign and groups else 0, scale)
    return head + struct.pack(f"!{len(groups)}h", *groups)


def _numeric(precision: int | None, scale: int | None) -> Field:
    def field(value: Value) -> bytes:
        if value is None:
            return NULL
        number = _as_decimal(value)
        if number.is_finite():
            _check_digits(number, precision, scale)
        elif precision is not None:
            raise Unfit("number_infinite", "an infinity doesn't fit a numeric with a precision")
        return _sized(numeric_payload(number))

    return field


def _check_digits(number: Decimal, precision: int | None, scale: int | None) -> None:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite
    if -exponent > _NUMERIC_SCALE:
        raise _too_many_digits()
    while exponent < 0 and digits[-1:] == (0,):
        digits, exponent = digits[:-1], exponent + 1
    after = _NUMERIC_SCALE if precision is None else (scale or 0)
    before = _NUMERIC_DIGITS if precision is None else precision - (scale or 0)
    if number and (-exponent > after or len(digits) + exponent > before):
        raise Unfit("number_too_precise", f"it has more digits than {before} before and {after} after the point")


def _timestamp(column: ColumnPlan) -> Field:
    digits = 6 if column.type.size is None else column.type.size
    epoch, zone = column.epoch, column.zone
    memory: dict[Value, bytes] = {}

    def field(value: Value) -> bytes:
        if value is None:
            return NULL
        if isinstance(value, float):
            # Never from the cache: a number finds an equal one of the other class there, which is read otherwise.
            return _LONG(8, dates.instant(value, epoch, digits, zone) - PG_EPOCH_MICROS)
        # Neighbouring rows share many instants; the cache is emptied before it can grow.
        found = memory.get(value)
        if found is None:
            if len(memory) > 8192:  # noqa: PLR2004
                memory.clear()
            found = memory[value] = _LONG(8, dates.instant(value, epoch, digits, zone) - PG_EPOCH_MICROS)
        return found

    return field


def _date(column: ColumnPlan) -> Field:
    return lambda value: NULL if value is None else _DAY(4, dates.day(value, column.epoch) - PG_EPOCH_DAYS)


def _time(column: ColumnPlan) -> Field:
    digits = 6 if column.type.size is None else column.type.size
    return lambda value: NULL if value is None else _LONG(8, dates.clock(value, digits))


def _bytes(value: Value) -> bytes:
    if value is None:
        return NULL
    if not isinstance(value, bytes):
        raise Unfit("not_a_blob", "it is not a BLOB, and which bytes it means is not known")
    return _sized(value)


def _json_text(value: Value, *, binary: bool) -> bytes:
    if isinstance(value, int | float):
        if math.isinf(value):
            raise Unfit("json_invalid", "JSON has no Infinity")
        # json is its text, for which SQLite's spelling counts; jsonb is its number, with the digits it takes.
        return repr(value).encode() if binary else _utf8(value)
    payload = _utf8(value)
    documents.check(payload.decode(), binary=binary)
    return payload


def _json(value: Value) -> bytes:
    return NULL if value is None else _sized(_json_text(value, binary=False))


def _jsonb(value: Value) -> bytes:
    return NULL if value is None else _sized(b"\1" + _json_text(value, binary=True))


def _uuid(value: Value) -> bytes:
    if value is None:
        return NULL
    match = _UUID.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit("not_a_uuid", "it is not a UUID")
    return _sized(bytes.fromhex("".join(match.groups("")[1:])))


_PLAIN: dict[Kind, Field] = {
    Kind.TEXT: _text,
    Kind.DOUBLE: _double,
    Kind.REAL: _single,
    Kind.BOOLEAN: _boolean,
    Kind.BYTEA: _bytes,
    Kind.JSON: _json,
    Kind.JSONB: _jsonb,
    Kind.UUID: _uuid,
}


def field_encoder(column: ColumnPlan, enums: Iterable[EnumPlan] = ()) -> Field:
    """Return the function that makes this column's field of a stored value, with the repairs chosen for it."""
    return repairing(_plain_encoder(column, enums), column)


def mended(column: ColumnPlan, enums: Iterable[EnumPlan] = ()) -> Callable[[Value], Value]:
    """Return the function that gives a stored value as the repairs chosen for its column leave it; it raises Unfit."""
    return mending(_plain_encoder(column, enums), column)


def _plain_encoder(column: ColumnPlan, enums: Iterable[EnumPlan]) -> Field:
    kind, size = column.type.kind, column.type.size
    if kind in _INTEGERS:
        return _integer(kind)
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return _timestamp(column)
    if kind is Kind.ENUM:
        return _enum(next(frozenset(e.labels) for e in enums if e.name == column.type.enum))
    made: dict[Kind, Callable[[], Field]] = {
        Kind.NUMERIC: lambda: _numeric(size, column.type.scale),
        Kind.DATE: lambda: _date(column),
        Kind.TIME: lambda: _time(column),
        Kind.VARCHAR: lambda: _limited(size, padded=False) if size else _text,
        Kind.CHAR: lambda: _limited(size or 1, padded=True),
    }
    return made[kind]() if kind in made else _PLAIN[kind]


def rows_encoder(table: TablePlan, plan: Plan) -> Callable[[Sequence[tuple[Value, ...]]], bytes]:
    """Return the function that makes COPY data of rows; it works column by column, which costs half of row by row."""
    fields = [field_encoder(c, plan.enums) for c in table.loaded]
    head = struct.pack("!h", len(fields))

    def encode(rows: Sequence[tuple[Value, ...]]) -> bytes:
        columns = [map(field, values) for field, values in zip(fields, zip(*rows, strict=True), strict=True)]
        return head + head.join(map(b"".join, zip(*columns, strict=True)))

    return encode
