"""Reads the texts of `sqlite_schema`: what CREATE statements say and the PRAGMAs leave out."""

from itertools import pairwise

from .create_index import parse_index
from .create_table import parse_table
from .syntax import Reader
from .tokens import Unparsable, tokens
from .written import ColumnText, ForeignKeyText, IndexText, KeyText, PartText, TableText

__all__ = [
    "ColumnText",
    "ForeignKeyText",
    "IndexText",
    "KeyText",
    "PartText",
    "TableText",
    "Unparsable",
    "collations",
    "parse_index",
    "parse_table",
    "virtual_module",
]


def virtual_module(sql: str) -> str | None:
    """Return the module's name in a CREATE VIRTUAL TABLE, None for any other text."""
    try:
        text = Reader(sql)
        text.must("CREATE", "VIRTUAL", "TABLE")
        text.has("IF", "NOT", "EXISTS")
        text.object_name()
        text.must("USING")
        return text.name()
    except Unparsable:
        return None


def collations(sql: str) -> frozenset[str]:
    """Return every name that follows COLLATE anywhere in a text; empty when it has no tokens that SQLite knows."""
    try:
        found = tokens(sql)
    except Unparsable:
        return frozenset()
    return frozenset(t.name for before, t in pairwise(found) if before.word == "COLLATE" and t.is_name)
