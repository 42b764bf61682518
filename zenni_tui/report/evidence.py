"""Writes `result.json`, `report.md` and `report.html` from a run's journal, which is all they may say."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.findings import Finding
from zenni_tui.model.result import result
from zenni_tui.model.runbook import StepId, TableVerdict
from zenni_tui.model.state import RunState, TableView
from zenni_tui.model.tasks import TaskView

from . import code, figures, history, plots, roadmap, switch
from .document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Picture, State, Strong, Table, markdown
from .markup import page

PROPOSAL = "schema.prisma.diff"
"""Where the plan keeps the change to schema.prisma that it asks for."""
HTML = "report.html"


def write(folder: Path, state: RunState, views: Sequence[TaskView] = ()) -> None:
    """Write all three, mode 0600, each whole or not at all; `views` are the plan's tasks, if they are to be in it."""
    document = json.dumps(result(state, str(folder)), indent=1, ensure_ascii=False)
    write_private(folder / "result.json", f"{document}\n".encode())
    blocks = report(folder, state, views)
    write_private(folder / "report.md", markdown(blocks).encode("utf-8", "backslashreplace"))
    write_private(folder / HTML, page(state.run_id, blocks))


def report(folder: Path, state: RunState, views: Sequence[TaskView] = ()) -> tuple[Block, ...]:
    """Return the report of a run; raises OSError."""
    proposal = folder / PROPOSAL
    return (
        *_head(state),
        *_steps(state, history.history(history.read(folder))),
        *switch.sections(folder, state),
        *_tables(state),
        *_findings(state.findings),
        *code.sections(folder),
        *figures.sections(folder),
        *_proposal(proposal.read_text() if proposal.exists() else ""),
        *_checks(state),
        *roadmap.sections(views),
    )


def _proposal(text: str) -> Iterable[Block]:
    if text:
        yield Heading(2, "Change to schema.prisma")
        yield Paragraph("With it Prisma finds what the plan makes:")
        yield Code(text, "diff")


def _head(state: RunState) -> Iterable[Block]:
    verdict = str(state.verdict) if state.verdict else "not ended"
    yield Heading(1, f"{state.run_id}: {verdict}")
    yield Paragraph((f"{state.kind or 'run'}: ", State(verdict)))
    if state.problem is not None:
        p = state.problem
        yield Paragraph((Strong(p.what), f" {p.where} {p.why} Next: {p.next_step}"))
    yield Bullets(tuple(_facts(state)))


def _facts(state: RunState) -> Iterable[Line]:
    if state.source is not None:
        s = state.source
        yield "Source: ", Mono(s.path), f", {s.tables} tables, {s.rows:,} rows"
        yield f"Snapshot: {s.bytes:,} bytes, SHA-256 ", Mono(s.sha256)
        if s.as_of:
            yield f"As of: {plots.moment(s.as_of)}; what the application wrote later is not in it"
    if state.target is not None:
        t = state.target
        kind = "embedded PostgreSQL" if t.embedded else "PostgreSQL"
        yield f"Target: {kind} {t.server_version} at {t.host}:{t.port}/{t.database}, schema {t.schema}"
    yield f"Started: {plots.moment(state.started)}"
    if state.ended:
        yield f"Took: {plots.took(state.seconds)}, peak memory {state.peak_rss_mb:.0f} MB"
    if state.expected is not None:
        yield f"Expected before the first write: {state.expected.words}"
    yield "Plan: ", Mono(state.plan_hash or "none")


def _steps(state: RunState, past: history.History) -> Iterable[Block]:
    yield Heading(2, "Steps")
    if past.bars:
        drawing = plots.timeline(past.bars, state.last)
        yield Picture(drawing, "When each step was at work; dashed: a time of waiting; //: time that is cut out.")
    rows = (
        (step.id, State(step.state), f"{step.seconds:.2f}", "; ".join(filter(None, (step.summary, step.note))))
        for step in state.steps
    )
    yield Table(("step", "state", "seconds", ""), tuple(rows), frozenset({2}))
    for rate in past.rates:
        words = {StepId.COPY: "Rows a second sent to the target.", StepId.VERIFY: "Rows a second compared."}
        yield Picture(plots.speed(rate), words[rate.step])


_HEADINGS = ("source", "target", "rows in source", "rows in target", "differing", "bytes sent", "copied in", "verdict")


def _tables(state: RunState) -> Iterable[Block]:
    if state.tables:
        yield Heading(2, "Tables")
        yield Table(_HEADINGS, tuple(_table(t) for t in state.tables.values()), frozenset(range(2, 7)))


def _table(table: TableView) -> tuple[Line, ...]:
    if table.verdict is TableVerdict.NOT_MIGRATED:
        return Mono(table.source), "", f"{table.rows:,}", "", "", "", "", f"not_migrated: {table.why}"
    verdict = (State(table.verdict), f" {table.why}".rstrip()) if table.verdict else ""
    return (
        Mono(table.source),
        Mono(table.target),
        _number(table.rows_source),
        _number(table.rows_target),
        f"{table.rows_differing:,}" if table.verdict else "not compared",
        f"{table.bytes:,}" if table.copied else "",
        plots.took(table.copy_seconds) if table.copied else "",
        verdict,
    )


def _number(value: int | None) -> str:
    return "not counted" if value is None else f"{value:,}"


def _findings(findings: Sequence[Finding]) -> Iterable[Block]:
    yield Heading(2, "Findings")
    if findings:
        yield Bullets(tuple(_finding(f) for f in findings))
    else:
        yield Paragraph("None.")


def _finding(finding: Finding) -> Line:
    told = (State(finding.severity), " ", Mono(finding.code), f" {finding.message} {finding.advice}")
    chosen = (" Chosen: ", Mono(finding.chosen), ".") if finding.chosen else ()
    offers = ("" if chosen or not finding.repairs else " Not chosen of: ", *_offers(finding)) if not chosen else ()
    keys = ", ".join(finding.keys)
    more = " …" if finding.count > len(finding.keys) else ""
    return (*told, *chosen, *offers, f" Keys: {keys}{more}" if keys else "")


def _offers(finding: Finding) -> Iterable[str]:
    for at, repair in enumerate(finding.repairs):
        yield ", " if at else ""
        yield Mono(repair.id)
        yield " (lossless)" if repair.lossless else " (changes data)"


def _checks(state: RunState) -> Iterable[Block]:
    yield Heading(2, "Checks")
    rows = (_check(check) for step in state.steps for check in step.checks)
    yield Table(("step", "check", "result", "found", "to do"), tuple(rows))


def _check(check: e.CheckMade) -> tuple[Line, ...]:
    words = {True: "ok", False: "failed", None: "noted"}
    return check.step, check.name, State(words[check.ok]), check.found, check.advice
