"""The verbs that tell how a run stands, and change nothing."""

import difflib
import json
import time
from pathlib import Path

from zenni_tui import headless
from zenni_tui.cli import Options, parser, settings_of
from zenni_tui.engine import client, folders, tasks
from zenni_tui.engine.client import Follower
from zenni_tui.errors import ExitCode, NotReady, UsageError
from zenni_tui.model.result import result
from zenni_tui.model.runbook import RunKind, StepId, StepState
from zenni_tui.model.state import RunState
from zenni_tui.model.switching import Phase, phase, serving

from .orders import upkeep_of


def chosen(options: Options) -> Path:
    """Return the run that a verb speaks of: the one named, the live one, or the last."""
    found = Path(options.run_dir) if options.run_dir else client.live_run() or client.last_run()
    if found is None or not (found / folders.EVENTS).exists():
        raise NotReady(
            "There is no run yet.",
            where=str(found or folders.runs_home()),
            next_step="Start one: zenni-tui rehearse --source FILE; or see one at work: zenni-tui demo",
        )
    return found


def follower_of(options: Options) -> Follower:
    """Return the state of the run that a verb speaks of; raises NotReady when there is none."""
    follower = Follower(chosen(options))
    follower.poll()
    return follower


def status(options: Options) -> int:
    """Tell how the run stands, in lines or as the result document."""
    follower = follower_of(options)
    state = follower.state
    if options.json:
        print(json.dumps(result(state, str(follower.folder)), ensure_ascii=False))
        return int(ExitCode.PASSED)
    word = "running" if follower.alive else str(state.verdict or "interrupted")
    print(f"{state.run_id}: {word}")
    predictions = state.expected.steps if state.expected else ()
    foretold = {p.step: f" expected {p.typical:.0f} s ({p.low:.0f} to {p.high:.0f})" for p in predictions}
    for step in state.steps:
        done = f" {step.done:,}/{step.total:,} {step.unit}" if step.total else ""
        ahead = foretold.get(step.id, "") if step.state is StepState.PENDING else ""
        print(f"  {step.id:9} {step.state:8}{done}{ahead} {step.summary}".rstrip())
    if state.expected and not state.ended:
        print(f"expected: {state.expected.words}")
    if state.paused and not state.ended:
        print(f"paused by {state.paused.by}; go on: zenni-tui unpause")
    if state.throttled:
        print(f"throttle: {state.throttled.words}")
    if state.eased and not state.ended:
        print(f"workers: {state.eased.words}")
    if state.retrying:
        print(f"target: {state.retrying.story(time.time())} ({state.retrying.why})")
    _switch(state)
    if state.waiting:
        print(f"waiting: {state.waiting.question}")
    if state.problem and not state.ended:
        print(headless.told(state.problem))
    print(f"evidence: {follower.folder}")
    return int(ExitCode.PASSED)


def _switch(state: RunState) -> None:
    if state.lag and not state.ended and phase(state) is Phase.OLD:
        print(f"following: {state.lag.words}")
    if state.actions:
        print(f"serving: {serving(state).words}")
    if state.window and state.step(StepId.WATCH).state is not StepState.DONE:
        until = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.window.deadline))
        print(f"rollback window: meant until {until}; end it: zenni-tui finish --confirm FINISH")
    for trip in state.tripped:
        print(f"criterion: {trip.what.criterion}: {trip.what.found}, the limit is {trip.what.limit}")


def logs(options: Options) -> int:
    """Print the journal in lines, or as events."""
    follower = Follower(chosen(options))
    narrator = headless.Narrator(events=options.events or options.json)
    for entry in follower.poll():
        narrator.tell(entry)
    return int(ExitCode.PASSED)


def report(options: Options) -> int:
    """Print the report, made from the journal as it stands; with --html write it as a page and print where that is.

    A migration's documents are written anew with it.
    """
    from zenni_tui.engine import documents  # noqa: PLC0415 - for this verb only
    from zenni_tui.report import document, evidence  # noqa: PLC0415 - as above

    follower = follower_of(options)
    if options.json:
        print(json.dumps(result(follower.state, str(follower.folder)), ensure_ascii=False))
        return int(ExitCode.PASSED)
    settings = settings_of(options)
    views = tasks.standing(client.request_of(follower.folder).source, settings.timeline)
    if follower.state.kind is RunKind.MIGRATE:
        documents.write(follower.folder, follower.state, upkeep=upkeep_of(settings, options))
    if options.html:
        evidence.write(follower.folder, follower.state, views)
        print(follower.folder / evidence.HTML)
    else:
        print(document.markdown(evidence.report(follower.folder, follower.state, views)))
    return int(ExitCode.PASSED)


def runs(options: Options) -> int:
    """List all runs."""
    for summary in client.runs():
        word = "running" if summary.alive else str(summary.state.verdict or "interrupted")
        if options.json:
            print(json.dumps({"run_id": summary.state.run_id, "state": word, "evidence": summary.folder}))
        else:
            print(f"{summary.state.run_id:40} {word:12} {summary.folder}")
    return int(ExitCode.PASSED)


def explain(options: Options) -> int:
    """Tell what a code means."""
    from zenni_tui.model.codes import CODES  # noqa: PLC0415 - for this verb only

    text = CODES.get(options.code)
    if text is None:
        near = difflib.get_close_matches(options.code, CODES, n=3)
        known = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(sorted(CODES))}"
        raise UsageError(f"No finding has the code {options.code!r}.", next_step=known)
    print(text)
    return int(ExitCode.PASSED)


def completion(options: Options) -> int:
    """Print the script that completes our command line in a shell."""
    import shtab  # noqa: PLC0415 - for this verb only

    print(shtab.complete(parser(), options.shell))
    return int(ExitCode.PASSED)
