"""What a person begins when a migration stands verified: the switch, its window, and the way back."""

from collections.abc import Awaitable, Callable

from zenni_tui.errors import ZenniError
from zenni_tui.model import events as e
from zenni_tui.model import switching
from zenni_tui.model.runbook import StepId, StepState, Verdict
from zenni_tui.steps.book import BOOK
from zenni_tui.steps.hold import hold
from zenni_tui.steps.run import Run, Step

from .words import Word


class Afterwards:
    """The runbooks after the migration, with the runner's own way of doing a step."""

    def __init__(
        self,
        run: Run,
        step: Callable[[Step], Awaitable[Verdict | None]],
        failed: Callable[[StepId, Exception, float], Verdict],
    ) -> None:
        self._run = run
        self._step = step
        self._failed = failed

    async def switch(self, word: Word) -> Verdict:
        """Switch over, or go on with it, and keep the window open; raises nothing."""
        if word.word:
            self._decide(StepId.SWITCH, word)
        return await self._held(StepId.SWITCH) or await self._step(BOOK[StepId.SWITCH]) or await self.watch()

    async def watch(self) -> Verdict:
        """Keep the rollback window open until somebody ends it."""
        return await self._held(StepId.WATCH) or await self._step(BOOK[StepId.WATCH]) or Verdict.PASSED

    async def fall_back(self, word: Word) -> Verdict:
        """Lead the application back, or go on with it."""
        if word.word:
            self._decide(StepId.FALL_BACK, word)
        self._run.stopping.clear()
        self._run.steering.reopen()
        return await self._held(StepId.FALL_BACK) or await self._step(BOOK[StepId.FALL_BACK]) or Verdict.ROLLED_BACK

    def _decide(self, step: StepId, word: Word) -> None:
        words = word.word.split("+")
        self._run.tell(e.Decided(step, word.by, word.why, words[0], tuple(words[1:])))

    async def _held(self, step: StepId) -> Verdict | None:
        try:
            await hold(self._run)
        except (ZenniError, OSError) as error:
            return self._failed(step, error, 0.0)
        return None

    def going_on(self) -> Callable[[], Awaitable[Verdict]] | None:
        """Return what a resume goes on with, None when none of this has begun."""
        state = self._run.state()
        if switching.falling_back(state):
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
