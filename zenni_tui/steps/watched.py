"""Sees to it that the source's tables are watched as they should be, and says so loudly when they are not."""

import asyncio
import sqlite3

import msgspec

from zenni_tui.errors import StepFailed
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import SourceSchema, SourceTable
from zenni_tui.source import capture

from . import forward
from .arming import declared, token
from .run import Run

_LOST = "lost.json"


class Lost(Record, frozen=True):
    """Tables whose triggers vanished, as an earlier attempt has told the operator."""

    tables: tuple[str, ...]


class Guard:
    """Looks at one file's triggers whenever its schema has changed."""

    def __init__(self, run: Run, file: sqlite3.Connection, model: forward.Model) -> None:
        self._run, self._file, self._model = run, file, model
        self._version: int | None = None

    def look(self) -> None:
        """Raise StepFailed with the tables that are no longer watched; cheap while the schema stays as it is."""
        version = capture.schema_version(self._file)
        if version == self._version:
            return
        lost = self._lost()
        if lost:
            self._run.save(_LOST, Lost(lost))
            raise _vanished(self._run, lost)
        self._version = version

    def settle(self, beyond: int) -> None:
        """Watch by the plan's keys, and anew what the operator has been told of; raises StepFailed for anything else.

        The log's numbers go on after `beyond`, should it have vanished.
        """
        path = self._run.folder / _LOST
        told = set(self._run.load(_LOST, Lost).tables) if path.exists() else set[str]()
        lost = self._lost()
        if not set(lost) <= told:
            self.look()
        again = {name: key for name, key in self._wanted().items() if name in lost or name in self._otherwise()}
        if again:
            _same_shape(self._run, self._model.schema, tuple(again))
            capture.arm_again(self._file, self._model.schema, again, token=token(self._run), beyond=beyond)
            self._run.check(StepId.CATCH_UP, "watched anew", f"copied whole again: {', '.join(sorted(again))}", ok=None)
        path.unlink(missing_ok=True)
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


def _same_shape(run: Run, schema: SourceSchema, names: tuple[str, ...]) -> None:
    """Make sure that tables to be copied again are still those that were planned."""
    now = asyncio.run(declared(run))
    other = [name for name in names if _bare(now.table(name)) != _bare(schema.table(name))]
    if other:
        raise StepFailed(
            "Tables of the source are others now than those that were planned.",
            where=f"{run.source}: {', '.join(other)}",
            why="Their columns or rules were changed after the snapshot.",
            next_step="Roll back (zenni-tui rollback), rehearse, and migrate again.",
        )


def _bare(table: SourceTable | None) -> SourceTable | None:
    return table and msgspec.structs.replace(table, rows=0, counter=None, sql="")
