"""Builds large tables' indexes while other tables are still copied, in one more session."""

import asyncio
from collections import deque

import psycopg

from zenni_tui.errors import StepFailed, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId

from .building import Builder, Pack, by_table, large, total, work
from .run import Run


class Ahead:
    """What is built ahead of the index step; whatever fails here is left to that step, which tries it again."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._queues: dict[str, list[Pack]] = {}
        self._total = 0
        self._waiting: deque[list[Pack]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._builder: Builder | None = None
        self._closed = False
        self.made = 0
        """Things made, as the index step counts them."""

    @classmethod
    def of(cls, run: Run) -> "Ahead":
        """Return the run's."""
        if run.ahead is None:
            run.ahead = cls(run)
        assert isinstance(run.ahead, cls)  # noqa: S101 - nobody else sets it
        return run.ahead

    def arrived(self, plan: Plan, name: str) -> None:
        """Begin with a table all of whose rows are there, if it is large and more than one worker is wished for."""
        if self._closed or not large(plan.table(name)) or self._run.steering.workers == 1:
            return
        if self._task is None:
            everything = work(plan)
            self._total = total(plan, everything)
            own = [s for s in (*everything.first, *everything.then) if large(plan.table(s.table))]
            self._queues = {queue[0][0].table: queue for queue in by_table(plan, own)}
            self._task = asyncio.create_task(self._work())
        if name in self._queues:
            self._waiting.append(self._queues.pop(name))

    def _told(self, pack: Pack) -> None:
        self.made += len(pack)
        if pack and not self._closed:
            note = f"{pack[-1].kind} {pack[-1].name}"
            self._run.tell(e.Progress(StepId.INDEX, self.made, self._total, "objects", None, note))

    async def _work(self) -> None:
        self._builder = Builder(self._run, self._told, doubt=True)
        try:
            while not self._closed:
                while self._waiting:
                    await asyncio.to_thread(self._builder.make, self._waiting.popleft())
                await asyncio.sleep(0.1)
        except StepFailed as error:
            self._run.say(f"{error.what} {error.why} The index step will try it again.", "warning")
        except (psycopg.Error, ZenniError):
            pass  # the target is away or full, or the run stops: the copy has more to say about it
        finally:
            self._closed = True
            await asyncio.to_thread(self._builder.hang_up)

    def close(self) -> Pack:
        """Begin nothing more; returns what is in hand, which comes to its end."""
        self._closed = True
        return self._builder.close() if self._builder else []

    async def end(self) -> None:
        """Wait until what was in hand has come to its end."""
        if self._task is not None:
            await self._task

    async def leave(self) -> None:
        """Let go of what is in hand and be gone."""
        self._closed = True
        if self._builder is not None:
            self._builder.leave()
        await self.end()
