"""rollback.md: why the application went back to SQLite, what happened when, and what to mend before trying again."""

from collections.abc import Iterable

from zenni_tui.model import actions as acts
from zenni_tui.model.runbook import StepId, StepState, Verdict
from zenni_tui.report import switch
from zenni_tui.report.document import Block, Bullets, Heading, Line, Mono, Paragraph, State

from .facts import Facts, origin

NAME = "rollback.md"


def happened(facts: Facts) -> bool:
    """Return whether this migration was taken back or led back."""
    undone = any(s.state is StepState.UNDONE for s in facts.state.steps) and facts.state.verdict is Verdict.ROLLED_BACK
    return undone or _fell_back(facts)


def _fell_back(facts: Facts) -> bool:
    return bool(acts.of(facts.state.actions, StepId.FALL_BACK))


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document; for a migration that was rolled back."""
    yield Heading(1, "Rollback analysis")
    yield origin(facts)
    if _fell_back(facts):
        yield from switch.sections(facts.folder, facts.state)
    else:
        yield from _undone(facts)
    yield Heading(2, "To be signed")
    yield Bullets(tuple(_signed()))


def _undone(facts: Facts) -> Iterable[Block]:
    yield Heading(2, "What led to it")
    causes = tuple(_causes(facts))
    yield Bullets(causes) if causes else Paragraph("Nothing failed: a person decided.")
    yield Heading(2, "What was taken back")
    taken_back = (s for s in facts.state.steps if s.state is StepState.UNDONE)
    yield Bullets(tuple((Mono(s.id), f": {s.note or s.summary}") for s in taken_back))
    advice = tuple(_advice(facts))
    if advice:
        yield Heading(2, "What to mend")
        yield Bullets(advice)


def _causes(facts: Facts) -> Iterable[Line]:
    for step in facts.state.steps:
        if step.problem is not None:
            yield State("failed"), f" {step.id}: {step.problem.what} {step.problem.where} {step.problem.why}"
        for check in (c for c in step.checks if c.ok is False):
            yield State("failed"), f" {step.id}, {check.name}: {check.found}"


def _advice(facts: Facts) -> Iterable[Line]:
    for step in facts.state.steps:
        if step.problem is not None and step.problem.next_step:
            yield step.problem.next_step
        yield from (c.advice for c in step.checks if c.ok is False and c.advice)


def _signed() -> Iterable[Line]:
    yield "That the causes are mended where the application is developed: ", Mono("zenni-tui sign R8 --by NAME")
    yield "The date of the next attempt: ", Mono("zenni-tui sign R9 --by NAME --note DATE")
