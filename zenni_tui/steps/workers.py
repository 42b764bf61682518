"""Worker processes: they read the snapshot and write or compare spans, so that the engine always hears its operator."""

import contextlib
import functools
import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg

from zenni_tui.compare import digest, groups, records
from zenni_tui.compare import rows as comparison
from zenni_tui.compare.extra import find_extra
from zenni_tui.compare.lookup import Layout, key_columns, layout
from zenni_tui.compare.multiset import compare_multiset
from zenni_tui.compare.session import pin_session
from zenni_tui.compare.source import count_quarantined, count_rows
from zenni_tui.convert import trial
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.plan import ColumnPlan, EnumPlan, Plan, Span, TablePlan
from zenni_tui.model.record import Record, from_json
from zenni_tui.model.schema import ColumnProfile, SourceSchema, SourceTable
from zenni_tui.source import audit, database, long, reader, working
from zenni_tui.target import load, trouble
from zenni_tui.target.bookkeeping import Part
from zenni_tui.target.connect import Target
from zenni_tui.target.sessions import Connection, Line, Watch

from . import aftermath, apart
from .digests import Digests
from .loading import Loader
from .pace import Held, Pace, Signals

if TYPE_CHECKING:
    from zenni_tui.source.profiling import Profiler

_WORTH_ROWS = 100_000
"""With fewer rows a table is profiled before Arrow is loaded."""


class _Desk:
    """What a worker keeps open between jobs; schema and plan are read from the run directory when first needed."""

    def __init__(self, folder: Path, target: Target | None, signals: Signals) -> None:
        self.pace = Pace(signals)
        self._folder = folder
        self._target = target
        self._watch = Watch(lambda: self.pace.held)
        self._shapes: dict[str, Layout] = {}
        self._profilers: dict[str, Profiler] = {}

    @functools.cached_property
    def source(self) -> sqlite3.Connection:
        """The snapshot, which there is not yet when a worker begins ahead of its work."""
        return database.open_frozen(working.readable(self._folder))

    @functools.cached_property
    def loading(self) -> Line:
        assert self._target is not None  # noqa: S101 - runs that load or compare have one
        return Line(self._target)

    @functools.cached_property
    def verifying(self) -> Line:
        """A session of the verifier's own, with the settings that it pins itself."""
        assert self._target is not None  # noqa: S101 - as above
        return Line(self._target, pin_session)

    def close(self) -> None:
        """Close the snapshot and the sessions."""
        for name in ("source", "loading", "verifying"):
            if (opened := self.__dict__.get(name)) is not None:
                opened.close()

    @contextlib.contextmanager
    def at(self, line: Line, table: str, span: Span) -> Iterator[Connection]:
        """Yield a session that is looked after; errors come out in the operator's terms, and Held when let go."""
        self.pace.begin()
        with _told(table, span, self.pace), self._watch.over(line) as connection:
            yield connection

    def sent(self, rows: int, size: int) -> None:
        """Heed the pace after rows and bytes were sent."""
        self.pace.spend(rows, size)

    @functools.cached_property
    def schema(self) -> SourceSchema:
        return from_json((self._folder / "schema.json").read_bytes(), SourceSchema)

    @functools.cached_property
    def plan(self) -> Plan:
        return from_json((self._folder / "plan.json").read_bytes(), Plan)

    def shape(self, connection: Connection, table: TablePlan) -> Layout:
        """Return how the target's table stands, looked up once: a far line's round trips are dear."""
        if table.name not in self._shapes:
            self._shapes[table.name] = layout(connection, self.plan.schema, table)
        return self._shapes[table.name]

    def table(self, name: str) -> SourceTable:
        found = self.schema.table(name)
        assert found is not None  # noqa: S101 - the plan was made from this schema
        return found

    def profiler(self, table: SourceTable) -> "Profiler | None":
        """Return what profiles a table by whole columns, None where that can't be or doesn't pay."""
        plain = table.kind == "table" and reader.rowid_name(table) and self.schema.encoding == "UTF-8"
        # What a column computes is read by the library that tries it.
        if table.rows < _WORTH_ROWS or not plain or any(c.generated for c in table.columns):
            return None
        if table.name not in self._profilers:
            from zenni_tui.source.profiling import Profiler  # noqa: PLC0415 - brings Arrow, which small files don't need

            self._profilers[table.name] = Profiler(working.readable(self._folder), self.source, table)
        return self._profilers[table.name]

    @functools.cached_property
    def loader(self) -> Loader:
        return Loader(self._folder, self.source, self.schema, self.plan)

    @functools.cached_property
    def digests(self) -> Digests:
        return Digests(self._folder, self.source, self.schema, self.plan)


_desk: _Desk | None = None


