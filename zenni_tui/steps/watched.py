"""Sees to it that the source's tables are watched as they should be, and says so loudly when they are not."""

import asyncio
import sqlite3
from contextlib import closing

from zenni_tui.errors import StepFailed
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import capture, database, redeclared

from . import forward
from .arming import declared, token
from .run import Run

_LOST = "lost.json"


class Lost(Record, frozen=True):
    """Tables that an earlier attempt has told the operator of: triggers vanished, or rows were rewritten by DDL."""

    tables: tuple[str, ...]


class Guard:
    """Looks at one file's declarations and our triggers whenever its schema has changed."""

    def __init__(self, run: Run, file: sqlite3.Connection, model: forward.Model) -> None:
        self._run, self._file, self._model = run, file, model
        self._version: int | None = None
        with closing(database.open_frozen(run.snapshot)) as snapshot:
            self._planned = redeclared.texts(snapshot)

    def look(self) -> None:
        """Raise StepFailed for whatever is declared otherwise than in the snapshot, and for tables no longer watched.

        Cheap while the schema stays as it is.
        """
        version = capture.schema_version(self._file)
        if version == self._version:
            return
        found, lost = self._redeclared(), self._lost()
        if found.words or lost:
            self._remember({*lost, *found.rewritten})
        if found.words:
            raise _otherwise(self._run, found.words)
        if lost:
            raise _vanished(self._run, lost)
        self._version = version

    def _redeclared(self) -> redeclared.Redeclared:
        def schemas() -> tuple[SourceSchema, SourceSchema]:
            return self._model.schema, asyncio.run(declared(self._run, counted=False))

        return redeclared.compare(self._planned, redeclared.texts(self._file), self._wanted(), schemas)

    def _told(self) -> set[str]:
        there = (self._run.folder / _LOST).exists()
        return set(self._run.load(_LOST, Lost).tables) if there else set()

    def _remember(self, tables: set[str]) -> None:
        self._run.save(_LOST, Lost(tuple(sorted(self._told() | tables))))

    def settle(self, beyond: int) -> None:
        """Watch by the plan's keys, and anew what the operator has been told of; raises StepFailed for anything else.

        The log's numbers go on after `beyond`, should it have vanished.
        """
        told, found = self._told(), self._redeclared()
        if found.words or not told.issuperset(self._lost()):
            self.look()
        wanted = told | self._otherwise()
        again = {name: key for name, key in self._wanted().items() if name in wanted}
        if again:
            capture.arm_again(self._file, self._model.schema, again, token=token(self._run), beyond=beyond)
            self._run.check(StepId.CATCH_UP, "watched anew", f"copied whole again: {', '.join(sorted(again))}", ok=None)
        (self._run.folder / _LOST).unlink(missing_ok=True)
        self._version = None
        self.look()

    def _wanted(self) -> dict[str, tuple[str, ...]]:
        return forward.keys(self._model.plan)

    def _lost(self) -> tuple[str, ...]:
        if capture.armed(self._file) != token(self._run):
            return tuple(self._wanted())
        there = set(capture.lost(self._file, self._model.schema))
        unwatched = self._wanted().keys() - {w.table for w in capture.watched(self._file)}
        return tuple(name for name in self._wanted() if name in there or name in unwatched)

    def _otherwise(self) -> set[str]:
        """Return the tables that are watched by another key than the plan's."""
        if capture.armed(self._file) != token(self._run):
            return set()
        by = {w.table: w.key for w in capture.watched(self._file)}
        return {name for name, key in self._wanted().items() if by.get(name, key) != key}


def _vanished(run: Run, lost: tuple[str, ...]) -> StepFailed:
    return StepFailed(
        "The triggers that log the application's writes are gone.",
        where=f"{run.source}: {', '.join(lost)}",
        why="A migration tool that rebuilds a table drops them without a word; what was written since is in no log.",
        next_step="When the change to the tables is over: zenni-tui resume watches them anew and copies them whole.",
    )


def _otherwise(run: Run, found: tuple[str, ...]) -> StepFailed:
    return StepFailed(
        "Tables of the source are others now than those that were planned.",
        where=f"{run.source}: {'; '.join(found)}",
        why="They were changed after the snapshot; what is written there would not reach the target as it should.",
        next_step="Take the change back, then: zenni-tui resume. To keep it: zenni-tui rollback, rehearse, and migrate"
        " again.",
    )
