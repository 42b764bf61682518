"""The panel of the audit: findings, the gravest first, and the whole of the chosen one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, count, paragraph, short

from .panel import ListPanel, check_lines, progress_lines

TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.INFO: Tone.DIM}
_ORDER = list(Severity)
_COLUMNS = (
    Column("severity", 8),
    Column("where", 16, most=34),
    Column("rows", 5, right=True),
    Column("what", 14, most=90, need=44),
    Column("code", 16, most=26, need=100),
)


def place(finding: Finding) -> str:
    """Return table and column."""
    return ".".join(filter(None, (finding.table, finding.column))) or "whole source"


def _cells(finding: Finding, _: Sequence[int]) -> Sequence[Line]:
    tone = TONES[finding.severity]
    return (
        ((finding.severity.upper() if finding.severity is Severity.ERROR else finding.severity, tone),),
        ((place(finding), Tone.PLAIN),),
        ((short(finding.count) if finding.count else "", Tone.PLAIN),),
        ((finding.message, Tone.PLAIN),),
        ((finding.code, Tone.DIM),),
    )


class AuditPanel(ListPanel):
    """The findings of all steps that look before anything is written."""

    def make_rows(self) -> Rows:
        """Return the list of findings."""
        return Rows(_COLUMNS, _cells, empty="No findings.")

    def items(self, now: Situation) -> Sequence[Any]:
        """Return the findings, errors first."""
        return sorted(now.state.findings, key=lambda f: _ORDER.index(f.severity))

    def words_of(self, item: Any) -> str:
        """Return all a finding says."""
        return f"{item.severity} {item.code} {place(item)} {item.message}"

    def head(self, width: int) -> list[Line]:
        """Return how many findings of each weight there are."""
        lines = super().head(width)
        if self.now is None:
            return lines
        step = self.now.state.step(self.step_id)
        if step.total and not step.summary:
            lines += progress_lines(step, step.done / step.total, width, self.glyphs, proven=False)
        for check in step.checks:
            if check.ok is False:
                lines += check_lines(check, width, self.glyphs)
        numbers = Counter(f.severity for f in self.now.state.findings)
        if numbers:
            lines.append(tuple((f"{numbers[s]} {s}  ", TONES[s] if numbers[s] else Tone.DIM) for s in Severity))
        return lines

    def detail(self, item: Any, width: int) -> list[Line]:
        """Return a finding whole: what, what to do, and which rows."""
        lines: list[Line] = [((item.code, Tone.STRONG), (f"  {place(item)}", Tone.DIM), _rows(item))]
        lines += paragraph(item.message, width, TONES[item.severity])
        lines += paragraph(item.advice, width, head=(f"{self.glyphs.arrow} ", Tone.WARN))
        if item.keys:
            more = self.glyphs.dots if item.count > len(item.keys) else ""
            lines += paragraph(", ".join(item.keys) + more, width, Tone.DIM, head=("keys ", Tone.DIM))
        return lines


def _rows(finding: Finding) -> tuple[str, Tone]:
    return (f"  {count(finding.count)} rows" if finding.count else "", Tone.DIM)
