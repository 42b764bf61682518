"""PLACEHOLDER until the translator lands (being written now by its owner, who overwrites this file)."""

import re
from collections.abc import Mapping

from zenni_tui.model.plan import Default, DefaultKind, Kind, TargetType

Columns = Mapping[str, tuple[str, TargetType]]


class Untranslatable(ValueError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def expression(text: str, columns: Columns) -> str:
    raise Untranslatable("the translator is not here yet")


def boolean(text: str, columns: Columns) -> str:
    raise Untranslatable("the translator is not here yet")


def view(text: str, tables: object, namespace: str) -> str:
    raise Untranslatable("the translator is not here yet")


_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_NOW = re.compile(r"\(?\s*(current_timestamp|datetime\(\s*'now'\s*\))\s*\)?", re.IGNORECASE)


def default(text: str, kind: TargetType) -> Default | None:
    if text.strip().upper() in ("NULL", "(NULL)"):
        return None
    plain = text.strip()
    if _NOW.fullmatch(plain):
        return Default(DefaultKind.NOW)
    if kind.kind is Kind.BOOLEAN:
        return Default(DefaultKind.LITERAL, "true" if plain.strip("'\"").lower() in ("1", "true") else "false")
    if _NUMBER.fullmatch(plain):
        return Default(DefaultKind.LITERAL, plain)
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        return Default(DefaultKind.LITERAL, plain[1:-1].replace(plain[0] * 2, plain[0]))
    raise Untranslatable("not known")
