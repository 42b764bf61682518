"""What a verification has already read, remembered in the run directory, so that a resume goes on where it was."""

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from zenni_tui.compare.digest import Part, Piece
from zenni_tui.model.plan import Plan, Span
from zenni_tui.model.record import Record, from_json, to_json
from zenni_tui.model.runbook import StepId

from .run import Run

T = TypeVar("T")

_NAME = "verified.jsonl"

Job = tuple[str, int, Span | None, Piece | None]


class _Head(Record, frozen=True):
    """Of what the figures are: the plan, the copy that it was carried out by, and where the target was cut."""

    plan: str
    copied: float
    pieces: dict[str, tuple[Piece, ...]]


class _Line(Record, frozen=True):
    table: str
    number: int
    part: Part


class Verified:
    """The digests of one verification; a half-written last line of the file is read again from the databases."""

    def __init__(self, run: Run, plan: Plan) -> None:
        self._run, self._plan = run, plan
        self._copied = run.state().step(StepId.COPY).started
        self._path = run.folder / _NAME
        self.pieces: dict[str, tuple[Piece, ...]] = {}
        self.parts: dict[tuple[str, int], Part] = {}
        lines = self._path.read_bytes().split(b"\n")[:-1] if self._path.exists() else []
        head = from_json(lines[0], _Head) if lines else None
        if head is not None and (head.plan, head.copied) == (plan.hash, self._copied):
            self.pieces = head.pieces
            self.parts = {(one.table, one.number): one.part for one in (from_json(n, _Line) for n in lines[1:])}

    def begin(self, pieces: dict[str, tuple[Piece, ...]]) -> None:
        """Begin a file of its own, or go on with the one that is there, without a torn line."""
        self.pieces = pieces
        lines: list[object] = [_Head(self._plan.hash, self._copied, pieces)]
        lines += [_Line(*where, part) for where, part in self.parts.items()]
        self._run.write(_NAME, b"".join(to_json(line) + b"\n" for line in lines))

    def keep(self, table: str, number: int, part: Part) -> None:
        """Remember one part."""
        self.parts[table, number] = part
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, to_json(_Line(table, number, part)) + b"\n")
        finally:
            os.close(fd)

    def missing(self) -> Iterator[Job]:
        """Yield what is still to be read: the largest tables first, spans and pieces side by side."""
        for table in sorted(self._plan.tables, key=lambda t: -t.rows):
            pieces = self.pieces[table.name]
            for number in range(max(len(table.spans), len(pieces))):
                if (table.name, number) not in self.parts:
                    yield table.name, number, _at(table.spans, number), _at(pieces, number)

    def tables(self) -> dict[str, Part]:
        """Return the figures of whole tables."""
        made = {t.name: Part() for t in self._plan.tables}
        for (name, _), part in self.parts.items():
            made[name] += part
        return made


def _at(things: Sequence[T], number: int) -> T | None:
    return things[number] if number < len(things) else None


def forget(run: Run) -> None:
    """Let the next verification read everything anew."""
    (run.folder / _NAME).unlink(missing_ok=True)
