"""The two answers every screen gives: is my data safe, and what would a rollback do now. Pure; each fits 80 columns."""

from zenni_tui.model.runbook import WRITES_TARGET, Meanwhile, StepId, StepState, TableVerdict, Verdict
from zenni_tui.model.switching import AFTER_GO_LIVE, Phase, phase

from .situation import Situation
from .words import Tone, count

_UNTOUCHED = "Source untouched"
SENTENCE_CELLS = 72
"""What a sentence may take, so that it stands whole in 80 columns."""


def is_my_data_safe(now: Situation) -> tuple[str, Tone]:
    """Return one sentence on the safety of source and target, with its tone."""
    for answer in (_of_switch, _of_undo, _of_end, _of_life):
        sentence = answer(now)
        if sentence:
            return _of_source(now, sentence)
    return _of_source(now, _of_work(now))


def _of_source(now: Situation, sentence: tuple[str, Tone]) -> tuple[str, Tone]:
    """Return a sentence that says how the source is, where this run has put something of its own into it."""
    words = {Meanwhile.FOLLOW: "Source armed", Meanwhile.REFUSE: "Source frozen"}
    word = words.get(now.state.meanwhile, _UNTOUCHED) if now.armed else _UNTOUCHED
    return sentence[0].replace(_UNTOUCHED, word), sentence[1]


_SERVING = {
    Phase.OLD: None,
    Phase.NOBODY: ("The old side reads only for the switch; a failure takes it back.", Tone.WARN),
    Phase.STARTING: ("The new side is started; F8 falls back and keeps every write.", Tone.WARN),
    Phase.NEW: ("The new side serves, the old file follows. F8 falls back, loses nothing.", Tone.GOOD),
    Phase.CLOSED: ("The new side serves, the window is closed: nothing follows any more.", Tone.GOOD),
    Phase.LEAVING: ("Falling back: every write of the new side comes along. F8 goes on.", Tone.WARN),
    Phase.RESTARTING: ("Falling back: the old side is started, with every write. F8 goes on.", Tone.WARN),
    Phase.BACK: ("Falling back: every write of the new side comes along. F8 goes on.", Tone.WARN),
    Phase.RETURNED: ("The old side serves again, with every write of the new one.", Tone.GOOD),
}


def _of_switch(now: Situation) -> tuple[str, Tone] | None:
    if now.taken_back or now.undoing:
        return None
    return _SERVING[phase(now.state)]


def _undo_failed(now: Situation) -> bool:
    rolled = any(s.state is StepState.UNDONE for s in now.state.steps)
    return rolled and any(s.state is StepState.FAILED for s in now.state.steps) and now.written


def proven_as_it_was(now: Situation) -> bool:
    """Return whether an undo itself said that the target has the fingerprint it had before."""
    notes = (s.note.lower() for s in now.state.steps if s.state is StepState.UNDONE)
    return any("fingerprint" in note and ("as it was" in note or "as before" in note) for note in notes)


def _of_undo(now: Situation) -> tuple[str, Tone] | None:
    if now.undoing and now.alive:
        return "Source untouched. This run's work is being taken back from the target.", Tone.WARN
    if _undo_failed(now):
        return "Source untouched. The rollback is not complete: see the problem (key e).", Tone.BAD
    if not now.taken_back or not now.over:
        return None
    if not proven_as_it_was(now):
        return "Source untouched. This run's work was taken back from the target.", Tone.GOOD
    if now.state.verdict is Verdict.PASSED:
        return "Verified, then taken back: target as it was, proven by fingerprint.", Tone.GOOD
    return "Source untouched. Target is as it was, proven by its fingerprint.", Tone.GOOD


_ENDS = {
    Verdict.PASSED: ("Source untouched. Every row and value in the target is verified.", Tone.GOOD),
    Verdict.WAITING: ("Source untouched. The target is verified and waits for its switch.", Tone.GOOD),
    Verdict.STOPPED: ("Stopped at a safe point. Source untouched. Resume or roll back.", Tone.WARN),
}


