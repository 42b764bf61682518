"""What a person begins when a migration stands verified: the switch, its window, and the way back."""

import functools
from collections.abc import Awaitable, Callable

from zenni_tui.errors import Halted, Stopped, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model import switching
from zenni_tui.model.actions import ActionState
from zenni_tui.model.runbook import Meanwhile, RunKind, StepId, StepState, Verdict
from zenni_tui.model.switching import Act
from zenni_tui.steps.book import BOOK
from zenni_tui.steps.hold import hold
from zenni_tui.steps.run import Run, Step

from . import rehearsals
from .words import Word

_FOLLOWING = (
    "The target follows the source. Switch over with a typed word; or, where you do so yourself and nobody writes any"
    " more, go on: the rest is applied and compared."
)


class Afterwards:
    """The runbooks after the migration, with the runner's own way of doing a step."""

    def __init__(
        self,
        run: Run,
        step: Callable[[Step], Awaitable[Verdict | None]],
        failed: Callable[[StepId, Exception, float], Verdict],
        carry_on: Callable[[Verdict], Awaitable[Verdict | None]],
    ) -> None:
        self._run = run
        run.sides_tried = functools.partial(rehearsals.ask_for_sides, run)
        self._step = step
        self._failed = failed
        self._carry_on = carry_on

    async def switch(self, word: Word) -> Verdict:
        """Switch over, or go on with it, and keep the window open; raises nothing."""
        if word.word:
            self.decide(StepId.SWITCH, word)
        held = await self._held(StepId.SWITCH) or await self._followed()
        return held or await self._step(BOOK[StepId.SWITCH]) or await self.watch()

    async def _followed(self) -> Verdict | None:
        """Begin to follow anew where the orders want it, nothing follows, and the switch has not ended it."""
        state = self._run.state()
        over = switching.state_of(state, StepId.SWITCH, Act.CONSTRAINTS) is ActionState.DONE
        if self._run.request.meanwhile is not Meanwhile.FOLLOW or self._run.following is not None or over:
            return None
        return await self._step(BOOK[StepId.CATCH_UP])

    async def follow_on(self, ask: Callable[[str], Awaitable[Word | None]]) -> Verdict:
        """Let a migration follow the source until somebody gives his word; a rehearsal has followed long enough.

        A switch that was refused or taken back leaves it following; without a switch of ours what is left is applied
        and compared.
        """
        while True:
            word = await ask(_FOLLOWING) if self._run.request.kind is RunKind.MIGRATE else Word()
            if word is None:
                return Verdict.STOPPED
            if not word.word:
                over = await self._carry_on(await self.hand_over())
                if over is not None:
                    return over
                continue
            verdict = await self.switch(word)
            if verdict not in (Verdict.FAILED, Verdict.NOT_READY) or switching.begun(self._run.state(), StepId.SWITCH):
                return verdict
            if (lost := await self._followed()) is not None:
                return lost

    async def hand_over(self) -> Verdict:
        """Bring a followed migration to its end: the source takes no writes any more, as the operator says."""
        following = self._run.following
        try:
            if following is not None:
                following.raise_broken()
            if following is not None and self._run.request.kind is RunKind.MIGRATE:
                await following.drain()
                self._run.check(StepId.CATCH_UP, "changed rows", await following.verify_changed())
                self._run.check(StepId.CATCH_UP, "rules", f"{await following.settle()} foreign keys as planned again")
        except Halted as error:
            self._failed(StepId.CATCH_UP, error, 0.0)
            return Verdict.STOPPED
        except Stopped:
            return Verdict.STOPPED
        except Exception as error:  # noqa: BLE001 - as for a step
            return self._failed(StepId.CATCH_UP, error, 0.0)
        return Verdict.WAITING if self._run.request.kind is RunKind.MIGRATE else Verdict.PASSED

    async def watch(self) -> Verdict:
        """Keep the rollback window open until somebody ends it."""
        return await self._held(StepId.WATCH) or await self._step(BOOK[StepId.WATCH]) or Verdict.PASSED

    async def fall_back(self, word: Word) -> Verdict:
        """Lead the application back, or go on with it."""
        if word.word:
            self.decide(StepId.FALL_BACK, word)
        self._run.stopping.clear()
        self._run.steering.reopen()
        return await self._held(StepId.FALL_BACK) or await self._step(BOOK[StepId.FALL_BACK]) or Verdict.ROLLED_BACK

    def decide(self, step: StepId, word: Word) -> None:
        """Tell who decided on a step, why, and what the words typed waive."""
        words = word.word.split("+")
        self._run.tell(e.Decided(step, word.by, word.why, words[0], tuple(words[1:])))

    async def _held(self, step: StepId) -> Verdict | None:
        try:
            # In the window nobody waits for it; elsewhere it may be that nobody can write.
            await hold(self._run, patient=step is StepId.WATCH)
        except Halted as error:
            self._failed(step, error, 0.0)
            return Verdict.STOPPED
        except Stopped:
            return Verdict.STOPPED
        except (ZenniError, OSError) as error:
            return self._failed(step, error, 0.0)
        return None

    def going_on(self) -> Callable[[], Awaitable[Verdict]] | None:
        """Return what a resume goes on with, None when none of this has begun."""
        state = self._run.state()
        if state.kind is not RunKind.MIGRATE:
            return None
        if switching.begun(state, StepId.FALL_BACK):
            return lambda: self.fall_back(Word())
        if switching.is_switched(state):
            return self.watch if state.step(StepId.WATCH).state is not StepState.DONE else None
        if switching.begun(state, StepId.SWITCH):
            return lambda: self.switch(Word())
        return None

    def must_fall_back(self) -> bool:
        """Return whether the way back is no longer an undo."""
        state = self._run.state()
        return switching.is_live(state) or switching.falling_back(state)
