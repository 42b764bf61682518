"""What the texts of each column look like, asked of the snapshot before anything is offered to the operator."""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from zenni_tui.convert import shapes
from zenni_tui.convert.trial import Tried, key_text
from zenni_tui.model.findings import SHOWN_KEYS
from zenni_tui.model.plan import ColumnPlan, Span, TargetType, parse_type
from zenni_tui.model.schema import ColumnProfile, Misfits, SourceTable, TableProfile, TextShape
from zenni_tui.source import database, reader

from .pool import Pool
from .run import Run
from .workers import try_span

_LONGEST = 1 << 20
"""Longer texts are no values of another type, and a sample of them would fill the memory."""

Shapes = dict[str, dict[str, TextShape]]
"""By source table and column."""


async def look(
    run: Run,
    tables: Mapping[str, SourceTable],
    profiles: Mapping[str, TableProfile],
    spans: Mapping[str, tuple[Span, ...]],
) -> Shapes:
    """Return the shapes of the columns that hold texts only; a sample decides what all of their rows are tried on."""
    samples = await asyncio.to_thread(_samples, run, tables, profiles)
    made = await asyncio.to_thread(_first_look, run, samples, tables, profiles)
    words: dict[TargetType, str] = {}
    jobs: dict[tuple[str, TargetType], list[str]] = defaultdict(list)
    for table, columns in samples.items():
        for column, texts in columns.items():
            for word in shapes.candidates(texts):
                words[parse_type(word)] = word
                jobs[table, parse_type(word)].append(column)
    found: dict[tuple[str, str, str], list[str]] = {
        (table, column, words[kind]): [] for (table, kind), columns in jobs.items() for column in columns
    }

    def done(result: Tried, table: str, columns: list[ColumnPlan], *_: object) -> None:
        word = words[columns[0].type]
        for trouble in result.troubles:
            found[table, trouble.column, word] += trouble.keys
        for column, keys in result.doubled.items():
            found[table, column, word] += keys

    pieces = (
        (table, [ColumnPlan(c, c, kind) for c in columns], (), span)
        for (table, kind), columns in jobs.items()
        for span in spans.get(table, ())
    )
    await Pool.of(run).each(pieces, try_span, done)
    for (table, column, word), keys in found.items():
        made[table][column] = _with_type(made[table][column], word, keys)
    return made


def _with_type(shape: TextShape, word: str, keys: list[str]) -> TextShape:
    if not keys:
        return msgspec.structs.replace(shape, types=(*shape.types, word))
    if not shapes.nearly(shape.count, len(keys)):
        return shape
    return msgspec.structs.replace(shape, misfits={**shape.misfits, word: _misfits(keys)})


def _misfits(keys: list[str]) -> Misfits:
    return Misfits(len(keys), tuple(keys[:SHOWN_KEYS]))


def _only_texts(profile: ColumnProfile) -> bool:
    others = profile.integers or profile.reals or profile.blobs or profile.suspect_text
    return profile.texts > 0 and profile.longest <= _LONGEST and not others


def _samples(
    run: Run, tables: Mapping[str, SourceTable], profiles: Mapping[str, TableProfile]
) -> dict[str, dict[str, list[str]]]:
    made = {}
    snapshot = database.open_frozen(run.snapshot)
    try:
        for name, table in tables.items():
            columns = [c for c, p in profiles[name].columns.items() if _only_texts(p)]
            if table.kind == "table" and columns:
                query, values = reader.select(table, columns, Span(0, table.rows))
                rows = snapshot.execute(f"{query} LIMIT {shapes.SAMPLE}", values).fetchall()
                texts = zip(*rows, strict=True)
                made[name] = {
                    c: [t for t in some if isinstance(t, str)] for c, some in zip(columns, texts, strict=True)
                }
    finally:
        snapshot.close()
    return made


def _first_look(
    run: Run,
    samples: Mapping[str, dict[str, list[str]]],
    tables: Mapping[str, SourceTable],
    profiles: Mapping[str, TableProfile],
) -> Shapes:
    snapshot = database.open_frozen(run.snapshot)
    try:
        return {
            name: {
                column: _shape(snapshot, tables[name], column, profiles[name].columns[column], texts)
                for column, texts in columns.items()
            }
            for name, columns in samples.items()
        }
    finally:
        snapshot.close()


def _shape(
    snapshot: sqlite3.Connection, table: SourceTable, column: str, profile: ColumnProfile, texts: list[str]
) -> TextShape:
    shape = TextShape(profile.texts)
    if profile.words and shapes.may_be_closed(texts):
        shape = msgspec.structs.replace(shape, values=profile.words)
    if column.lower() in shapes.NAMES:
        distinct, doubled = _doubles(snapshot, table, column, profile.texts)
        shape = msgspec.structs.replace(shape, distinct=distinct, doubled=doubled)
    return shape


def _doubles(snapshot: sqlite3.Connection, table: SourceTable, column: str, count: int) -> tuple[bool, Misfits | None]:
    """Return whether no text occurs twice, and else the rows whose text another has, where they are few."""
    name, of = database.quoted(column), database.quoted(table.name)
    twice = f"SELECT {name} COLLATE BINARY FROM {of} WHERE typeof({name}) = 'text' GROUP BY 1 HAVING count(*) > 1"  # noqa: S608 - quoted names
    (values,) = snapshot.execute(f"SELECT count(*) FROM ({twice})").fetchone()  # noqa: S608 - as above
    if not values or not shapes.nearly(count, values):
        return not values, None
    rowid = reader.rowid_name(table)
    lead = [rowid, *table.key] if rowid else list(table.key)
    shown = ", ".join(map(database.quoted, lead))
    rows = snapshot.execute(f"SELECT {shown} FROM {of} WHERE {name} COLLATE BINARY IN ({twice})").fetchall()  # noqa: S608 - as above
    return False, _misfits([key_text(r, rowids=rowid is not None) for r in rows])
