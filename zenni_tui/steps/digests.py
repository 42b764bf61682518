"""Reads spans of the snapshot for their digests: column by column where that is safe and pays, else value by value."""

import functools
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from zenni_tui.compare import digest
from zenni_tui.compare.rowbytes import LONG
from zenni_tui.model.plan import Kind, Plan, Span, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import from_json
from zenni_tui.model.schema import ColumnProfile, SourceSchema, SourceTable
from zenni_tui.source import working

from . import apart, loading

if TYPE_CHECKING:
    from .spelling import Spelling

_AS_STORED = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.JSON})


class Digests:
    """How the spans of one snapshot are read for their digests."""

    def __init__(self, folder: Path, source: sqlite3.Connection, schema: SourceSchema, plan: Plan) -> None:
        self._folder, self._source, self._schema, self._plan = folder, source, schema, plan
        self._spellings: dict[str, Spelling | None] = {}

    def of(self, table: TablePlan, declared: SourceTable, span: Span) -> digest.SourceDigest:
        """Return the digest of a span's rows; raises as `digest.source_digest` does."""
        spelling = None if apart.within(table, span) else self._chosen(table, declared)
        if spelling is None:
            return digest.source_digest(self._source, table, span, self._plan.enums)
        return spelling.digest(working.readable(self._folder), self._source, span)

    def short(self, table: TablePlan, declared: SourceTable) -> Collection[str]:
        """Return the target columns whose texts the audit found never to be long."""
        profiles = self._profile(declared)
        return frozenset(
            c.name
            for c in table.carried
            if c.type.kind in _AS_STORED
            and not c.repairs
            and (stored := declared.column(c.source or "")) is not None
            and stored.name in profiles
            and profiles[stored.name].longest_bytes <= LONG
        )

    @functools.cached_property
    def _profiles(self) -> Profiles | None:
        path = self._folder / "profiles.json"
        return from_json(path.read_bytes(), Profiles) if path.exists() else None

    def _profile(self, declared: SourceTable) -> dict[str, ColumnProfile]:
        tables = self._profiles.tables if self._profiles is not None else {}
        return tables[declared.name].columns if declared.name in tables else {}

    def _chosen(self, table: TablePlan, declared: SourceTable) -> "Spelling | None":
        if table.name not in self._spellings:
            self._spellings[table.name] = self._choose(table, declared)
        return self._spellings[table.name]

    def _choose(self, table: TablePlan, declared: SourceTable) -> "Spelling | None":
        profiles = self._profile(declared)
        most = loading.at_once(self._schema, declared, table.rows, profiles) if profiles else 0
        if not most:
            return None
        from .spelling import Spelling  # noqa: PLC0415 - Arrow is loaded by workers only, and for large tables only

        return Spelling(declared, table, self._plan, profiles, most)
