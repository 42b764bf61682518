"""Tries the application's queries on the snapshot and on the rehearsal's target, and compares what they find."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import RawCursor, sql

from zenni_tui.compare import results
from zenni_tui.compare.unreadable import Unreadable
from zenni_tui.compare.values import instant
from zenni_tui.convert import port
from zenni_tui.convert.port_scope import Field
from zenni_tui.model.plan import Epoch, Kind
from zenni_tui.model.queries import Proof, ProofState
from zenni_tui.source.database import quoted

from .query_samples import Sample, samples

Target = psycopg.Connection[tuple[Any, ...]]

_MOST_ROWS = 50_000
_SECONDS = 20.0
_ENOUGH = 3
"""Trials that find something, after which a query counts as proven."""

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN = frozenset({"load_extension", "readfile", "writefile", "fts3_tokenizer"})


class _Refused(Exception):
    """One side does not run the query; the message says which and why."""


@dataclass(frozen=True)
class _Found:
    rows: list[tuple[Any, ...]]
    seconds: float


class Bench:
    """Both databases, for reading only. `namespace` is the target's schema; `tables` what is carried."""

    def __init__(self, snapshot: sqlite3.Connection, target: Target, namespace: str, tables: port.Catalogue) -> None:
        self._snapshot = snapshot
        self._target = target
        self._namespace = namespace
        self._tables = tables
        self._even: set[str] = set()
        snapshot.create_function("zenni_millis", 1, _millis, deterministic=True)

    def tried(self, source: str, target: str, ported: port.Ported, count: int) -> Proof:
        """Try one query, SQLite's form and PostgreSQL's, with values from the data for its `count` parameters."""
        if ported.random:
            return Proof(ProofState.NONE, "Its result is random.")
        try:
            return self._reading(source, target, ported, count) if ported.reads else self._write(target, ported, count)
        except _Refused as error:
            return Proof(ProofState.REFUSED, str(error))

    def _write(self, target: str, ported: port.Ported, count: int) -> Proof:
        sample = next(samples(self._snapshot, ported.uses or {}, count), Sample((), (None,) * count))
        self._explained(target, sample)
        return Proof(ProofState.EXPLAINED, "A write is planned by PostgreSQL, and not run.")

    def _reading(self, source: str, target: str, ported: port.Ported, count: int) -> Proof:
        best, found, tries = Proof(ProofState.NONE, "No values are known for its parameters."), 0, 0
        for sample in samples(self._snapshot, ported.uses or {}, count):
            proof = self._compared(source, target, ported, sample)
            if proof.state is ProofState.DIFFERS:
                return proof
            tries += 1
            found += proof.state is ProofState.EQUAL
            best = max(best, proof, key=lambda p: (p.state is ProofState.EQUAL, p.state is not ProofState.NONE, p.rows))
            if found == _ENOUGH or not count:
                break
        if not tries:
            self._explained(target, Sample((), (None,) * count))
        return best

    def _compared(self, source: str, target: str, ported: port.Ported, sample: Sample) -> Proof:
        here, there = self._here(source, sample), self._there(target, sample)
        outcome = results.compare(here.rows, there.rows, ported.order, ported.lists)
        if outcome.why and ported.whole is not None:
            whole = self._whole(ported.whole, ported, sample)
            outcome = whole or outcome
        if outcome.why:
            outcome = self._evened(source, there, ported, sample) or outcome
        times = (round(here.seconds, 4), round(there.seconds, 4))
        if outcome.why:
            return Proof(ProofState.DIFFERS, outcome.why, len(there.rows), *times)
        if max(len(here.rows), len(there.rows)) > _MOST_ROWS:
            return Proof(ProofState.EXPLAINED, f"More than {_MOST_ROWS:,} rows.", len(there.rows), *times)
        blank = not here.rows or (len(here.rows) == 1 and not any(here.rows[0]))
        state = ProofState.EMPTY if blank else ProofState.EQUAL
        return Proof(state, outcome.note, len(there.rows), *times)

    def _whole(self, whole: tuple[str, str], ported: port.Ported, sample: Sample) -> results.Comparison | None:
        """Compare without LIMIT: where its order does not decide which rows it takes, each side may take others."""
        here, there = self._here(whole[0], sample), self._there(_numbered(whole[1]), sample)
        found = results.compare(here.rows, there.rows, None, ported.lists)
        if found.why:
            return None
        note = "The same without its LIMIT; its order does not decide which rows that takes."
        return results.Comparison(found.rows_source, found.rows_target, "", note)

    def _evened(self, source: str, there: _Found, ported: port.Ported, sample: Sample) -> results.Comparison | None:
        """Compare with a view of the snapshot in which all dates of a column have one form."""
        uneven = self._uneven(ported.tables)
        if not uneven:
            return None
        with self._even_dates(ported.tables):
            try:
                found = results.compare(self._here(source, sample).rows, there.rows, ported.order, ported.lists)
            except _Refused:
                return None
        if found.why:
            return None
        names = ", ".join(uneven)
        note = f"Equal once all dates of {names} have one form; SQLite today finds otherwise, since they have several."
        return results.Comparison(found.rows_source, found.rows_target, "", note)

    def _uneven(self, names: tuple[str, ...]) -> list[str]:
        """Return the columns of dates that are stored in several forms, of some tables."""
        tables = [t for t in self._tables.values() if t.plan.source in names]
        return [f'"{f.table.source}"."{f.plan.source}"' for t in tables for f in t.fields.values() if _is_uneven(f)]

    @contextmanager
    def _even_dates(self, names: tuple[str, ...]) -> Iterator[None]:
        views = [t for t in self._tables.values() if t.plan.source in names]
        for table in views:
            columns = ", ".join(_evened_column(f) for f in table.fields.values())
            name = quoted(table.plan.source)
            self._snapshot.execute(f"CREATE TEMP VIEW {name} AS SELECT {columns} FROM main.{name}")  # noqa: S608 - quoted names
        try:
            yield
        finally:
            for table in views:
                self._snapshot.execute(f"DROP VIEW temp.{quoted(table.plan.source)}")

    def _here(self, text: str, sample: Sample) -> _Found:
        """Run a query on the snapshot; only reading is allowed there."""
        named = {f"p{n}": v for n, v in enumerate(sample.source, 1)}
        deadline = time.monotonic() + _SECONDS
        self._snapshot.set_authorizer(_allowed)
        self._snapshot.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            started = time.perf_counter()
            rows = self._snapshot.execute(text, named).fetchmany(_MOST_ROWS + 1)
            return _Found(rows, time.perf_counter() - started)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise _Refused(f"SQLite refuses it: {error}.") from error
        finally:
            self._snapshot.set_authorizer(None)
            self._snapshot.set_progress_handler(None, 0)

    def _there(self, text: str, sample: Sample) -> _Found:
        with self._reader() as cursor:
            cursor.execute(text.encode(), sample.target)
            started = time.perf_counter()
            cursor.execute(text.encode(), sample.target)
            rows = cursor.fetchmany(_MOST_ROWS + 1)
            return _Found(rows, time.perf_counter() - started)

    def _explained(self, text: str, sample: Sample) -> None:
        with self._reader() as cursor:
            cursor.execute(f"EXPLAIN {text}".encode(), sample.target)

    @contextmanager
    def _reader(self) -> Iterator["RawCursor[tuple[Any, ...]]"]:
        """Yield a cursor in a transaction that can only read, with the application's schema in sight."""
        try:
            with self._target.transaction(force_rollback=True), RawCursor(self._target) as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                path = sql.Identifier(self._namespace).as_string(self._target)
                limits = (("search_path", path), ("statement_timeout", str(int(_SECONDS * 1000))))
                for name, value in limits:
                    cursor.execute("SELECT set_config($1, $2, true)", (name, value))
                yield cursor
        except psycopg.Error as error:
            if self._target.closed:
                raise
            raise _Refused(f"PostgreSQL refuses it: {_said(error)}") from error


def _said(error: psycopg.Error) -> str:
    primary = error.diag.message_primary or str(error)
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"{primary}{hint}."


def _numbered(text: str) -> str:
    return port.render(text, lambda n: f"${n}")


def _allowed(action: int, first: str | None, second: str | None, _place: str | None, _by: str | None) -> int:
    called = action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() in _FORBIDDEN
    return sqlite3.SQLITE_OK if action in _READING and not called else sqlite3.SQLITE_DENY


def _millis(value: Any) -> Any:
    try:
        return value if value is None else instant(value, Epoch.MILLISECONDS) // 1000
    except Unreadable:
        return value


def _is_uneven(field: Field) -> bool:
    """Return whether a column of dates holds numbers and texts."""
    return field.held.doubt is not None and field.plan.type.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def _evened_column(field: Field) -> str:
    name = quoted(field.plan.source or "")
    return f"zenni_millis({name}) AS {name}" if _is_uneven(field) else name
