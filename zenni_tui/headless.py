"""The headless twin of the screen: the same story in plain lines on standard error, the result on standard output."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import next_steps
from .engine.client import Follower
from .errors import ExitCode, NotReady, ZenniError
from .model import events as e
from .model.record import to_json
from .model.result import result
from .model.runbook import Verdict
from .model.state import RunState

_POLL_SECONDS = 0.1
_STATUS_EVERY = 2.0


class Narrator:
    """Prints what happens, a line each; progress at most every two seconds."""

    def __init__(self, *, events: bool) -> None:
        self._events = events
        self._last = 0.0

    def tell(self, entry: e.Entry) -> None:
        """Print one entry, if it is worth a line."""
        if self._events:
            sys.stdout.buffer.write(to_json(entry) + b"\n")
            sys.stdout.buffer.flush()
        line = self._line(entry)
        if line:
            print(f"{time.strftime('%H:%M:%S', time.localtime(entry.at))} {line}", file=sys.stderr)

    def _line(self, entry: e.Entry) -> str:  # noqa: PLR0911 - a line for each kind of event
        match entry.what:
            case e.RunStarted(run_id=run_id, kind=kind):
                return f"run {run_id} ({kind})"
            case e.StepStarted(step=step):
                return f"{step} ..."
            case e.CheckMade(name=name, found=found, ok=ok, advice=advice):
                return f"  {'FAILED ' if ok is False else ''}{name}: {found} {advice}".rstrip()
            case e.FindingMade(finding=f):
                return (
                    f"  {f.severity} {f.code}: {f.message} {f.advice}{' keys: ' if f.keys else ''}{', '.join(f.keys)}"
                )
            case e.TableCompared() as t:
                return (
                    f"  {t.table}: {t.verdict}, {t.rows_source:,} rows, {t.rows_differing:,} differing {t.why}".rstrip()
                )
            case e.Progress() as p if p.done < p.total and entry.at - self._last < _STATUS_EVERY:
                return ""
            case e.Progress() as p:
                self._last = entry.at
                return f"  {p.done:,} of {p.total:,} {p.unit}{_left(p.eta)} {p.note}".rstrip()
            case e.Lagging() as lag:
                return self._lag(lag, entry.at)
            case e.Retrying() as r:
                return f"warning: {r.story(entry.at)} ({r.where}: {r.why})"
            case _:
                return _steering(entry.what) or _acting(entry.what) or _closing(entry.what)

    def _lag(self, lag: e.Lagging, at: float) -> str:
        if at - self._last < _STATUS_EVERY:
            return ""
        self._last = at
        return f"  {lag.words}"


def _steering(what: e.AnyEvent) -> str:  # noqa: PLR0911 - as above
    match what:
        case e.Expected() as told:
            return f"  expected: {told.words}"
        case e.Recovered(seconds=seconds):
            return f"the target works for us again, after {seconds:.0f} s"
        case e.Paused(by=by):
            return f"paused by {by}; no transaction is open on the target"
        case e.Unpaused(by=by):
            return f"going on, said by {by}"
        case e.Throttled(by=by) as settings:
            return f"{settings.words}, said by {by}"
        case e.Eased(words=words):
            return words
    return ""


def _acting(what: e.AnyEvent) -> str:  # noqa: PLR0911 - as above
    match what:
        case e.Decided(step=step, by=by, why=why, overrides=overrides):
            without = f", without {', '.join(overrides)}" if overrides else ""
            return f"{step} decided by {by}: {why or 'no reason given'}{without}"
        case e.ActionStarted(words=words):
            return f"  {words} ..."
        case e.ActionDone(action=action, seconds=seconds, summary=summary):
            return f"  {action} done in {seconds:.2f} s: {summary}"
        case e.ActionFailed(action=action, problem=problem):
            return f"  {action} FAILED: {told(problem)}"
        case e.ActionReverted(action=action, summary=summary):
            return f"  {action} taken back: {summary}"
        case e.CriterionTripped(criterion=criterion, found=found, limit=limit):
            return f"warning: {criterion}: {found}, the limit is {limit}; a person decides: zenni-tui rollback"
        case e.WindowOpened(deadline=deadline):
            until = time.strftime("%Y-%m-%d %H:%M", time.localtime(deadline))
            return f"the rollback window is open, meant until {until}; end it: zenni-tui finish --confirm FINISH"
    return ""


def _closing(what: e.AnyEvent) -> str:  # noqa: PLR0911 - as above
    match what:
        case e.StepDone(step=step, seconds=seconds, summary=summary):
            return f"{step} done in {seconds:.2f} s: {summary}"
        case e.StepFailed(step=step, problem=problem) | e.UndoFailed(step=step, problem=problem):
            return f"{step} FAILED: {told(problem)}"
        case e.StepStopped(step=step):
            return f"{step} stopped at a safe point"
        case e.UndoStarted(step=step):
            return f"undoing {step} ..."
        case e.UndoDone(step=step, summary=summary):
            return f"{step} undone: {summary}"
        case e.Waiting(question=question):
            return f"waiting: {question}"
        case e.Said(level=level, text=text):
            return f"{level}: {text}"
        case e.Commanded(command=command, by=by):
            return f"{command}, said by {by}"
        case e.RunEnded(verdict=verdict, seconds=seconds):
            return f"verdict: {verdict} ({seconds:.1f} s)"
    return ""


def _left(eta: float | None) -> str:
    return f", about {eta:.0f} s left" if eta else ""


_ENDS = (".", "!", "?", "/", ":")


def told(problem: e.Problem) -> str:
    """Return a problem as one line: what, where, why, what to do."""
    parts = (("", problem.what), ("Where: ", problem.where), ("Why: ", problem.why), ("Next: ", problem.next_step))
    return " ".join(f"{label}{text}{'' if text.endswith(_ENDS) else '.'}" for label, text in parts if text)


def refuse(error: ZenniError, *, as_json: bool) -> int:
    """Print why a command could not be carried out, and return its exit code."""
    if as_json:
        verdict = "not_ready" if isinstance(error, NotReady) else "error"
        parts = {"what": error.what, "where": error.where, "why": error.why, "next_step": error.next_step}
        print(json.dumps({"verdict": verdict, "exit_code": int(error.exit_code), "problem": parts}))
    print(f"zenni-tui: {told(error.problem)}", file=sys.stderr)
    return int(error.exit_code)


def waits(after: int) -> Callable[[RunState], ExitCode | None]:
    """Return what tells that a run of lines waits for its switch, by an entry of its journal after that number."""

    def reached(state: RunState) -> ExitCode | None:
        return ExitCode.PASSED if state.waiting and not state.gated and state.entries > after else None

    return reached


def follow(
    folder: Path,
    *,
    events: bool,
    as_json: bool,
    control: bool = True,
    skip: int = 0,
    until: Callable[[RunState], ExitCode | None] = lambda _: None,
) -> int:
    """Tell a run until its engine ends, or until it has come to a point; print the result, and return the exit code.

    `until` returns the exit code once the point is reached: the engine goes on by itself then.

    The first Ctrl+C or SIGTERM asks the engine to stop at a safe point when this process has `control`; `skip` entries
    are not told, because they are of an earlier part of the run.
    """
    follower = Follower(folder)
    if control:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: follower.send("stop"))
    narrator = Narrator(events=events)
    while True:
        alive = follower.alive
        for entry in follower.poll():
            if entry.number > skip:
                narrator.tell(entry)
        reached = until(follower.state)
        if not alive or reached is not None:
            break
        time.sleep(_POLL_SECONDS)
    return _end(folder, follower.state, as_json=as_json, reached=reached if alive else None)


def _end(folder: Path, state: RunState, *, as_json: bool, reached: ExitCode | None) -> int:
    document = result(state, str(folder))
    if reached is not None:
        document |= {"verdict": str(Verdict.WAITING if not reached else Verdict.FAILED), "exit_code": int(reached)}
    elif state.exit_code is None:
        document |= {"verdict": str(Verdict.STOPPED), "exit_code": int(ExitCode.STOPPED)}
        print("The engine died. What it had loaded is safe.", file=sys.stderr)
        print("Go on: zenni-tui resume; or take it back: zenni-tui rollback.", file=sys.stderr)
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
    elif state.problem is not None and state.verdict is not Verdict.PASSED:
        print(told(state.problem), file=sys.stderr)
    for line in next_steps.after(state, document["verdict"]):
        print(line, file=sys.stderr)
    print(f"evidence: {folder}", file=sys.stderr)
    return int(document["exit_code"])
