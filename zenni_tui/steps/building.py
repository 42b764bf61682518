"""Builds what tables get after their rows: keys, indexes, checks, foreign keys and views, in sessions of their own."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import psycopg

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.trouble import Trouble
from zenni_tui.target import bookkeeping, ddl, existing
from zenni_tui.target.sessions import Connection, Line, Watch
from zenni_tui.target.trouble import in_words, kind_of

from .pace import Pace
from .run import Run

T = TypeVar("T")

Pack = list[ddl.Statement]
"""Statements of one transaction and one round trip."""

_SMALL_ROWS = 20_000
"""Up to here a table's statements take less time than the round trips and commits that each would need."""

_AT_ONCE = 200
"""Statements of one transaction: each relation holds a lock to its end, and room for locks is bounded."""

_MEMORY = (
    # For sorting, up to 256 MB: what a server gives by itself suits small machines; the size of its cache tells more.
    b"SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')),"
    b" least(268435456, pg_size_bytes(current_setting('effective_cache_size')) / 16)) / 1024 || 'kB', true);\n"
)


def large(table: TablePlan) -> bool:
    """Return whether each of a table's statements is worth a transaction and a session of its own."""
    return table.rows > _SMALL_ROWS


class Work(Record, frozen=True):
    """All that is made after the rows, in waves: each may begin when the one before is done.

    `first` can be made of any table in any order, several of one table at once; `then` waits for its table's indexes;
    `keys` for all tables' keys, `checks` for `keys`.
    """

    first: tuple[ddl.Statement, ...]
    then: tuple[ddl.Statement, ...]
    keys: tuple[ddl.Statement, ...]
    checks: tuple[ddl.Statement, ...]
    views: tuple[ddl.Statement, ...]

    @property
    def all(self) -> tuple[ddl.Statement, ...]:
        """Return all of it."""
        return (*self.first, *self.then, *self.keys, *self.checks, *self.views)


def work(plan: Plan) -> Work:
    """Return the work that a plan asks for."""
    big = {t.name for t in plan.tables if large(t)}
    apart = {t.name for t in plan.tables if t.name in big and t.key and _filled(t, t.key.columns)}
    keys, checks = ddl.primary_keys(plan), ddl.checks(plan)
    return Work(
        (
            *ddl.primary_key_indexes(plan, apart),
            *(s for s in keys if s.table not in big),
            *ddl.indexes(plan),
            *(s for s in checks if s.table not in big),
        ),
        (
            *ddl.attached_keys(plan, apart),
            *(s for s in keys if s.table in big - apart),
            *(s for s in checks if s.table in big),
        ),
        ddl.foreign_keys(plan, big),
        ddl.validations(plan, big),
        ddl.views(plan),
    )


def _filled(table: TablePlan, columns: Iterable[str]) -> bool:
    # Otherwise the key itself has to look for NULLs, under a lock that lets nobody else in.
    return all(table.column(c).not_null for c in columns)


def total(plan: Plan, work: Work) -> int:
    """Return the number of things by which progress is counted: the work's, counters and statistics."""
    return len(work.all) + 2 * len(plan.tables)


