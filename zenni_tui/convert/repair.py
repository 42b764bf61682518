"""Repairs of single values, as the operator chose them: only a value that has no faithful form is ever touched."""

from collections.abc import Callable

from zenni_tui.model.plan import ColumnPlan, Kind, ValueRepair
from zenni_tui.model.schema import Value

from .unfit import Unfit

Field = Callable[[Value], bytes]
"""Makes one field of one stored value; raises Unfit."""

NULL_REFUSED = "null_in_not_null"
"""The code of the finding for NULL where the target forbids it."""


def _strip_nul(value: Value) -> Value:
    return value.replace("\0", "") if isinstance(value, str) else value


def _strip_escapes(value: Value) -> Value:
    # A backslash that is itself escaped begins no escape.
    if not isinstance(value, str):
        return value
    return "\\\\".join(part.replace("\\u0000", "") for part in value.split("\\\\"))


def _raw(value: Value) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b""


def _cp1252(value: Value) -> Value:
    try:
        return _raw(value).decode("cp1252")
    except UnicodeDecodeError:
        raise Unfit("text_not_utf8", "it is not Windows-1252 either") from None


_ACTIONS: dict[str, Callable[[Value], Value]] = {
    "strip_nul": _strip_nul,
    "utf8_replace": lambda value: _raw(value).decode("utf-8", "replace"),
    "utf8_latin1": lambda value: _raw(value).decode("latin-1"),
    "utf8_cp1252": _cp1252,
    "to_null": lambda _: None,
}


def _action(repair: ValueRepair, kind: Kind) -> Callable[[Value], Value]:
    if repair.action == "to_value":
        given = _given(repair.value or "", kind)
        return lambda _: given
    if (repair.code, repair.action) == ("json_nul", "strip_nul"):
        return _strip_escapes
    return _ACTIONS[repair.action]


def _given(text: str, kind: Kind) -> Value:
    """Return what the operator's text means in a column: a double's number, a BLOB's bytes, else the text itself."""
    try:
        if kind in (Kind.DOUBLE, Kind.REAL):
            return float(text)
        return bytes.fromhex(text) if kind is Kind.BYTEA else text
    except ValueError:
        return text


def _refusing_null(field: Field) -> Field:
    def refusing(value: Value) -> bytes:
        if value is None:
            raise Unfit(NULL_REFUSED, "it is NULL")
        return field(value)

    return refusing


def repairing(field: Field, column: ColumnPlan) -> Field:
    """Return a field that mends what the plain one refuses, by the repair chosen for the refusal's code."""
    settled = _settling(field, column)
    return (lambda value: settled(value)[1]) if column.repairs else field


def mending(field: Field, column: ColumnPlan) -> Callable[[Value], Value]:
    """Return the function that gives a value as the repairs leave it, the same object where none touches it."""
    settled = _settling(field, column)
    return lambda value: settled(value)[0]


def _settling(field: Field, column: ColumnPlan) -> Callable[[Value], tuple[Value, bytes]]:
    actions = {r.code: _action(r, column.type.kind) for r in column.repairs}
    strict = _refusing_null(field) if NULL_REFUSED in actions else field

    def settled(value: Value) -> tuple[Value, bytes]:
        left = dict(actions)
        while True:
            try:
                return value, strict(value)
            except Unfit as unfit:
                action = left.pop(unfit.code, None)
                if action is None:
                    raise
                value = action(value)

    return settled
