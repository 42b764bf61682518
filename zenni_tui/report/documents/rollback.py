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
    return undone or bool(acts.of(facts.state.actions, StepId.FALL_BACK))


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document; for a migration that was rolled back."""
    state = facts.state
    yield Heading(1, "Rollback analysis")
    yield origin(facts)
    yield Heading(2, "What led to it")
    causes = tuple(_causes(facts))
    yield Bullets(causes) if causes else Paragraph("Nothing failed and no sign was met: a person decided.")
    yield from switch.sections(facts.folder, state)
    taken_back = [s for s in state.steps if s.state is StepState.UNDONE]
    if taken_back:
        yield Heading(2, "What was taken back")
        yield Bullets(tuple((Mono(s.id), f": {s.note or s.summary}") for s in taken_back))
    yield Heading(2, "Before the next attempt")
    yield Bullets(tuple(_next(facts)))


def _causes(facts: Facts) -> Iterable[Line]:
    state = facts.state
    for tripped in state.tripped:
        yield f"{tripped.what.criterion}: {tripped.what.found}, where the limit is {tripped.what.limit}"
    for view in state.actions:
        if view.problem is not None:
            yield State("failed"), f" {view.words}: {view.problem.what} {view.problem.where} {view.problem.why}"
    for step in state.steps:
        if step.problem is not None:
            yield State("failed"), f" {step.id}: {step.problem.what} {step.problem.where} {step.problem.why}"
        for check in (c for c in step.checks if c.ok is False):
            yield State("failed"), f" {step.id}, {check.name}: {check.found}"


def _next(facts: Facts) -> Iterable[Line]:
    problems = [v.problem for v in facts.state.actions if v.problem] + [
        s.problem for s in facts.state.steps if s.problem
    ]
    for problem in problems:
        if problem.next_step:
            yield problem.next_step
    for step in facts.state.steps:
        yield from (c.advice for c in step.checks if c.ok is False and c.advice)
    yield (
        "Mend the causes where the application is developed (task R8), and sign: ",
        Mono("zenni-tui sign R8 --by NAME"),
    )
    yield "Rehearse again: ", Mono(facts.command("rehearse"))
    yield "Give the next attempt a date (task R9): ", Mono("zenni-tui sign R9 --by NAME --note DATE")
