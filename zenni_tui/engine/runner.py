"""Runs a runbook: step by step, forwards until it ends, backwards when told to, and always to a verdict."""

import asyncio
import logging
import time
from collections.abc import Mapping

from zenni_tui.errors import ExitCode, Halted, NotReady, Occupied, Stopped, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.choices import CAST, Choices
from zenni_tui.model.request import Command, Reply
from zenni_tui.model.result import judge
from zenni_tui.model.runbook import STEPS_OF, WRITES_SOURCE, WRITES_TARGET, RunKind, StepId, StepState, Verdict
from zenni_tui.steps import prepare
from zenni_tui.steps.book import BOOK
from zenni_tui.steps.reach import climb_again
from zenni_tui.steps.reload import reload
from zenni_tui.steps.run import Run, Step
from zenni_tui.steps.target import close_target, open_target
from zenni_tui.steps.trial import Trial
from zenni_tui.steps.verified import forget

from . import ending, estimates, rehearsals
from .afterwards import Afterwards
from .ends import peak_rss_mb, problem_of
from .journal import Journal
from .questions import Questions
from .words import Word, refusal, word_of

log = logging.getLogger(__name__)

UNDONE_STEPS = WRITES_TARGET | WRITES_SOURCE | {StepId.SWITCH}
"""What an undo takes back."""
_TICK = 1.0

_CODES = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.WAITING: ExitCode.PASSED,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.NOT_READY: ExitCode.NOT_READY,
    Verdict.STOPPED: ExitCode.STOPPED,
    Verdict.ROLLED_BACK: ExitCode.ROLLED_BACK,
    Verdict.ERROR: ExitCode.FAULT,
}


