"""Repairs of single values, as the operator chose them: only a value that has no faithful form is ever touched."""

from collections.abc import Callable, Mapping

from zenni_tui.model.plan import ValueRepair
from zenni_tui.model.schema import Value

from .unfit import Unfit

Field = Callable[[Value], bytes]
"""Makes one field of one stored value; raises Unfit."""


def _strip_nul(value: Value, _: str | None) -> Value:
    return value.replace("\0", "") if isinstance(value, str) else value


def _strip_escapes(value: Value, _: str | None) -> Value:
    # A backslash that is itself escaped begins no escape.
    if not isinstance(value, str):
        return value
    return "\\\\".join(part.replace("\\u0000", "") for part in value.split("\\\\"))


def _raw(value: Value) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else b""


def _cp1252(value: Value, _: str | None) -> Value:
    try:
        return _raw(value).decode("cp1252")
    except UnicodeDecodeError:
        raise Unfit("text_not_utf8", "it is not Windows-1252 either") from None


_ACTIONS: dict[str, Callable[[Value, str | None], Value]] = {
    "strip_nul": _strip_nul,
    "utf8_replace": lambda value, _: _raw(value).decode("utf-8", "replace"),
    "utf8_latin1": lambda value, _: _raw(value).decode("latin-1"),
    "utf8_cp1252": _cp1252,
    "to_null": lambda _, __: None,
    "to_value": lambda _, text: text,
}


def repairing(field: Field, repairs: tuple[ValueRepair, ...]) -> Field:
    """Return a field that mends what the plain one refuses, by the repair chosen for the refusal's code."""
    by_code: Mapping[str, ValueRepair] = {r.code: r for r in repairs}

    def mended(value: Value) -> bytes:
        left = dict(by_code)
        while True:
            try:
                return field(value)
            except Unfit as unfit:
                repair = left.pop(unfit.code, None)
                if repair is None:
                    raise
                escaped = (unfit.code, repair.action) == ("json_nul", "strip_nul")
                action = _strip_escapes if escaped else _ACTIONS[repair.action]
                value = action(value, repair.value)

    return mended if repairs else field
