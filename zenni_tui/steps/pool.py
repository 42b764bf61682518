"""The worker processes of a run: as many as are wished for, begun again when they die, idle while the run is paused."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import connection
from pathlib import Path
from typing import Any, TypeVar, cast

from zenni_tui.errors import Interrupted, StepFailed, ZenniError
from zenni_tui.target.connect import Target

from .pace import Held, Signals
from .run import Run
from .workers import leave, sit, sit_here, warm

T = TypeVar("T")
Done = Callable[..., Iterable[tuple[Any, ...]] | None]
"""Takes a result and the job's arguments; may return the arguments of more jobs."""

_LOOK = 0.1
_DEATHS = 3
_LEAVE_SECONDS = 20.0
_LARGE_BYTES = 16 * 1024 * 1024
"""A larger snapshot is likely to hold tables that are read by whole columns."""
_TINY_BYTES = 256 * 1024
"""A smaller snapshot is worked on in a thread of the engine: it would take less time than a process takes to start."""


class _Job:
    """One call to be made in a worker, and how often a worker died of it, or beside it."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments
        self.deaths = 0


class Pool:
    """The worker processes of one run, started when they are first needed and ended with it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._executor: ThreadPoolExecutor | ProcessPoolExecutor | None = None
        self._size = 0
        """The executor's: not bound, it would begin a process too many now and then, and that one hold sessions."""

    @classmethod
    def of(cls, run: Run) -> "Pool":
        """Return the run's pool."""
        if run.pool is None:
            run.pool = cls(run)
            run.cleanup.append(run.pool.close)
        assert isinstance(run.pool, cls)  # noqa: S101 - nobody else sets it
        return run.pool

    def warm(self, size: int) -> None:
        """Let the processes begin their life beside other work, for a snapshot of so many bytes that is about to be."""
        if self._executor is None and size >= _TINY_BYTES:
            self._size = self._run.steering.workers
            self._executor = self._processes()
            for _ in range(self._size):
                self._executor.submit(warm, arrays=size >= _LARGE_BYTES)

    def close(self) -> None:
        """End the workers and forget them."""
        self._end()
        self._run.pool = None

    def _end(self) -> None:
        executor, self._executor = self._executor, None
        if isinstance(executor, ThreadPoolExecutor):
            with contextlib.suppress(BrokenExecutor):
                executor.submit(leave)
            executor.shutdown()
        elif executor is not None:
            _end_processes(executor)

    async def each(
        self,
        jobs: Iterable[tuple[Any, ...]],
        function: Callable[..., T],
        done: Done,
    ) -> None:
        """Call `function(*job)` in a worker for each job, then `done(result, *job)` here, which may return more jobs.

        A job must be one that can be repeated: it is, when the target was away for a while or its worker died. A pause
        lets workers let go of what takes them long; it is done again. A stop does the same and raises Stopped; an
        error lets what has begun come to its end and is raised.
        """
        source, again = (_Job(job) for job in jobs), list[_Job]()
        flying: dict[asyncio.Future[T], _Job] = {}
        trouble: BaseException | None = None
        while True:
            ending = trouble is not None or self._run.ending
            left = ending or not self._launch(function, source, again, flying)
            if left and not flying:
                break
            for future in await _ready(flying):
                job = flying.pop(future)
                trouble = self._land(future, job, again, done) or trouble
        if trouble is not None:
            raise trouble
        self._run.stop_here()

    def _launch(
        self,
        function: Callable[..., T],
        source: Iterator[_Job],
        again: list[_Job],
        flying: dict[asyncio.Future[T], _Job],
    ) -> bool:
        """Begin as many jobs as may fly; returns whether any are left."""
        room = self._room(len(flying))
        while len(flying) < room:
            job = again.pop() if again else next(source, None)
            if job is None:
                return bool(flying)
            flying[asyncio.wrap_future(self._submit(function, job))] = job
        return True

    def _room(self, flying: int) -> int:
        if self._run.steering.closed or self._run.patience.waits:
            return 0
        workers = self._run.steering.workers
        other = self._executor is not None and workers != self._size
        # There is no telling one worker to leave, nor one to come: all end, and as many as may work begin anew.
        self._run.steering.let_go(wanted=other and flying > 0 and workers < self._size)
        if other and flying:
            return 0
        if other:
            self._end()
        return 1 if self._run.patience.troubled else workers

    def _begin(self) -> ThreadPoolExecutor | ProcessPoolExecutor:
        self._size = self._run.steering.workers
        if self._run.snapshot.stat().st_size < _TINY_BYTES:
            return ThreadPoolExecutor(1, "worker", sit_here, self._place())
        return self._processes()

    def _processes(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._size, multiprocessing.get_context("spawn"), sit, self._place())

    def _place(self) -> tuple[Path, Target | None, Signals]:
        return self._run.folder, self._run.target, self._run.steering.signals

    def _submit(self, function: Callable[..., T], job: _Job) -> Future[T]:
        if self._executor is None:
            self._executor = self._begin()
        try:
            return self._executor.submit(function, *job.arguments)
        except BrokenExecutor as error:
            broken: Future[T] = Future()
            broken.set_exception(error)
            return broken

    def _land(
        self,
        future: asyncio.Future[T],
        job: _Job,
        again: list[_Job],
        done: Done,
    ) -> BaseException | None:
        try:
            result = future.result()
        except Held:
            again.append(job)
        except Interrupted as met:
            again.append(job)
            return self._bear(met)
        except BrokenExecutor:
            again.append(job)
            return self._bury(job)
        except ZenniError as error:
            return error
        else:
            self._run.patience.over()
            again.extend(_Job(more) for more in done(result, *job.arguments) or ())
        return None

    def _bear(self, met: Interrupted) -> BaseException | None:
        try:
            self._run.patience.met(met)
        except ZenniError as error:
            return error
        self._run.steering.yield_to(met)
        return None

    def _bury(self, job: _Job) -> BaseException | None:
        """Take a worker's death in: all jobs in flight are lost with it, and any of them may be the cause."""
        job.deaths += 1
        if job.deaths >= _DEATHS:
            return StepFailed(
                "A worker process died, again and again.",
                why="It was killed, or the machine ran out of memory (see the kernel's log).",
                next_step="Give it fewer workers (zenni-tui throttle --workers 1), then: zenni-tui resume.",
            )
        if self._executor is not None:
            self._run.say("A worker process died; what it had in hand is done again by a new one.", "warning")
            self._end()
        return None


def _end_processes(executor: ProcessPoolExecutor) -> None:
    # A worker that is killed while all are told to leave may take the lock of their queue along; the others, and so
    # whoever waits for them, would wait for ever.
    workers = tuple((executor._processes or {}).values())  # noqa: SLF001 - it has a public name from Python 3.14 on
    executor.shutdown(wait=False, cancel_futures=True)
    left = {worker.sentinel: worker for worker in workers}
    deadline = time.monotonic() + _LEAVE_SECONDS
    while left and (gone := connection.wait(list(left), max(0.0, deadline - time.monotonic()))):
        for sentinel in gone:
            del left[cast("int", sentinel)]
    for worker in left.values():
        worker.kill()


async def _ready(flying: dict[asyncio.Future[T], _Job]) -> Iterable[asyncio.Future[T]]:
    # Not for ever: a pause, a stop and the end of a wait come from elsewhere.
    if not flying:
        await asyncio.sleep(_LOOK)
        return ()
    ready, _ = await asyncio.wait(flying, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
    return ready