def sit(folder: Path, target: Target | None, signals: Signals) -> None:
    """Begin a worker process's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_the_engine, daemon=True).start()
    sit_here(folder, target, signals)


def sit_here(folder: Path, target: Target | None, signals: Signals) -> None:
    """Begin to work in this thread."""
    global _desk  # noqa: PLW0603 - a process, or the engine's one thread for it, is one desk
    _desk = _Desk(folder, target, signals)


def warm(*, arrays: bool) -> None:
    """Be there, and know how to read by whole columns where that is likely to be asked for."""
    if arrays:
        from . import columns  # noqa: F401, PLC0415 - Arrow takes its time


def leave() -> None:
    """Close what this thread has kept open."""
    _at_desk().close()


def _leave_with_the_engine() -> None:
    # A pool's workers wait on a pipe that they hold open themselves: without this they outlive a killed engine.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _at_desk() -> _Desk:
    assert _desk is not None  # noqa: S101 - the pool's initializer ran
    return _desk


def profile_span(name: str, span: Span) -> dict[str, ColumnProfile]:
    """Profile every column of a span."""
    desk = _at_desk()
    table = desk.table(name)
    profiler = desk.profiler(table)
    return profiler.profile(span) if profiler else audit.profile_span(desk.source, table, span)


def try_span(name: str, columns: Sequence[ColumnPlan], enums: Sequence[EnumPlan], span: Span) -> trial.Tried:
    """Try the conversion of some columns of a span, one value at a time."""
    desk = _at_desk()
    table = desk.table(name)
    wanted = [*table.key, *(c.source or "" for c in columns)]
    batches = long.numbered(desk.source, table, wanted, span)
    return trial.attempt(batches, columns, enums, lead=1 + len(table.key))


def find_twins(name: str, columns: Sequence[ColumnPlan], enums: Sequence[EnumPlan], scratch: Path) -> trial.Twins:
    """Find rows of a table whose key columns become equal in the target."""
    desk = _at_desk()
    table = desk.table(name)
    wanted = [*table.key, *(c.source or "" for c in columns)]
    whole, lead = Span(0, table.rows), 1 + len(table.key)
    rows = (row for batch in reader.numbered(desk.source, table, wanted, whole) for row in batch)
    return trial.twins(rows, columns, enums, lead=lead, scratch=scratch / f"twins-{os.getpid()}.db")


def find_broken(table: TablePlan, enums: Sequence[EnumPlan]) -> tuple[aftermath.Broken, ...]:
    """Find rows of a table that break a rule of its own once repaired."""
    desk = _at_desk()
    return aftermath.broken(desk.source, desk.table(table.source), table, enums)


def find_wide(name: str, columns: Sequence[ColumnPlan], most: int) -> trial.Twins:
    """Find rows that are too wide for a page; returned like twins, without others."""
    desk = _at_desk()
    table = desk.table(name)
    wanted = [*table.key, *(c.source or "" for c in columns)]
    whole, lead = Span(0, table.rows), 1 + len(table.key)
    rows = (row for batch in reader.numbered(desk.source, table, wanted, whole) for row in batch)
    wide = [trial.named(row[:lead]) for row in rows if trial.least_width(row[lead:], columns) > most]
    return trial.Twins(tuple(key for key, _ in wide), (), tuple(number for _, number in wide))


def load_parts(parts: Sequence[Part], ticket: load.Ticket) -> list[load.Loaded]:
    """Load parts into the target in one transaction; rows in quarantine go into the side table instead.

    No more than a chunk's rows are loaded: the last one may come to an end before its end, and others not at all.
    """
    desk = _at_desk()
    chunk = list(_chunk(desk, parts))
    with (
        desk.at(desk.loading, chunk[0].table, chunk[0].span) as connection,
        load.shipment(connection, ticket, desk.plan.schema, chunk) as arriving,
    ):
        loaded = [_load(desk, arriving, desk.plan.table(part.table), part.span) for part in chunk]
    # A part that another session brought may have been another part of its span: the target is asked in the end.
    cut = chunk[-1].span.rows < parts[len(chunk) - 1].span.rows and not loaded[-1].before
    return [*loaded[:-1], msgspec.structs.replace(loaded[-1], upto=chunk[-1].upto)] if cut else loaded


def _chunk(desk: _Desk, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield parts as long as a chunk has room for them, the last one cut, and one at least."""
    most = left = desk.pace.chunk
    for part in parts:
        if most and left <= 0:
            return
        table = desk.table(desk.plan.table(part.table).source)
        span = reader.cut(desk.source, table, part.span, left) if most else part.span
        yield part._replace(span=span)
        left -= span.rows


def _load(desk: _Desk, arriving: load.Shipment, table: TablePlan, span: Span) -> load.Loaded:
    declared = desk.table(table.source)
    with _told(table.name, span, desk.pace):
        aside = apart.rows(desk.source, declared, apart.within(table, span))
        return arriving.take(table, span, lambda: desk.loader.data(table, declared, span, desk.sent), aside)


def compare_span(
    name: str, key: tuple[str, ...], span: Span, chosen: frozenset[str] | None = None
) -> records.SpanComparison:
    """Compare a span of the snapshot, or its rows of some groups, with the target's rows of the same key."""
    desk = _at_desk()
    table, enums = desk.plan.table(name), desk.plan.enums
    with desk.at(desk.verifying, table.name, span) as connection:
        only = None
        if chosen is not None:
            only = groups.rows_within(desk.source, table, span, chosen, key=_places(table, key), enums=enums)
        return comparison.compare_span(
            desk.source,
            connection,
            desk.plan.schema,
            table,
            span,
            unique=key,
            enums=enums,
            shape=desk.shape(connection, table),
            only=only,
        )


