"""Writes `result.json` and `report.md` from a run's state, which is all they may say."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.files import write_private
from zenni_tui.model.result import result
from zenni_tui.model.runbook import TableVerdict
from zenni_tui.model.state import RunState, TableView

PROPOSAL = "schema.prisma.diff"
"""Where the plan keeps the change to schema.prisma that it asks for."""


def write(folder: Path, state: RunState) -> None:
    """Write both files, mode 0600, each whole or not at all."""
    document = json.dumps(result(state, str(folder)), indent=1, ensure_ascii=False)
    write_private(folder / "result.json", f"{document}\n".encode())
    proposal = folder / PROPOSAL
    text = proposal.read_text() if proposal.exists() else ""
    write_private(folder / "report.md", markdown(state, text).encode())


def markdown(state: RunState, proposal: str = "") -> str:
    """Return the report as Markdown; `proposal` is the change to schema.prisma that the plan asks for."""
    parts = [*_head(state), *_steps(state), *_tables(state), *_findings(state), *_proposal(proposal), *_checks(state)]
    return "\n".join(parts) + "\n"


def _proposal(text: str) -> Iterable[str]:
    if text:
        yield from ("## Change to schema.prisma", "", "With it Prisma finds what the plan makes:", "")
        yield from ("```diff", text.rstrip("\n"), "```", "")


def _head(state: RunState) -> Iterable[str]:
    verdict = str(state.verdict) if state.verdict else "still running"
    yield f"# {state.run_id}: {verdict}"
    yield ""
    if state.source is not None:
        s = state.source
        yield f"- Source: `{s.path}`, {s.tables} tables, {s.rows:,} rows"
        yield f"- Snapshot: {s.bytes:,} bytes, SHA-256 `{s.sha256}`"
        if s.as_of:
            yield f"- As of: {_moment(s.as_of)}; what the application wrote later is not in it"
    if state.target is not None:
        t = state.target
        kind = "embedded PostgreSQL" if t.embedded else "PostgreSQL"
        yield f"- Target: {kind} {t.server_version} at {t.host}:{t.port}/{t.database}, schema {t.schema}"
    yield f"- Started: {_moment(state.started)}"
    yield f"- Plan: `{state.plan_hash or 'none'}`"
    if state.problem is not None:
        p = state.problem
        yield f"- **{p.what}** {p.where} {p.why} Next: {p.next_step}"
    yield ""


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _steps(state: RunState) -> Iterable[str]:
    yield from ("## Steps", "", "| step | state | seconds | |", "|---|---|---:|---|")
    for step in state.steps:
        yield f"| {step.id} | {step.state} | {step.seconds:.2f} | {_cell(step.summary)} {_cell(step.note)} |"
    yield ""


def _tables(state: RunState) -> Iterable[str]:
    if not state.tables:
        return
    yield from (
        "## Tables",
        "",
        "| source | target | rows in source | rows in target | differing | verdict |",
        "|---|---|---:|---:|---:|---|",
    )
    for table in state.tables.values():
        yield _table(table)
    yield ""


def _table(table: TableView) -> str:
    if table.verdict is TableVerdict.NOT_MIGRATED:
        return f"| {_cell(table.source)} | | {table.rows} | | | not_migrated: {_cell(table.why)} |"
    counted = [_number(table.rows_source), _number(table.rows_target)]
    differing = _number(table.rows_differing) if table.verdict else "not compared"
    return (
        f"| {_cell(table.source)} | {_cell(table.target)} | {' | '.join(counted)} | {differing}"
        f" | {table.verdict or ''} {_cell(table.why)} |"
    )


def _number(value: int | None) -> str:
    return "not counted" if value is None else f"{value:,}"


def _findings(state: RunState) -> Iterable[str]:
    yield from ("## Findings", "")
    if not state.findings:
        yield "None."
    for finding in state.findings:
        chosen = f" Chosen: `{finding.chosen}`." if finding.chosen else ""
        yield f"- **{finding.severity}** `{finding.code}` {finding.message} {finding.advice}{chosen}"
        if finding.keys:
            yield f"  Keys: {', '.join(finding.keys)}{' …' if finding.count > len(finding.keys) else ''}"
    yield ""


def _checks(state: RunState) -> Iterable[str]:
    yield from ("## Checks", "", "| step | check | result | found |", "|---|---|---|---|")
    words = {True: "ok", False: "failed", None: "noted"}
    for step in state.steps:
        for check in step.checks:
            yield f"| {step.id} | {_cell(check.name)} | {words[check.ok]} | {_cell(check.found)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
