"""What a run asks its operator before it goes on: for choices, for a rehearsal, for leave to write, for the switch."""

import asyncio
from collections.abc import Callable

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.findings import blocking
from zenni_tui.model.runbook import RunKind, StepId, StepState, Verdict
from zenni_tui.steps.run import Decided, Run
from zenni_tui.steps.uncarried import Uncarried

from . import rehearsals
from .words import Word


class Questions:
    """One run's questions; `word` is the operator's last word, who said it and why."""

    def __init__(self, run: Run, failed: Callable[[StepId, Exception, float], Verdict]) -> None:
        self._run = run
        self._failed = failed
        self._answered = asyncio.Event()
        self.word = Word()

    def answer(self) -> None:
        """Let the question that waits go on."""
        self._answered.set()

    async def may_write(self) -> Verdict | None:
        """Ask all that stands before the first write; returns a verdict when nothing may be written."""
        if not await self._rehearsed():
            return Verdict.STOPPED if self._stopping else Verdict.NOT_READY
        return None if await self._allowed() else Verdict.STOPPED

    def choices_changed(self) -> bool:
        """Return whether the operator has chosen otherwise since the plan was made, before anything was written."""
        return not self._begun and self._run.load("decided.json", Decided).asked != self._run.choices()

    async def mended(self) -> bool:
        """Ask the operator of a gated run for choices; returns whether to audit and plan again."""
        if not self._run.request.gated or self._stopping:
            return False
        count = len(blocking(self._run.state().findings))
        return await self._ask(
            StepId.PLAN, f"{count} findings block. Choose a repair for each, then go on to try again."
        )

    async def carried(self, error: Exception | None) -> bool:
        """Ask the operator of a gated run what a value written meanwhile becomes; returns whether to follow on."""
        if not isinstance(error, Uncarried) or not self._run.request.gated or self._stopping:
            return False
        following, self._run.following = self._run.following, None
        if following is not None:
            await following.stop()
        found = error.finding
        return await self._ask(
            StepId.CATCH_UP, f"{found.message} Choose a repair, or mend it in the application; then following goes on."
        )

    async def before_switch(self, question: str) -> Word | None:
        """Ask before the switch; returns the word that was given, which is empty for `go`, None to stop."""
        self.word = Word()
        return self.word if await self._ask(StepId.SWITCH, question) else None

    @property
    def _stopping(self) -> bool:
        return self._run.stopping.is_set()

    @property
    def _begun(self) -> bool:
        return self._run.state().step(StepId.PREPARE).state is not StepState.PENDING

    async def _rehearsed(self) -> bool:
        """Return whether this may be written: a migration must have been rehearsed, or be confirmed without."""
        request = self._run.request
        if request.kind is not RunKind.MIGRATE or not request.rehearsal_hours or self._begun:
            return True
        try:
            rehearsed, found = await asyncio.to_thread(rehearsals.ask, self._run)
        except NotReady as error:
            if request.gated and not self._stopping:
                return await self._without_rehearsal(error)
            self._run.check(StepId.PLAN, "rehearsal", error.what, ok=False, advice=error.next_step)
            self._failed(StepId.PLAN, error, 0.0)
            return False
        self._run.check(StepId.PLAN, "rehearsal", found, ok=True if rehearsed else None)
        return True

    async def _without_rehearsal(self, error: NotReady) -> bool:
        """Ask the operator of a gated run for the word; returns whether it was typed, which the report then says."""
        question = f"{error.what} Stop here and rehearse it; or type {rehearsals.WORD} to write without."
        if not await self._ask(StepId.PREPARE, question, rehearsals.WORD):
            return False
        said = self.word
        found = f"{rehearsals.without(self._run)} ({said.by}: {said.why or 'no reason given'})"
        self._run.check(StepId.PLAN, "rehearsal", found, ok=None)
        self._run.tell(e.Decided(StepId.PREPARE, said.by, said.why, said.word, ("a rehearsal",)))
        return True

    async def _allowed(self) -> bool:
        if not self._run.request.gated or self._begun or self._stopping:
            return not self._stopping
        told = self._run.state().expected
        time_needed = f" Expected: {told.words}." if told else ""
        return await self._ask(
            StepId.PREPARE, f"Everything so far only read. Write to {self._run.to.label()} now?{time_needed}"
        )

    async def _ask(self, step: StepId, question: str, word: str = "") -> bool:
        self._answered.clear()
        self._run.tell(e.Waiting(step, question, word))
        heard = [asyncio.create_task(self._answered.wait())]
        if self._run.following is not None:
            heard.append(asyncio.create_task(self._run.following.broken.wait()))
        await asyncio.wait(heard, return_when=asyncio.FIRST_COMPLETED)
        for task in heard:
            task.cancel()
        return not self._stopping
