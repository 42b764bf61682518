"""The words that a person types to begin what has no plain way back, and whether they fit the moment."""

from zenni_tui.errors import NotReady, UsageError, ZenniError
from zenni_tui.model import switching
from zenni_tui.model.record import Record
from zenni_tui.model.request import Command
from zenni_tui.model.runbook import RunKind, StepId, StepState
from zenni_tui.model.state import RunState


class Word(Record, frozen=True):
    """What somebody said to begin something that a person answers for."""

    by: str = ""
    why: str = ""
    word: str = ""


def refusal(state: RunState, command: str, word: str) -> ZenniError | None:
    """Return why a command can't be taken at this moment, or not with this word; None when it can."""
    waiting = state.waiting
    if command == "go" and waiting is not None and waiting.word not in ("", word):
        return UsageError(
            f"This asks for the word {waiting.word}.", why=waiting.question, next_step="Press g on the run's screen."
        )
    if command == "rollback" and switching.phase(state) is switching.Phase.CLOSED:
        return _closed()
    wanted = {"switch": switching.CONFIRM_SWITCH, "finish": switching.CONFIRM_FINISH}.get(command)
    if command == "rollback" and (switching.is_live(state) or switching.falling_back(state)):
        wanted = switching.CONFIRM_FALL_BACK
    if wanted is None:
        return _untimely(state, command)
    if wanted not in word.split("+"):
        return UsageError(
            f"This asks for the word {wanted}.",
            why=_MEANS[wanted],
            next_step=f"Type it: zenni-tui {command} --confirm '{wanted}' --why TEXT",
        )
    return _untimely(state, command)


def _closed() -> ZenniError:
    return NotReady(
        "The rollback window is closed: nothing leads back any more.",
        why="What the new side has written since is in no log, so the way back would lose it.",
        next_step="The old file holds all writes up to the end of the window, and is read-only.",
    )


_MEANS = {
    switching.CONFIRM_SWITCH: "The old side stops taking writes, and the application goes over to PostgreSQL.",
    switching.CONFIRM_FALL_BACK: "The new side may have been written to: the way back carries that to the old file.",
    switching.CONFIRM_FINISH: "After it there is no way back that keeps what is written on the new side.",
}


def _untimely(state: RunState, command: str) -> ZenniError | None:
    led_back = switching.begun(state, StepId.FALL_BACK)
    if command == "run" and led_back and state.step(StepId.PREPARE).state is StepState.UNDONE:
        return NotReady("This migration was led back and taken out.", next_step="Start a new one: zenni-tui migrate")
    if command == "switch" and state.kind is not RunKind.MIGRATE:
        return NotReady("Only a migration can be switched over.", next_step="Start one: zenni-tui migrate")
    if command == "switch" and led_back:
        return NotReady(
            "This migration was led back: its target lacks what is written since.",
            next_step="Take it back with zenni-tui rollback, then migrate anew.",
        )
    if command == "switch" and switching.is_live(state) and switching.is_switched(state):
        return NotReady("The new side serves already.", next_step="zenni-tui status")
    if command == "finish" and (state.window is None or state.step(StepId.WATCH).state is StepState.DONE):
        return NotReady("No rollback window is open.", next_step="zenni-tui status")
    return None


def word_of(command: Command) -> Word:
    """Return what a command says of who gave it and why."""
    return Word(command.by, command.why, command.word)
