"""The panel of the audit: findings, the gravest first, and the whole of the chosen one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from zenni_tui.model.codes import CODES
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.ui.choosing import blocks, choice_word, weight
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Glyphs, Line, Tone, fit, paragraph, short, things, width_of

from .panel import ListPanel, check_lines, progress_lines

TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.INFO: Tone.DIM}
_ORDER = {severity: number for number, severity in enumerate(Severity)}
_COLUMNS = (
    Column("weight", 7),
    Column("where", 14, most=34),
    Column("finding", 12, most=26, need=48),
    Column("rows", 4, right=True, need=40),
    Column("repair", 12, most=26),
)
_WEIGHT_CELLS = 14


def place(finding: Finding) -> str:
    """Return table and column."""
    return ".".join(filter(None, (finding.table, finding.column))) or "whole source"


def _word(finding: Finding) -> str:
    return finding.severity.upper() if finding.severity is Severity.ERROR else finding.severity


def _cells(finding: Finding, _: Sequence[int]) -> Sequence[Line]:
    tone = TONES[finding.severity] if not finding.chosen else Tone.PLAIN
    return (
        ((_word(finding), tone),),
        ((place(finding), Tone.PLAIN),),
        ((finding.code, Tone.PLAIN),),
        ((short(finding.count) if finding.count else "", Tone.DIM),),
        (choice_word(finding),),
    )


def finding_lines(finding: Finding, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a finding whole, but for its repairs: what, what to do, and which rows."""
    title = ((_word(finding), TONES[finding.severity]), (f"  {finding.code}", Tone.STRONG))
    lines: list[Line] = [(*title, (f"  {place(finding)}", Tone.DIM), _rows(finding))]
    lines += paragraph(finding.message, width, TONES[finding.severity])
    return lines + _more(finding, width, glyphs)


def _more(finding: Finding, width: int, glyphs: Glyphs) -> list[Line]:
    lines = paragraph(finding.advice, width, head=(f"{glyphs.arrow} ", Tone.WARN)) if finding.advice else []
    if finding.keys:
        more = glyphs.dots if finding.count > len(finding.keys) else ""
        known = len(finding.values) == len(finding.keys)
        rows = map(": ".join, zip(finding.keys, finding.values, strict=True)) if known else finding.keys
        lines += paragraph(", ".join(rows) + more, width, Tone.DIM, head=("keys ", Tone.DIM))
    return lines


def repair_lines(finding: Finding, width: int) -> list[Line]:
    """Return what is chosen, or what can be chosen, with what it does to the data."""
    lines = paragraph(finding.chosen, width, Tone.GOOD, head=("chosen ", Tone.GOOD)) if finding.chosen else []
    for repair in finding.repairs:
        word, tone = weight(repair)
        lines += paragraph(repair.text, width, head=(fit(word, _WEIGHT_CELLS), tone))
    return lines


def _rows(finding: Finding) -> tuple[str, Tone]:
    return (f"  {things(finding.count, 'row')}" if finding.count else "", Tone.DIM)


class AuditPanel(ListPanel):
    """The findings of all steps that look before anything is written."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Look, choose", show=False)]

    @dataclass
    class Opened(Message):
        """The operator wants to see a finding whole, or to choose a repair for it."""

        finding: Finding

    def make_rows(self) -> Rows:
        """Return the list of findings."""
        return Rows(_COLUMNS, _cells, empty="No findings so far.")

    def items(self, now: Situation) -> Sequence[Any]:
        """Return the findings, errors first; a choice doesn't move them."""
        return sorted(now.state.findings, key=lambda f: _ORDER[f.severity])

    def words_of(self, item: Any) -> str:
        """Return all a finding says."""
        return f"{item.severity} {item.code} {place(item)} {item.message} {item.chosen or choice_word(item)[0]}"

    def head(self, width: int) -> list[Line]:
        """Return how many findings of each weight there are, and how many still block."""
        lines = super().head(width)
        if self.now is None:
            return lines
        step = self.now.state.step(self.step_id)
        if step.total and not step.summary:
            lines += progress_lines(step, step.done / step.total, width, self.glyphs, proven=False)
        for check in step.checks:
            if check.ok is False:
                lines += check_lines(check, width, self.glyphs)
        return [*lines, *_sums(self.now.state.findings, width)]

    def detail(self, item: Any, width: int) -> list[Line]:
        """Return a finding: what, the repairs, then what else is known; Enter shows it whole."""
        lines: list[Line] = [((item.code, Tone.STRONG), (f"  {place(item)}", Tone.DIM), _rows(item))]
        lines += paragraph(item.message, width, TONES[item.severity])
        return [*lines, *repair_lines(item, width), *_more(item, width, self.glyphs)]

    def to_next(self) -> bool:
        """Move the cursor to the next finding that waits for a choice; returns whether there is one."""
        items = self.rows.items
        here = self.rows.cursor
        for step in range(len(items)):
            number = (here + step) % len(items)
            if blocks(items[number]) and items[number].repairs:
                self.rows.cursor = number
                return True
        return False

    def help_lines(self, width: int) -> list[Line]:
        """Return what the code under the cursor means, and what to do."""
        finding = self.rows.current
        if not isinstance(finding, Finding) or finding.code not in CODES:
            return []
        return paragraph(CODES[finding.code], width, head=(f"{finding.code}: ", Tone.STRONG))

    def action_open(self) -> None:
        """Ask for the box of the finding under the cursor."""
        if self.rows.current is not None:
            self.post_message(self.Opened(self.rows.current))


def _sums(findings: Sequence[Finding], width: int) -> list[Line]:
    if not findings:
        return []
    numbers = Counter(f.severity for f in findings)
    line: Line = tuple((f"{numbers[s]} {s}  ", TONES[s]) for s in Severity if numbers[s])
    left = sum(blocks(f) for f in findings)
    if not numbers[Severity.ERROR]:
        return [line]
    word = (f"{left} still block{'s' if left == 1 else ''}", Tone.BAD) if left else ("none blocks", Tone.GOOD)
    return [(*line, word)] if width_of([*line, word]) <= width else [line, (word,)]