class Builder:
    """Makes queues of statements in one session, pack by pack; a call that failed can be repeated with what is left.

    Paused, it lets go of what it has in hand and begins it anew afterwards. `doubt` says that something may be there.
    """

    def __init__(self, run: Run, told: Callable[[Pack], None], *, doubt: bool = False) -> None:
        self._run, self._told, self._doubt = run, told, doubt
        self._line = Line(run.to)
        self._pace = Pace(run.steering.signals)
        self._watch = Watch(lambda: self._left or self._pace.held)
        self._lock = threading.Lock()
        self._in_hand: Pack = []
        self._closed = self._left = False

    def make(self, queue: list[Pack]) -> None:
        """Make what a queue holds, and take it off as it is made."""
        while queue:
            self._run.safe_point()
            self._pace.begin()
            if self._doubt:
                self._settle(queue)
            if not self._grasp(queue[0]):
                return
            try:
                self._carry_out(queue[0])
            except psycopg.Error:
                if not self._pace.let_go or self._left:
                    raise
            else:
                queue.pop(0)
            finally:
                self._in_hand = []

    def close(self) -> Pack:
        """Begin nothing more; returns what is in hand, which comes to its end."""
        with self._lock:
            self._closed = True
            return list(self._in_hand)

    def leave(self) -> None:
        """Begin nothing more, and let go of what is in hand."""
        self._left = True
        self.close()

    def hang_up(self) -> None:
        """Close the session."""
        self._line.close()

    def _grasp(self, pack: Pack) -> bool:
        with self._lock:
            self._in_hand = [] if self._closed else pack
            return not self._closed

    def _settle(self, queue: list[Pack]) -> None:
        # The server may have done what it could no longer tell us; opening the line ended its session.
        there = existing.things(self._line.connection, self._run.plan().schema)
        queue[:] = [[s for s in pack if s.thing not in there] for pack in queue]

    def _carry_out(self, pack: Pack) -> None:
        self._doubt = True
        if pack:
            with self._watch.over(self._line) as connection:
                self._make_pack(connection, pack)
        self._doubt = False

    def _make_pack(self, connection: Connection, pack: Pack) -> None:
        try:
            with fenced(connection, self._run):
                connection.execute(_MEMORY + ddl.together(pack))
                made = [(s.kind, s.name) for s in pack if s.kind == "view"]
                bookkeeping.note_made(connection, self._run.request.run_id, made)
        except psycopg.Error as error:
            if kind_of(error) is not Trouble.REFUSED:
                raise
            if len(pack) == 1:
                raise _refused(pack[0], error) from error
            for statement in pack:
                self._make_pack(connection, [statement])
            return
        self._told(pack)


@contextlib.contextmanager
def fenced(connection: Connection, run: Run) -> Iterator[None]:
    """Yield within a transaction that only the engine with the lease gets to the end of."""
    with connection.transaction():
        bookkeeping.fenced(connection, run.fence)
        yield


@contextlib.contextmanager
def briefly(connection: Connection, run: Run) -> Iterator[None]:
    """Yield as `fenced` does, but wait two seconds at most for a lock: who waits for one keeps others waiting."""
    with fenced(connection, run):
        connection.execute("SET LOCAL lock_timeout = '2s'")
        yield


def largest_first(plan: Plan, statements: Iterable[ddl.Statement]) -> list[Pack]:
    """Return packs that can be made in any order: one of each of a large table's statements, or many of small ones'."""
    widths = {i.name: len(i.columns) for i in plan.indexes}

    def effort(pack: Pack) -> tuple[int, int]:
        # An index over several columns takes longest: begun last, it would be waited for alone.
        return plan.table(pack[0].table).rows, widths.get(pack[0].name, 1)

    return sorted(packed(plan, statements, lambda s: s.table), key=effort, reverse=True)


def by_table(plan: Plan, statements: Iterable[ddl.Statement]) -> list[list[Pack]]:
    """Return what one session makes at a time, largest first: one large table's, or many small ones'."""
    queues: dict[str, list[Pack]] = {}
    for pack in largest_first(plan, statements):
        queues.setdefault(pack[0].table, []).append(pack)
    return list(queues.values())


def packed(plan: Plan, things: Iterable[T], table: Callable[[T], str]) -> Iterable[list[T]]:
    """Yield a large table's things one by one, and those of small tables many at a time."""
    small: list[T] = []
    for thing in things:
        if large(plan.table(table(thing))):
            yield [thing]
        else:
            small.append(thing)
    yield from batched(small)


def batched(things: list[T]) -> Iterable[list[T]]:
    """Yield as many things at a time as one transaction may touch."""
    for start in range(0, len(things), _AT_ONCE):
        yield things[start : start + _AT_ONCE]


def _refused(statement: ddl.Statement, error: psycopg.Error) -> StepFailed:
    return StepFailed(
        f"The server refused the {statement.kind} {statement.name}.",
        where=f'table "{statement.table}"',
        why=in_words(error),
        next_step="Look at the rows it names; then resume, or roll back.",
    )
