"""Gathers the profiles of all tables, begun as soon as there is a snapshot: SQLite's own check of it takes one core."""

import asyncio
from collections.abc import Iterable, Mapping

from zenni_tui.model.plan import Span
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import STEPS_OF, StepId, StepState
from zenni_tui.model.schema import NOT_UTF8, ColumnProfile, SourceTable
from zenni_tui.source import audit, database, inspect, reader

from .meter import Meter
from .pool import Pool
from .run import Run
from .workers import profile_span

_WORTH_BYTES = 32 * 1024 * 1024
"""A smaller snapshot is checked before anything could be won beside that."""


class Gathered(Record, frozen=True):
    """The profile of every column of each table, and the spans that tables are read in."""

    profiles: dict[str, dict[str, ColumnProfile]]
    spans: dict[str, tuple[Span, ...]]


class Profiling:
    """One reading of all tables; whatever goes wrong with it ahead of its step is left to that step, which tells it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._task: asyncio.Task[Gathered | None] | None = None
        self._meter: Meter | None = None
        self._done = self._total = 0

    @classmethod
    def of(cls, run: Run) -> "Profiling":
        """Return the run's."""
        if run.profiling is None:
            run.profiling = cls(run)
        assert isinstance(run.profiling, cls)  # noqa: S101 - nobody else sets it
        return run.profiling

    def begin(self) -> None:
        """Begin with a large snapshot that is about to be checked, if the run will want its profiles."""
        run = self._run
        wanted = (
            StepId.AUDIT in STEPS_OF[run.request.kind] and run.state().step(StepId.AUDIT).state is not StepState.DONE
        )
        other = any(p.exists() for p in (run.folder / "profiles.json", run.working))
        if wanted and not other and run.backup.stat().st_size >= _WORTH_BYTES:
            self._task = asyncio.create_task(self._ahead())
            run.cleanup.append(self._task.cancel)

    async def result(self, tables: Mapping[str, SourceTable]) -> Gathered:
        """Return the profiles of these tables: what was begun ahead, once it is done, or else all of it read now."""
        self._meter = Meter(self._run, StepId.AUDIT)
        if self._done:
            self._meter.skip(self._done)
            self._meter.add(0, self._total, "")
        ahead, self._task = self._task, None
        found = await ahead if ahead is not None else None
        if found is None or found.profiles.keys() != tables.keys():
            self._done, self._meter = 0, Meter(self._run, StepId.AUDIT)
            found = await self._gather(tables)
        return found

    async def _ahead(self) -> Gathered | None:
        try:
            schema = await inspect.read_file(self._run.backup)
            if any((t.problem or "").endswith(NOT_UTF8) for t in schema.tables):
                return None  # it will be read from a working copy
            # Workers look there for what a table declares.
            await asyncio.to_thread(self._run.save, "schema.json", schema)
            return await self._gather({t.name: t for t in schema.tables if t.problem is None})
        except Exception:  # noqa: BLE001 - the step that wants it meets the same, and tells of it
            return None

    async def _gather(self, tables: Mapping[str, SourceTable]) -> Gathered:
        spans = await asyncio.to_thread(_spans, self._run, tables.values())
        self._total = sum(t.rows for t in tables.values())
        found = {t.name: dict.fromkeys((c.name for c in t.columns), ColumnProfile()) for t in tables.values()}

        def done(result: dict[str, ColumnProfile], name: str, span: Span) -> None:
            for column, profile in result.items():
                found[name][column] = audit.merge(found[name][column], profile)
            self._done += span.rows
            if self._meter is not None:
                self._meter.add(span.rows, self._total, name)

        await Pool.of(self._run).each(((n, s) for n in tables for s in spans[n]), profile_span, done)
        return Gathered(found, spans)


def _spans(run: Run, tables: Iterable[SourceTable]) -> dict[str, tuple[Span, ...]]:
    snapshot = database.open_frozen(run.snapshot)
    try:
        return {t.name: reader.spans(snapshot, t, run.request.chunk_rows) for t in tables}
    finally:
        snapshot.close()
