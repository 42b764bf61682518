"""How figures, names and bars are written; text in cells, each piece with its tone."""

import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, chop_cells, set_cell_size

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_KILO = 1_000
_TEN = 9.95


class Tone(StrEnum):
    """What a piece of text means; colour follows meaning, and a word always says the same."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    BUSY = "busy"
    LIVE = "live"
    REHEARSAL = "rehearsal"


Piece = tuple[str, Tone]
Line = tuple[Piece, ...]


@dataclass(frozen=True)
class Glyphs:
    """The signs beyond letters; the ASCII set says the same."""

    arrow: str
    dash: str
    dots: str
    cursor: str
    done: str
    running: str
    pending: str
    failed: str
    stopped: str
    undone: str
    full: str
    empty: str
    divider: str
    left_right: str
    up_down: str
    sparks: str


UNICODE = Glyphs("→", "—", "…", "▸", "✓", "●", "·", "✗", "■", "↶", "━", "─", "│", "←→", "↑↓", "▁▂▃▄▅▆▇█")
ASCII = Glyphs("->", "-", "..", ">", "+", "*", ".", "x", "=", "<", "#", ".", "|", "Left/Right", "Up/Down", "_.:-=+*#")


def clean(text: str) -> str:
    """Return the text as one line without control characters, which would move the terminal's cursor."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)


def elide(text: str, width: int, glyphs: Glyphs = UNICODE, *, left: bool = False) -> str:
    """Return the text in at most `width` cells; what is cut, at the end or at the left, is marked."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    room = width - len(glyphs.dots)
    if room <= 0:
        return set_cell_size(text, max(width, 0))
    if not left:
        return set_cell_size(text, room).rstrip() + glyphs.dots
    while cell_len(text) > room:
        text = text[1:]
    return glyphs.dots + text


def fit(text: str, width: int, glyphs: Glyphs = UNICODE, *, right: bool = False) -> str:
    """Return the text in exactly `width` cells."""
    text = elide(text, width, glyphs)
    pad = " " * max(0, width - cell_len(text))
    return pad + text if right else text + pad


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most `width` cells, broken between words where possible; line breaks are kept."""
    return [line for part in text.splitlines() or [""] for line in _wrap_line(clean(part), max(width, 4))]


def _wrap_line(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        room = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(room) <= width:
            lines[-1] = room
            continue
        pieces = chop_cells(word, width)
        lines[-1:] = [*filter(None, lines[-1:]), *pieces]
    return lines


def paragraph(text: str, width: int, tone: Tone = Tone.PLAIN, *, head: Piece = ("", Tone.PLAIN)) -> list[Line]:
    """Return wrapped lines; `head` stands before the first one, the others hang below its end."""
    indent = cell_len(head[0])
    lines = wrap(text, width - indent)
    first: Line = (head, (lines[0], tone))
    return [first, *(((" " * indent, Tone.PLAIN), (line, tone)) for line in lines[1:])]


def preformatted(text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Line]:
    """Return a text whose lines stand as they are; one that is too long goes on below, set in."""
    lines: list[Line] = []
    for whole in text.expandtabs(4).split("\n"):
        if whole.isascii() and whole.isprintable() and len(whole) <= width:
            lines.append(((whole, tone),))
            continue
        indent = " " * min(len(whole) - len(whole.lstrip(" ")), width // 2)
        for number, part in enumerate(wrap(whole, width - len(indent) - 4) if whole else [""]):
            lines.append(((f"{indent}{'    ' if number else ''}{part}", tone),))
    return lines


def width_of(pieces: Iterable[Piece]) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _ in pieces)


def apart(left: Line, right: Line, width: int) -> Line:
    """Return a line with one part at each end; the right one gives way when there is no room for both."""
    gap = width - width_of(left) - width_of(right)
    return (*left, (" " * gap, Tone.PLAIN), *right) if gap > 0 else left


def count(number: int) -> str:
    """Return a number with thousands set apart."""
    return f"{number:,}"


def things(number: int, one: str) -> str:
    """Return a number of things: 1 row, 2,000 rows."""
    return f"{count(number)} {one}{'' if number == 1 else 'es' if one.endswith('x') else 's'}"


def size(number: float) -> str:
    """Return a count of bytes in decimal units."""
    for unit in ("B", "kB", "MB"):
        if number < _KILO:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= _KILO
    return f"{number:.2f} GB"


def clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // _HOUR}:{whole % _HOUR // _MINUTE:02}:{whole % _MINUTE:02}"


def hour(at: float) -> str:
    """Return a moment, in seconds since 1970, as this machine's time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def took(seconds: float) -> str:
    """Return how long something took, exact enough for its length."""
    return f"{seconds:.1f} s" if seconds < _MINUTE else clock(seconds)


def ago(seconds: float) -> str:
    """Return an age in words."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return "just now"


def percent(fraction: float) -> str:
    """Return a percentage, rounded down: 100 % is written for the whole only."""
    return f"{int(min(max(fraction, 0.0), 1.0) * 100)} %"


def bar(fraction: float, width: int, glyphs: Glyphs, *, proven: bool) -> tuple[str, str]:
    """Return a bar's full and empty part; its last cell is filled only when what it shows is proven."""
    filled = width if proven else min(int(min(max(fraction, 0.0), 1.0) * width), width - 1)
    return glyphs.full * filled, glyphs.empty * (width - filled)


def spark(values: Sequence[float], width: int, glyphs: Glyphs) -> str:
    """Return the last values as a row of small bars, from the least of them to the greatest; a level line is low."""
    shown = list(values)[-width:] if width > 0 else []
    if not shown:
        return ""
    least, most, steps = min(shown), max(shown), len(glyphs.sparks) - 1
    scale = steps / (most - least) if most > least else 0.0
    return "".join(glyphs.sparks[round((v - least) * scale)] for v in shown).rjust(width)


def short(number: int) -> str:
    """Return a number in at most four cells: 999, 1.2k, 12k, 1.0M."""
    value = float(number)
    if value < _KILO:
        return str(number)
    for unit in ("k", "M"):
        value /= _KILO
        if value < _KILO - 1:
            return f"{value:.1f}{unit}" if value < _TEN else f"{int(value)}{unit}"
    return f"{value / _KILO:.1f}G"


def short_size(number: float) -> str:
    """Return a count of bytes in at most six cells."""
    for unit in ("B", "kB", "MB"):
        if number < _KILO:
            return f"{number:.0f} {unit}"
        number /= _KILO
    return f"{number:.1f} GB"
