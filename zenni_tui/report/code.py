"""The report's part about the application's code: its queries, what to write, and what was proven."""

from collections.abc import Iterable
from pathlib import Path

from zenni_tui.model.queries import QUERIES, Analysis, Judged, QueryState, in_words
from zenni_tui.model.record import from_json

from .document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Strong, Table


def sections(folder: Path) -> Iterable[Block]:
    """Yield what a run has found in the application's code; nothing when it has read none. Raises OSError."""
    path = folder / QUERIES
    if not path.exists():
        return
    analysis = from_json(path.read_bytes(), Analysis)
    yield Heading(2, "Queries of the application")
    yield Paragraph(("Read as text, nothing of it was run: ", Mono(analysis.folder), ". ", in_words(analysis), "."))
    for one in (q for q in analysis.queries if q.state is not QueryState.PORTABLE):
        yield from _changed(one)
    portable = tuple(q for q in analysis.queries if q.state is QueryState.PORTABLE)
    if portable:
        yield Heading(3, "Portable as they stand")
        proofs = tuple((q.query.place, q.query.call, q.words, _known(q)) for q in portable)
        yield Table(("place", "call", "proof", "to know"), proofs)
    if analysis.behaviours:
        yield Heading(3, "Calls of Prisma that answer otherwise")
        rows = tuple((f"{b.file}:{b.line}", b.text, b.advice) for b in analysis.behaviours)
        yield Table(("place", "what changes", "what to write"), rows)
    if analysis.passed_over:
        yield Paragraph("Not read:")
        yield Bullets(analysis.passed_over)


def _known(one: Judged) -> str:
    notes = (f"{n.name}: {n.why}" for n in one.notes)
    return " ".join(dict.fromkeys(filter(None, (one.why, one.proof.why, *notes))))


def _changed(one: Judged) -> Iterable[Block]:
    yield Paragraph((Strong(one.query.place), f": {one.words}. ", _known(one)))
    marks: tuple[Line, ...] = tuple((f"{m.name}: ", Mono(m.text), f" {m.why}") for m in one.marks)
    yield Bullets(marks)
    yield Code(one.query.sql, "sql")
    if one.proposal:
        yield Paragraph("Write:")
        yield Code(one.proposal, "sql")
