"""Assertions of the customer's own: queries that must find nothing, or the same, on both sides."""

import sqlite3
from collections.abc import Iterable

from zenni_tui.convert import rules, translate
from zenni_tui.errors import StepFailed
from zenni_tui.model.findings import SHOWN_KEYS, Evidence, Finding, Repair, Severity
from zenni_tui.model.plan import Plan
from zenni_tui.model.profiles import Profiles
from zenni_tui.source import database
from zenni_tui.target.bookkeeping import Connection

from .run import Run

_MOST_ROWS = 100_000


def on_source(run: Run) -> list[Evidence]:
    """Run every assertion on the snapshot; each row it finds is a row that breaks it."""
    snapshot = database.open_frozen(run.snapshot)
    try:
        return [one for name, sql in run.request.assertions.items() for one in _broken(snapshot, name, sql)]
    finally:
        snapshot.close()


def _broken(snapshot: sqlite3.Connection, name: str, sql: str) -> Iterable[Evidence]:
    try:
        rows = snapshot.execute(sql).fetchmany(_MOST_ROWS)
    except sqlite3.Error as error:
        yield Evidence(_finding("assertion_refused", name, f"SQLite refuses it: {error}", ()))
        return
    if rows:
        keys = tuple(", ".join(map(str, row)) for row in rows)
        yield Evidence(_finding("assertion_broken", name, f"it finds {len(rows):,} rows", keys), keys)


def _finding(code: str, name: str, reason: str, keys: tuple[str, ...]) -> Finding:
    accept = Repair("accept", lossless=False, text="carry these rows as they are")
    return Finding(
        code,
        Severity.ERROR,
        f'The assertion "{name}" of [verify.assertions] does not hold in the source: {reason}.',
        "Mend the rows in the source, or accept them as they are.",
        name,
        None,
        len(keys),
        keys[:SHOWN_KEYS],
        (accept,) if keys else (),
    )


def on_target(run: Run, connection: Connection, plan: Plan) -> int:
    """Run every assertion on the target, where it must find as many rows as in the source; returns how many held."""
    snapshot = database.open_frozen(run.snapshot)
    try:
        for name, sql in run.request.assertions.items():
            text = run.request.assertions_target.get(name) or _translated(run, name, sql, plan)
            here = len(snapshot.execute(sql).fetchmany(_MOST_ROWS))
            there = len(connection.execute(text.encode()).fetchmany(_MOST_ROWS))
            if here != there:
                raise StepFailed(
                    f'The assertion "{name}" finds another number of rows in the target.',
                    where=text,
                    why=f"{here:,} rows in the source, {there:,} in the target.",
                    next_step="Compare what it finds on both sides; don't switch before they agree.",
                )
    finally:
        snapshot.close()
    return len(run.request.assertions)


def _translated(run: Run, name: str, sql: str, plan: Plan) -> str:
    schema, profiles = run.schema(), run.load("profiles.json", Profiles)
    known = {
        t.source: (t.name, rules.meanings(source, t, profiles.tables.get(t.source)))
        for t in plan.tables
        if (source := schema.table(t.source))
    }
    try:
        return translate.view(f"CREATE VIEW assertion AS {sql.strip().rstrip(';')}", known, plan.schema)
    except translate.Untranslatable as error:
        raise StepFailed(
            f'The assertion "{name}" can\'t be translated.',
            where=sql,
            why=error.reason,
            next_step=f'Write its PostgreSQL form under [verify.on_target] "{name}".',
        ) from None
