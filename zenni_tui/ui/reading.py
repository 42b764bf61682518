"""How pages and the database's answers are laid out."""

from zenni_tui.model.lessons import Answer, Page

from .words import Glyphs, Line, Tone, fit, paragraph, preformatted, things

_VERBATIM = "    "
_WIDEST_PAGE = 90
_GAP = 2
_LEAST_COLUMN = 4
_WIDEST_COLUMN = 60


def page_lines(page: Page, width: int) -> list[Line]:
    """Return a page's text; what begins with four blanks keeps its line breaks."""
    lines: list[Line] = []
    for line in page.text.strip("\n").splitlines():
        if line.startswith(_VERBATIM):
            lines += preformatted(line.removeprefix("  "), width, Tone.BUSY)
        else:
            lines += paragraph(line, min(width, _WIDEST_PAGE))
    return lines


def answer_lines(line: str, answer: Answer, width: int, glyphs: Glyphs) -> list[Line]:
    """Return what was typed and what the database answered."""
    lines = paragraph(line, width, Tone.DIM, head=("> ", Tone.DIM))
    if answer.columns:
        widths = _widths(answer, width)
        lines.append(_row(answer.columns, widths, Tone.STRONG, glyphs))
        lines += [_row(["NULL" if c is None else c for c in row], widths, Tone.PLAIN, glyphs) for row in answer.rows]
        count = f"{len(answer.rows)} rows, and more" if answer.more else things(len(answer.rows), "row")
        lines.append(((count, Tone.DIM),))
    for said in answer.said:
        lines += paragraph(said, width, Tone.DIM)
    if answer.problem:
        lines += paragraph(answer.problem, width, Tone.BAD)
    return lines


def _row(cells: tuple[str, ...] | list[str], widths: list[int], tone: Tone, glyphs: Glyphs) -> Line:
    return (((" " * _GAP).join(fit(cell, width, glyphs) for cell, width in zip(cells, widths, strict=True)), tone),)


def _widths(answer: Answer, width: int) -> list[int]:
    """Return each column's width; the widest give way until all fit, as far as that goes."""
    wanted = [min(max(len(title), 1), _WIDEST_COLUMN) for title in answer.columns]
    for row in answer.rows:
        wanted = [min(max(w, len(c or "NULL")), _WIDEST_COLUMN) for w, c in zip(wanted, row, strict=True)]
    while sum(wanted) + _GAP * (len(wanted) - 1) > width and max(wanted) > _LEAST_COLUMN:
        wanted[wanted.index(max(wanted))] -= 1
    return wanted
