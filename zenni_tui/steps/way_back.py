"""Following backwards while the rollback window is open: what is written in PostgreSQL, in the old file as well."""

import contextlib
import sqlite3
from collections.abc import Mapping

import psycopg

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.source import apply, live
from zenni_tui.target import bookkeeping, capture

from . import backward, written_rows
from .backward import Followed, Way
from .run import Run

FINGERPRINT = "captured.fingerprint"
"""Where the run keeps what the captured tables looked like when logging began."""
_TRIM_ENTRIES = 1000
_SHOWN = 5


class WayBack:
    """Both ends of the way, opened when needed and again when lost; to be used from one thread at a time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._plan = run.plan_meanwhile()
        self._target: bookkeeping.Connection | None = None
        self._file: sqlite3.Connection | None = None
        self._ways: Mapping[str, Way] = {}
        self._applied = 0
        self._expected = (run.folder / FINGERPRINT).read_text()

    def once(self) -> Followed:
        """Apply what was committed since the last look; raises StepFailed, and psycopg.Error for what may pass.

        The file is then as it was.
        """
        try:
            return self._once()
        except psycopg.OperationalError:
            self.close()
            raise

    def _once(self) -> Followed:
        target, file = self._ends()
        with target.transaction():
            bookkeeping.fenced(target, self._run.fence)
        self._same_tables(target)
        done = backward.follow(target, file, self._ways, self._position(file))
        if not done.entries:
            return done
        self._applied += done.entries
        if self._applied >= _TRIM_ENTRIES:
            capture.forget(target, done.upto)
            self._applied = 0
        return done

    def _same_tables(self, target: bookkeeping.Connection) -> None:
        if capture.fingerprint(target) == self._expected.partition("\n")[0]:
            return
        found = capture.reshaped(self._expected, capture.shape(target))
        if not found:
            return
        raise StepFailed(
            "The target's tables were changed: what is written there can't be followed back any more.",
            where=f"{self._run.to.label()}: {'; '.join(found[:_SHOWN])}",
            why="They are not as they were at the switch, and the old file has no place for what is written there.",
            next_step="Take the change back and give: zenni-tui resume. Else no fall-back brings the newest writes: end"
            " the window with zenni-tui finish --confirm FINISH.",
        )

    def _position(self, file: sqlite3.Connection) -> str:
        position = apply.position(file)
        if position is None:
            raise StepFailed(
                "The old file does not know how far it has been followed.",
                where=str(self._run.source),
                why=f"Its table {apply.POSITION} is gone: another file may stand in its place.",
                next_step="Put the file of the switch back, then give: zenni-tui resume.",
            )
        return position

    def _ends(self) -> tuple[bookkeeping.Connection, sqlite3.Connection]:
        if self._target is None or self._target.closed:
            self._target = self._run.to.connect()
        if self._file is None:
            self._file = live.open_live(self._run.source)
            self._ways = ways(self._run, self._plan, self._file)
        return self._target, self._file

    def lag(self) -> int:
        """Return how many entries of the log wait to be applied; raises as `once`."""
        target, file = self._ends()
        return capture.lag(target, self._position(file))

    def raise_counters(self) -> int:
        """Let the old file's counters go on after the target's; returns how many were raised."""
        target, file = self._ends()
        counters = {t.source: _last(target, self._plan, t) for t in self._plan.tables if t.counter is not None}
        return apply.raise_counters(file, {name: last for name, last in counters.items() if last})

    def compare(self) -> written_rows.Compared:
        """Compare on both sides all rows that were ever written on the new one, and each table's count of rows."""
        target, file = self._ends()
        capture.forget(target, self._position(file))
        return written_rows.compare(target, file, self._plan, self._ways, self._run.folder / "compare.db")

    def close(self) -> None:
        """Let go of both ends."""
        for end in (self._target, self._file):
            if end is not None:
                with contextlib.suppress(psycopg.Error, sqlite3.Error):
                    end.close()
        self._target = self._file = None


def ways(run: Run, plan: Plan, file: sqlite3.Connection) -> dict[str, Way]:
    """Return each table's way back, by its name in the target."""
    schema = run.schema()
    found = {}
    for table in plan.tables:
        source = schema.table(table.source)
        if source is not None:
            found[table.name] = Way(table, source, plan.enums, plan.row_key(table), backward.samples(file, table))
    return found


def _last(target: bookkeeping.Connection, plan: Plan, table: TablePlan) -> int:
    """Return the last number that a table's counter gave out, 0 for none."""
    name = next((c.name for c in table.columns if c.counter is not None), None)
    if name is None:
        return 0
    row = target.execute(
        "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(format('%%I.%%I', %s::text, %s::text), %s)), 0)",
        (plan.schema, table.name, name),
    ).fetchone()
    return int(row[0]) if row else 0