class Runner:
    """One engine's life with one run."""

    def __init__(self, run: Run, journal: Journal) -> None:
        self._run = run
        self._journal = journal
        self._kind = run.request.kind
        self._back = False
        self._started = time.monotonic()
        self._problem: e.Problem | None = None
        self._error: Exception | None = None
        self._afterwards = Afterwards(run, self._step, self._failed, self._carry_on)
        self._questions = Questions(run, self._failed)

    def answer(self, command: Command) -> Reply:
        """Hear a command from the control socket; what it asks for happens at the next safe point."""
        replies = {
            "ping": "here",
            "go": "going on",
            "stop": "stopping at the next safe point",
            "rollback": "rolling back from the next safe point",
            "finish": "ending the rollback window",
            "switch": "switching over",
        }
        others = {"choose": self._choose, "pause": self._pause, "unpause": self._pause, "throttle": self._throttle}
        if command.name in others:
            return others[command.name](command)
        if command.name not in replies:
            return Reply(ok=False, message=f"no such command: {command.name}")
        if command.name in ("go", "switch") and self._journal.state.waiting is None:
            return Reply(ok=False, message="nothing waits for an answer")
        if (refused := refusal(self._journal.state, command.name, command.word)) is not None:
            return Reply(ok=False, message=f"{refused.what} {refused.why} {refused.next_step}")
        if command.name != "ping":
            self._questions.word = word_of(command)
            self._run.tell(e.Commanded(command.name, command.by))
            self._obey(command.name)
        return Reply(ok=True, message=replies[command.name])

    def _throttle(self, command: Command) -> Reply:
        try:
            return Reply(ok=True, message=self._run.steering.set(command))
        except ValueError as error:
            return Reply(ok=False, message=str(error))

    def _pause(self, command: Command) -> Reply:
        steering = self._run.steering
        if self._run.ending:
            return Reply(ok=False, message="the run is coming to its end")
        if steering.paused is (command.name == "pause"):
            return Reply(ok=False, message="paused already" if steering.paused else "nothing is paused")
        if command.name == "pause":
            steering.pause(command.by)
            return Reply(ok=True, message="pausing: within a second no transaction is open on the target")
        steering.unpause(command.by)
        return Reply(ok=True, message="going on")

    def _choose(self, command: Command) -> Reply:
        waiting = self._journal.state.waiting
        if waiting is not None and command.finding.startswith(f"{CAST}/"):
            return self._run.cast(command.finding, command.repair, command.by)
        finding = next((f for f in self._journal.state.findings if f.id == command.finding), None)
        if waiting is None or finding is None:
            return Reply(ok=False, message="there is nothing to choose now")
        if command.repair and Choices({finding.id: command.repair}).chosen(finding) is None:
            return Reply(ok=False, message=f"{command.repair} is not on offer for {finding.id}")
        self._run.choose(finding.id, command.repair, command.by)
        return Reply(ok=True, message=f"{finding.id}: {command.repair or 'no choice'}")

    def choose(self, repairs: Mapping[str, str], by: str) -> None:
        """Take over choices that were looked at before this engine began."""
        for finding, repair in repairs.items():
            self._run.choose(finding, repair, by)

    def _obey(self, name: str) -> None:
        if name == "finish":
            self._afterwards.decide(StepId.WATCH, self._questions.word)
            self._run.finishing.set()
        elif name not in ("go", "switch"):
            self._back = self._back or name == "rollback"
            self._run.stopping.set()
            self._run.steering.stop()
        self._questions.answer()

    def stop(self) -> None:
        """Stop at the next safe point, as on SIGTERM."""
        self._run.tell(e.Commanded("stop", "a signal"))
        self._obey("stop")

    async def forward(self) -> Verdict:
        """Run every step that isn't done yet, then what the kind of run asks for at its end."""
        later = self._afterwards.going_on()
        if later is not None:
            return await self._or_back(await later())
        verdict = await self._steps()
        if verdict is Verdict.PASSED and self._run.following is not None:
            verdict = await self._afterwards.follow_on(self._questions.before_switch)
            if self._kind is RunKind.MIGRATE:
                return await self._or_back(verdict)
        if self._back and verdict in (Verdict.STOPPED, Verdict.NOT_READY):
            return await self.backward()
        if self._kind is RunKind.REHEARSE and verdict is Verdict.PASSED:
            verdict = await self._tried() or verdict
        undo = self._kind is RunKind.REHEARSE and not self._run.request.keep and not self._run.request.gated
        if self._kind is RunKind.REHEARSE and verdict is Verdict.PASSED and not self._run.request.keep:
            undo = True
        mine = verdict is not Verdict.STOPPED and not isinstance(self._error, Occupied)
        steps = WRITES_TARGET if undo and mine else frozenset()
        steps |= frozenset() if self._needs_source(verdict) else WRITES_SOURCE
        if not await self._undo(steps):
            return Verdict.FAILED
        if self._kind is RunKind.MIGRATE and verdict is Verdict.PASSED:
            return Verdict.WAITING
        return verdict

    async def _tried(self) -> Verdict | None:
        """Try the new side on what was rehearsed, and remember that; returns a verdict when it isn't fit."""
        tries = self._run.request.application.can_switch
        verdict = await self._step(Trial()) if tries else None
        if verdict is None:
            await asyncio.to_thread(rehearsals.remember, self._run, tried=tries)
        return verdict

    async def switch(self, word: Word) -> Verdict:
        """Switch the application over to a migration that stands verified, and keep its rollback window open."""
        return await self._or_back(await self._afterwards.switch(word))

    async def _or_back(self, verdict: Verdict) -> Verdict:
        return await self.backward(self._questions.word) if self._back and verdict is Verdict.STOPPED else verdict

    def _needs_source(self, verdict: Verdict) -> bool:
        """Return whether the source stays as `arm` left it: for a run that can go on, or waits for the switch."""
        if verdict is Verdict.STOPPED or (self._run.request.gated and verdict is Verdict.FAILED):
            return True
        written = self._journal.state.step(StepId.PREPARE).state is not StepState.PENDING
        return self._kind is RunKind.MIGRATE and written

    async def repair(self) -> Verdict:
        """Load again just the rows that the last verification found different, then verify everything."""
        for step_id in (StepId.REACH, StepId.PREPARE):
            verdict = await self._step(BOOK[step_id])
            if verdict is not None:
                return verdict
        try:
            self._run.say(await asyncio.to_thread(reload, self._run, self._run.plan()))
        except (ZenniError, OSError) as error:
            return self._failed(StepId.VERIFY, error, 0.0)
        return await self.again()

    async def again(self) -> Verdict:
        """Compare once more what an earlier engine of this run loaded; changes nothing in the target.

        Once changes are followed the snapshot is no measure any more: they are followed up, and what changed compared.
        """
        await asyncio.to_thread(forget, self._run)
        followed = self._journal.state.step(StepId.CATCH_UP).state is not StepState.PENDING
        followed = followed and BOOK[StepId.CATCH_UP].asked(self._run)
        for step_id in (StepId.REACH, *((StepId.PREPARE, StepId.CATCH_UP) if followed else (StepId.VERIFY,))):
            verdict = await self._step(BOOK[step_id])
            if verdict is not None:
                return verdict
        if followed:
            return await self._afterwards.hand_over()
        passed = judge(self._journal.state) is Verdict.PASSED
        return Verdict.FAILED if not passed else Verdict.WAITING if self._kind is RunKind.MIGRATE else Verdict.PASSED

    async def look_again(self) -> Verdict:
        """Climb again just the rungs to the target that broke, or all when none did; the run stays where it is."""
        try:
            await climb_again(self._run)
        except Exception as error:  # noqa: BLE001 - as for a step
            return self._failed(StepId.REACH, error, 0.0)
        self._run.say("Nothing stands in the way there any more. To go on: resume.")
        return Verdict.STOPPED

    async def backward(self, word: Word | None = None) -> Verdict:
        """Undo what the run did, last step first; the verdict is `rolled_back` only when all of it is undone.

        Once the new side may have been written to, the way back is the fall-back.
        """
        if self._afterwards.must_fall_back():
            return await self._afterwards.fall_back(word or Word())
        self._run.stopping.clear()
        self._run.steering.reopen()
        self._problem = None
        try:
            await open_target(self._run)
            # A switch that stands half done has marked the target as live, and takes that back itself where it may.
            if not await self._undo(frozenset({StepId.SWITCH})):
                return Verdict.FAILED
            refused = await asyncio.to_thread(prepare.live, self._run)
        except ZenniError as error:
            self._problem = error.problem
            return Verdict.FAILED
        if refused is not None:
            self._problem = refused.problem
            return Verdict.NOT_READY
        return Verdict.ROLLED_BACK if await self._undo() else Verdict.FAILED

    async def _steps(self) -> Verdict:
        book = list(STEPS_OF[self._kind])
        # What was built on something that has been taken back is to be built again.
        gone = [i for i, s in enumerate(book) if self._journal.state.step(s).state is StepState.UNDONE]
        anew = tuple(book[gone[0] :]) if gone else ()
        while book:
            step_id = book.pop(0)
            done = self._journal.state.step(step_id).state is StepState.DONE and step_id not in anew
            if done and not BOOK[step_id].each_time and BOOK[step_id].stands(self._run):
                continue
            if step_id is StepId.PREPARE and (refused := await self._questions.may_write()) is not None:
                return refused
            choices_changed = step_id is StepId.PREPARE and self._questions.choices_changed()
            verdict = None if choices_changed else await self._step(BOOK[step_id])
            if choices_changed or (verdict is Verdict.NOT_READY and step_id is StepId.PLAN and await self._mended()):
                anew = (StepId.AUDIT, StepId.PLAN)
                book = list(STEPS_OF[self._kind])[STEPS_OF[self._kind].index(StepId.AUDIT) :]
            elif verdict is not None and (verdict := await self._carry_on(verdict)) is not None:
                return verdict
            elif step_id is StepId.PLAN:
                self._foretell()
        verdict = judge(self._journal.state)
        if verdict is Verdict.PASSED:
            self._remember()
        return verdict

    async def _carry_on(self, verdict: Verdict) -> Verdict | None:
        """Let the operator choose what a value written meanwhile becomes, and catch up again; returns None then."""
        while verdict is Verdict.FAILED and await self._questions.carried(self._error):
            self._problem = None
            again = await self._step(BOOK[StepId.CATCH_UP])
            if again is None:
                return None
            verdict = again
        return Verdict.STOPPED if verdict is Verdict.FAILED and self._run.stopping.is_set() else verdict

    async def _mended(self) -> bool:
        if not await self._questions.mended():
            return False
        self._problem = None
        return True

    def _foretell(self) -> None:
        told = estimates.expected(self._run.request, self._journal.state)
        if told is not None:
            self._run.tell(told)

    def _remember(self) -> None:
        try:
            estimates.keep(self._run.request, self._journal.state)
        except OSError as error:
            self._run.say(f"The figures of this run could not be kept for later estimates: {error}", "warning")

    async def _step(self, step: Step) -> Verdict | None:
        started = time.monotonic()
        self._run.meter = None
        self._run.tell(e.StepStarted(step.id))
        log.info("action=step_started step=%s", step.id)
        clock = asyncio.create_task(self._tick())
        try:
            await self._run.steering.opened(self._run.stop_here)
            summary = await self._done(step)
        except (Halted, OSError) as error:
            self._failed(step.id, error, time.monotonic() - started)
            return Verdict.STOPPED
        except Stopped:
            self._run.tell(e.StepStopped(step.id, time.monotonic() - started))
            return Verdict.STOPPED
        except Exception as error:  # noqa: BLE001 - every failure becomes a verdict; faults of ours leave a crash report
            return self._failed(step.id, error, time.monotonic() - started)
        finally:
            clock.cancel()
        self._run.tell(e.StepDone(step.id, round(time.monotonic() - started, 3), summary))
        log.info("action=step_done step=%s", step.id)
        return None

    async def _done(self, step: Step) -> str:
        if not step.asked(self._run):
            return "not asked for"
        await step.check(self._run)
        return await step.run(self._run)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._run.steering.brakes.tick()
            if self._run.meter is not None and not self._run.steering.paused:
                self._run.meter.tick()

    def _failed(self, step: StepId, error: Exception, seconds: float) -> Verdict:
        self._error, self._problem = error, problem_of(error, self._run.folder)
        log.error("action=step_failed step=%s what=%r why=%r", step, self._problem.what, self._problem.why)
        self._run.tell(e.StepFailed(step, round(seconds, 3), self._problem))
        if isinstance(error, NotReady | Occupied):
            return Verdict.NOT_READY
        return Verdict.FAILED if isinstance(error, ZenniError | OSError) else Verdict.ERROR

    async def _undo(self, steps: frozenset[StepId] = UNDONE_STEPS) -> bool:
        if steps:
            await self._stop_following()
        later = (StepId.SWITCH,) if self._kind is RunKind.MIGRATE else ()
        for step_id in reversed((*STEPS_OF[self._kind], *later)):
            state = self._journal.state.step(step_id).state
            if step_id not in steps or state in (StepState.PENDING, StepState.UNDONE):
                continue
            if not BOOK[step_id].asked(self._run):
                continue
            started = time.monotonic()
            self._run.tell(e.UndoStarted(step_id))
            try:
                summary = await BOOK[step_id].undo(self._run)
            except Exception as error:  # noqa: BLE001 - as for a step
                self._problem = problem_of(error, self._run.folder)
                self._run.tell(e.UndoFailed(step_id, self._problem))
                return False
            self._run.tell(e.UndoDone(step_id, round(time.monotonic() - started, 3), summary))
        return True

    async def _stop_following(self) -> None:
        if self._run.following is not None:
            await self._run.following.stop()
            self._run.following = None

    async def close(self, verdict: Verdict) -> int:
        """Let go of everything, write the evidence, say the last word; returns the exit code."""
        await self._stop_following()
        resumable = verdict is Verdict.STOPPED or (verdict is Verdict.FAILED and self._run.request.gated)
        await close_target(self._run, keep=resumable)
        code = self._problem.exit_code if self._problem and verdict is Verdict.NOT_READY else int(_CODES[verdict])
        ended = e.RunEnded(verdict, code, round(time.monotonic() - self._started, 3), peak_rss_mb(), self._problem)
        self._run.tell(ended)
        ending.write(self._run, self._journal)
        log.info("action=run_ended verdict=%s exit_code=%d", verdict, code)
        return code
