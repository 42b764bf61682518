"""What the operator's repairs make of stored values, by the verifier's own understanding of them.

A repair touches a value only when the column refuses it for the finding that the repair was chosen for. What is mended
is looked at again, so that repairs for different findings follow each other, each of them once at most.
"""

import binascii
from collections.abc import Callable, Sequence

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind, ValueRepair
from zenni_tui.model.schema import Value

from .jsontext import without_nul
from .limits import refusal
from .values import raw_bytes

Mender = Callable[[Value], tuple[Value, bool]]
"""Returns what a stored value is mended to, and whether some repair touched it."""


def mender(column: ColumnPlan, enums: Sequence[EnumPlan] = ()) -> Mender | None:
    """Return the function that mends a column's values, None for a column without repairs.

    A value that no repair helps comes back without a reading. Raises KeyError for an unknown action, and when the
    column's enum is not among `enums`.
    """
    if not column.repairs:
        return None
    refused = refusal(column, enums)
    chosen = {repair.code: _action(repair, column.type.kind) for repair in column.repairs}

    def mend(value: Value) -> tuple[Value, bool]:
        left, mended = chosen, value
        while left and (code := refused(mended)) in left:
            mended = left[code](mended)
            left = {other: action for other, action in left.items() if other != code}
        return mended, left is not chosen

    return mend


def _action(repair: ValueRepair, kind: Kind) -> Callable[[Value], Value]:
    if repair.action == "to_value":
        value = _meant(repair.value or "", kind)
        return lambda _: value
    if repair.action == "strip_nul":
        return _strip_json if repair.code == "json_nul" else _strip
    return _ACTIONS[repair.action]


def _meant(text: str, kind: Kind) -> Value:
    # What is no number, or no hexadecimal digits, stays text, which such a column refuses.
    if kind in (Kind.DOUBLE, Kind.REAL):
        try:
            return float(text)
        except ValueError:
            return text
    hexadecimal = kind is Kind.BYTEA and len(text) % 2 == 0 and not set(text) - set("0123456789abcdefABCDEF")
    return binascii.unhexlify(text) if hexadecimal else text


def _strip(value: Value) -> Value:
    return value.replace("\x00", "") if isinstance(value, str) else value


def _strip_json(value: Value) -> Value:
    return without_nul(value) if isinstance(value, str) else value


def _decoded(encoding: str, errors: str = "strict") -> Callable[[Value], Value]:
    def decode(value: Value) -> Value:
        if not isinstance(value, str):
            return value
        try:
            return raw_bytes(value).decode(encoding, errors)
        except UnicodeDecodeError:
            # Bytes that the code page leaves undefined: the value stays without a reading.
            return value

    return decode


_ACTIONS: dict[str, Callable[[Value], Value]] = {
    "to_null": lambda _: None,
    "utf8_replace": _decoded("utf-8", "replace"),
    "utf8_latin1": _decoded("latin-1"),
    "utf8_cp1252": _decoded("cp1252"),
}
