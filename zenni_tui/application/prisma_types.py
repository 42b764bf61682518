"""What a Prisma column becomes in PostgreSQL: its type, its default, and whether it counts by itself.

Types: https://www.prisma.io/docs/orm/overview/databases/postgresql#type-mapping-between-postgresql-and-prisma-schema.
Defaults: `sql_schema_calculator.rs` and the PostgreSQL renderer in prisma-engines.
"""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from zenni_tui.model.plan import Default, DefaultKind, Kind, TargetType

from .prisma_records import PrismaColumn, PrismaModel, PrismaSchema
from .prisma_syntax import Attribute, Call, Number, SchemaUnreadable, Text, Value, Word, unreadable

_SCALARS = {
    "String": TargetType(Kind.TEXT),
    "Boolean": TargetType(Kind.BOOLEAN),
    "Int": TargetType(Kind.INTEGER),
    "BigInt": TargetType(Kind.BIGINT),
    "Float": TargetType(Kind.DOUBLE),
    "Decimal": TargetType(Kind.NUMERIC, 65, 30),
    "DateTime": TargetType(Kind.TIMESTAMP, 3),
    "Json": TargetType(Kind.JSONB),
    "Bytes": TargetType(Kind.BYTEA),
}

_NATIVE = {
    "Text": Kind.TEXT,
    "VarChar": Kind.VARCHAR,
    "Char": Kind.CHAR,
    "Uuid": Kind.UUID,
    "SmallInt": Kind.SMALLINT,
    "Integer": Kind.INTEGER,
    "BigInt": Kind.BIGINT,
    "Real": Kind.REAL,
    "DoublePrecision": Kind.DOUBLE,
    "Decimal": Kind.NUMERIC,
    "Timestamp": Kind.TIMESTAMP,
    "Timestamptz": Kind.TIMESTAMPTZ,
    "Date": Kind.DATE,
    "Time": Kind.TIME,
    "Boolean": Kind.BOOLEAN,
    "JsonB": Kind.JSONB,
    "Json": Kind.JSON,
    "ByteA": Kind.BYTEA,
}

_CLIENT_FUNCTIONS = frozenset({"uuid", "cuid", "nanoid", "ulid", "auto"})
"""Defaults that Prisma's client makes: the database knows nothing of them."""

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


def target_type(schema: PrismaSchema, model: PrismaModel, column: PrismaColumn) -> TargetType:
    """Return the PostgreSQL type; raises `SchemaUnreadable` for a native type this program cannot carry."""
    enum = schema.enum(column.type)
    if enum:
        return TargetType(Kind.ENUM, enum=enum.type_name)
    if column.native is None:
        return _SCALARS[column.type]
    return _native_type(model, column, column.native)


def _native_type(model: PrismaModel, column: PrismaColumn, native: Attribute) -> TargetType:
    kind = _NATIVE.get(native.name.rpartition(".")[2])
    sizes = [int(a.value.value) for a in native.arguments if isinstance(a.value, Number)]
    if kind is None:
        raise unreadable(
            f"the field {model.name}.{column.field} has the native type @{native.name}, which cannot be carried",
            native.place,
            "its values have no proven conversion from SQLite",
            "give the field one of these types, and change it afterwards: " + ", ".join(_NATIVE),
        )
    if kind is Kind.CHAR and not sizes:
        return TargetType(kind, 1)
    size, scale = (*sizes, None, None)[:2]
    return TargetType(kind, size, scale)


def counts(column: PrismaColumn) -> bool:
    """Return whether the column is `@default(autoincrement())`."""
    return isinstance(column.default, Call) and column.default.name == "autoincrement"


def default(schema: PrismaSchema, model: PrismaModel, column: PrismaColumn) -> Default | None:
    """Return the database's default; None when there is none or only Prisma's client makes it.

    Raises `SchemaUnreadable` for a default that does not suit the field.
    """
    value = column.default
    if value is None or counts(column):
        return None
    if isinstance(value, Call):
        return _function(model, column, value)
    return Default(DefaultKind.LITERAL, _literal(schema, model, column, value))


def _function(model: PrismaModel, column: PrismaColumn, call: Call) -> Default | None:
    if call.name == "now":
        return Default(DefaultKind.NOW)
    if call.name in _CLIENT_FUNCTIONS:
        return None
    if call.name != "dbgenerated":
        raise _unsuited(model, column, f"the function {call.name}()")
    first = next((a.value for a in call.arguments), None)
    return Default(DefaultKind.EXPRESSION, first.value) if isinstance(first, Text) else None


def _literal(schema: PrismaSchema, model: PrismaModel, column: PrismaColumn, value: Value) -> str:
    enum = schema.enum(column.type)
    if enum:
        labels = dict(enum.labels)
        if isinstance(value, Word) and value.value in labels:
            return labels[value.value]
    elif isinstance(value, Text | Number | Word):
        make = _CONSTANTS.get((column.type, type(value)))
        try:
            made = make(value.value) if make else None
        except (ValueError, InvalidOperation, binascii.Error) as error:
            raise _unsuited(model, column, repr(value.value)) from error
        if made is not None:
            return made
    raise _unsuited(model, column, "what is given")


def _instant(text: str) -> str:
    """Return an RFC 3339 instant as Prisma writes it: the fraction in thousandths, the zone kept."""
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(text)
    day, clock, fraction, zone = match.groups()
    digits = (fraction or "").rstrip("0")[:9]
    padded = digits.ljust(-(-len(digits) // 3) * 3, "0")
    offset = "+00:00" if zone in {"Z", "z"} else zone
    return f"{day} {clock}{'.' + padded if padded else ''} {offset}"


def _truth(text: str) -> str:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text


def _decimal(text: str) -> str:
    return format(Decimal(text), "f")


_CONSTANTS: dict[tuple[str, type], Callable[[str], str]] = {
    ("String", Text): str,
    ("Json", Text): str,
    ("Boolean", Word): _truth,
    ("Int", Number): lambda text: str(int(text)),
    ("BigInt", Number): lambda text: str(int(text)),
    ("Float", Number): _decimal,
    ("Decimal", Number): _decimal,
    ("Decimal", Text): _decimal,
    ("Bytes", Text): lambda text: "\\x" + base64.b64decode(text, validate=True).hex(),
    ("DateTime", Text): _instant,
}


def _unsuited(model: PrismaModel, column: PrismaColumn, what: str) -> SchemaUnreadable:
    return unreadable(
        f"the default of {model.name}.{column.field} cannot be read: {what} is no default for {column.type}",
        column.place,
        "PostgreSQL must get exactly the default Prisma would give it",
        "check it with `npx prisma validate` and mend it",
    )