def _places(table: TablePlan, key: tuple[str, ...]) -> tuple[int, ...]:
    places = key_columns(table, key)
    assert places is not None  # noqa: S101 - the plan gave the key, which names rows
    return places


def digest_part(name: str, _: int, span: Span | None, piece: digest.Piece | None) -> digest.Part:
    """Compare a span of the snapshot, and a piece of the target's table, by digests."""
    desk = _at_desk()
    table = desk.plan.table(name)
    with desk.at(desk.verifying, table.name, span or Span(0, table.rows)) as connection:
        declared = desk.table(table.source)
        return digest.compare_part(
            desk.source,
            connection,
            desk.plan.schema,
            table,
            (span, piece),
            enums=desk.plan.enums,
            shape=desk.shape(connection, table),
            read=functools.partial(desk.digests.of, table, declared),
            short=desk.digests.short(table, declared),
        )


def group_part(name: str, key: tuple[str, ...], span: Span | None, piece: digest.Piece | None) -> groups.Sides:
    """Read a span of the snapshot, and a piece of the target's table, in groups."""
    desk = _at_desk()
    table = desk.plan.table(name)
    with desk.at(desk.verifying, table.name, span or Span(0, table.rows)) as connection:
        shape, places = desk.shape(connection, table), _places(table, key)
        return groups.compare_groups(
            desk.source, connection, shape, table, (span, piece), key=places, enums=desk.plan.enums
        )


class TableEnd(Record, frozen=True):
    """What closes a table's comparison: rows of both sides, counted, and rows that only one side has."""

    rows_source: int
    rows_target: int
    rows_differing: int = 0
    differences: tuple[records.Difference, ...] = ()
    rows_quarantined: int = 0
    rows_repaired: int = 0


def count_table(name: str, rows_target: int) -> TableEnd:
    """Count the snapshot's rows of a table whose digests are equal; the target's were counted with its digest."""
    desk = _at_desk()
    table = desk.plan.table(name)
    with _told(table.name, Span(0, table.rows), desk.pace):
        quarantined = count_quarantined(desk.source, table)
        return TableEnd(count_rows(desk.source, table), rows_target, rows_quarantined=quarantined)


def close_table(name: str, key: tuple[str, ...], scratch: Path) -> TableEnd:
    """Count both sides and name what only one has; a table without a key is compared here, row against row."""
    desk = _at_desk()
    table = desk.plan.table(name)
    place = scratch / f"tally-{os.getpid()}.db"
    with desk.at(desk.verifying, table.name, Span(0, table.rows)) as connection:
        if not key:
            return _unkeyed(desk, connection, table, place)
        counts = comparison.compare_counts(desk.source, connection, desk.plan.schema, table)
        # A row that should be apart can stand in for one that is missing: then the counts alone are equal.
        if counts.equal and not table.quarantine:
            return TableEnd(counts.rows_source, counts.rows_target, rows_quarantined=counts.rows_quarantined)
        extra = find_extra(desk.source, connection, desk.plan.schema, table, place, unique=key, enums=desk.plan.enums)
        return TableEnd(
            counts.rows_source, counts.rows_target, extra.rows_extra, extra.differences, counts.rows_quarantined
        )


def _unkeyed(desk: _Desk, connection: Connection, table: TablePlan, place: Path) -> TableEnd:
    whole = compare_multiset(desk.source, connection, desk.plan.schema, table, place, enums=desk.plan.enums)
    return TableEnd(
        whole.rows_source,
        whole.rows_target,
        whole.rows_differing,
        whole.differences,
        whole.rows_quarantined,
        whole.rows_repaired,
    )


def close_groups(name: str, key: tuple[str, ...], chosen: Sequence[str], rows_target: int, scratch: Path) -> TableEnd:
    """Count the snapshot's rows of a table and name, in some groups of it, the rows that only one side has."""
    desk = _at_desk()
    table = desk.plan.table(name)
    place = scratch / f"tally-{os.getpid()}.db"
    with desk.at(desk.verifying, table.name, Span(0, table.rows)) as connection:
        rows, quarantined = count_rows(desk.source, table), count_quarantined(desk.source, table)
        extra = find_extra(
            desk.source,
            connection,
            desk.plan.schema,
            table,
            place,
            unique=key,
            enums=desk.plan.enums,
            chosen=chosen,
        )
        return TableEnd(rows, rows_target, extra.rows_extra, extra.differences, quarantined)


@contextlib.contextmanager
def _told(table: str, span: Span, pace: Pace) -> Iterator[None]:
    where = f'table "{table}", rows {span.number} (span of {span.rows})'
    try:
        yield
    except (psycopg.Error, NotReady) as error:
        if pace.let_go:
            raise Held from None
        raise trouble.told(error, where) from None
    except (sqlite3.Error, Unfit) as error:
        raise StepFailed(
            "The snapshot could not be read as it was audited.",
            where=where,
            why=str(error),
            next_step="Roll back and start again with a new snapshot.",
        ) from None