def _of_end(now: Situation) -> tuple[str, Tone] | None:
    if now.state.verdict is None:
        return None
    if not now.written:
        return "Source untouched, nothing written to the target.", Tone.GOOD
    if now.state.verdict in _ENDS:
        return _ENDS[now.state.verdict]
    if any(t.verdict in {TableVerdict.DIFFERS, TableVerdict.MISSING} for t in now.state.tables.values()):
        return "Source untouched. The target differs from it: do not use it yet.", Tone.BAD
    if now.state.step(StepId.VERIFY).state is StepState.DONE:
        return "Source untouched. The target is verified; the switch has not begun.", Tone.WARN
    return "Source untouched. The target is unfinished; rollback removes it.", Tone.WARN


def _of_life(now: Situation) -> tuple[str, Tone] | None:
    if not now.interrupted:
        return None
    if now.written:
        return "Engine gone, checkpoints hold. Source untouched. Resume or roll back.", Tone.WARN
    return "Engine gone before anything was written. Source untouched.", Tone.GOOD


def _of_work(now: Situation) -> tuple[str, Tone]:
    if not now.state.entries:
        return "Nothing has happened yet. Source and target are untouched.", Tone.GOOD
    if not now.written:
        return "Source untouched, nothing written. Stopping is free.", Tone.GOOD
    if now.state.step(StepId.VERIFY).state is StepState.RUNNING:
        return "Source untouched. Verifying only reads; rollback still works.", Tone.GOOD
    if now.state.step(StepId.VERIFY).state is StepState.DONE:
        return "Source untouched. The target is compared; rollback still works.", Tone.GOOD
    return "Source untouched. Only this run's tables change; rollback undoes it.", Tone.GOOD


_CLOSED = "nothing leads back any more: the rollback window is closed"


def rollback_now(now: Situation) -> str:
    """Return what a rollback would do at this moment, in one short line."""
    if now.undoing and now.alive:
        return "already rolling back"
    where = phase(now.state)
    if where in AFTER_GO_LIVE:
        return _CLOSED if where is Phase.CLOSED else "falls back to the old side with every write of the new one"
    if now.written:
        tables = sum(t.verdict is not TableVerdict.NOT_MIGRATED for t in now.state.tables.values())
        return f"takes out the {count(tables)} tables of this run"
    if now.armed:
        return "takes what is ours out of the source; no more is written yet"
    if now.over:
        return "nothing to take back"
    return "ends the run; nothing is written yet"


_FALL_BACK_STORY = (
    "The new side stops taking writes, what it wrote is brought to the old file and compared, and the application goes"
    " back to it: seconds, and the application's own restart. The target's tables stay, read-only.\n\n"
    "Lost: nothing. Every write of the new side comes along."
)


def rollback_story(now: Situation) -> str:
    """Return what a rollback does, how long it takes and what is lost, for the question before it."""
    if phase(now.state) in AFTER_GO_LIVE:
        return _FALL_BACK_STORY
    steps = [s.id for s in now.state.steps if s.id in WRITES_TARGET and s.state is not StepState.PENDING]
    source = _of_the_source(now)
    if not steps:
        return f"Nothing has been written to the target. The run ends here.\n\nLost: nothing. {source}."
    names = ", ".join(reversed(steps))
    return (
        f"Takes back, in reverse order: {names}. Only what this run made or loaded is removed, and the target is "
        "compared with what it was before. Removing tables takes seconds, not minutes.\n\n"
        f"Lost: nothing. {source}, and the migration can be run again at any time."
    )


def _of_the_source(now: Situation) -> str:
    words = {
        Meanwhile.FOLLOW: "The triggers that log the source's writes are taken out of it; its rows stay as they are",
        Meanwhile.REFUSE: "What refuses the source's writes is taken out of it, so that it takes them again",
    }
    return words.get(now.state.meanwhile, "The source is not touched") if now.armed else "The source is not touched"
