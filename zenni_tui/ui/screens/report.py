"""The panel of the report: the verdict, the totals, and where the evidence lies."""

from collections import Counter

from zenni_tui.model.findings import Severity
from zenni_tui.model.runbook import TableVerdict, Verdict
from zenni_tui.ui.situation import ENDS_BADLY, Situation, state_word
from zenni_tui.ui.widgets.canvas import Scroll
from zenni_tui.ui.widgets.rail import step_word
from zenni_tui.ui.words import Glyphs, Line, Piece, Tone, clock, count, elide, fit, paragraph, size, things, took

from .checks import ChecksPanel
from .panel import check_lines

_EVIDENCE = (
    "report.md",
    "report.html",
    "documents",
    "result.json",
    "findings.jsonl",
    "differences.jsonl",
    "plan.json",
    "engine.log",
)
_LABEL = 11


def _fact(label: str, text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Line]:
    return paragraph(text, width, tone, head=(fit(label, _LABEL), Tone.DIM))


def totals(now: Situation, width: int, glyphs: Glyphs) -> list[Line]:
    """Return what was carried and how long it took."""
    state = now.state
    by_verdict = Counter(t.verdict for t in state.tables.values() if t.verdict)
    compared = ", ".join(f"{by_verdict[v]} {v.replace('_', ' ')}" for v in TableVerdict if by_verdict[v])
    rows = sum(t.copied for t in state.tables.values())
    weights = Counter(f.severity for f in state.findings)
    findings = ", ".join(f"{weights[s]} {s}" for s in Severity if weights[s]) or "none"
    lines = _fact("tables", compared or "none compared", width)
    lines += _fact("rows", f"{count(rows)} copied, {size(sum(t.bytes for t in state.tables.values()))}", width)
    chosen = sum(f.chosen is not None for f in state.findings)
    lines += _fact("findings", f"{findings}; {count(chosen)} with a repair chosen" if chosen else findings, width)
    lines += _fact("next", _next(now), width) if _next(now) else []
    lines += _mended(now, width)
    lines += _fact("time", f"{clock(now.elapsed)}, peak memory {state.peak_rss_mb:.0f} MB", width)
    if state.source and state.source.sha256:
        lines += _fact("snapshot", f"sha256 {elide(state.source.sha256, width - _LABEL - 7, glyphs)}", width)
    return lines


def _next(now: Situation) -> str:
    if now.state.verdict is Verdict.WAITING:
        return "m switches the application over; F8 takes this run back"
    if any(f.chosen for f in now.state.findings):
        return "i keeps what was chosen in config.toml, so that the next run repeats it"
    return ""


def _mended(now: Situation, width: int) -> list[Line]:
    repaired = sum(t.rows_repaired for t in now.state.tables.values())
    out = sum(t.rows_quarantined for t in now.state.tables.values())
    parts = [f"{things(repaired, 'row')} changed by choice" if repaired else ""]
    parts += [f"{things(out, 'row')} kept out, in side tables" if out else ""]
    text = ", ".join(filter(None, parts))
    return _fact("repairs", text, width, Tone.WARN) if text else []


class ReportPanel(ChecksPanel):
    """The last word."""

    def fill(self, now: Situation) -> None:
        """Show verdict, totals, steps and paths."""
        self.query_one(Scroll).show(lambda width: self._report(now, width))

    def _report(self, now: Situation, width: int) -> list[Line]:
        if not now.state.ended:
            return self.lines(now, width)
        word, tone = state_word(now)
        lines = _fact("verdict", word, width, tone)
        if now.state.problem and now.state.verdict in ENDS_BADLY:
            lines += _fact("because", now.state.problem.what, width, Tone.BAD)
        lines += [*totals(now, width, self.glyphs), (), *self._evidence(now, width), (), *self._steps(now)]
        for check in now.state.step(self.step_id).checks:
            lines += check_lines(check, width, self.glyphs)
        return lines

    def _evidence(self, now: Situation, width: int) -> list[Line]:
        there = [name for name in _EVIDENCE if (now.folder / name).exists()]
        lines = _fact("evidence", str(now.folder), width, Tone.STRONG)
        return [*lines, *_fact("", ", ".join(there), width)] if there else lines

    def _steps(self, now: Situation) -> list[Line]:
        lines: list[Line] = []
        for step in now.state.steps:
            word, tone = step_word(step, now)
            time: Piece = (f"{took(step.seconds):>9}" if step.seconds else " " * 9, Tone.PLAIN)
            lines.append(((fit(step.id, _LABEL), Tone.DIM), (f"{word:<8}", tone), time))
        return lines
