"""The header: which run, rehearsal or live, from where to where, its state, and whether the data is safe."""

from collections.abc import Iterable

from zenni_tui.model.state import RunState
from zenni_tui.ui.safety import is_my_data_safe
from zenni_tui.ui.situation import Situation, hindrance, kind_word, running, state_word
from zenni_tui.ui.words import Glyphs, Line, Piece, Tone, apart, clock, elide, paragraph, width_of

from .canvas import Lines

_SHORT_ID = 30


def target_label(state: RunState) -> str:
    """Return the target in a few words."""
    facts = state.target
    if facts is None:
        return "target"
    if facts.embedded:
        return "embedded PostgreSQL"
    user = f"{facts.user}@" if facts.user else ""
    return f"{user}{facts.host}:{facts.port}/{facts.database}"


def engine_word(now: Situation) -> Piece:
    """Return who does the work."""
    if now.interrupted:
        return "engine gone", Tone.BAD
    if now.state.ended and now.asked != "start":
        return "engine finished", Tone.DIM
    if not now.alive or not now.state.pid:
        return "engine starts", Tone.DIM
    return f"engine {now.state.pid} alive, {'you look on' if now.held_by else 'you steer'}", Tone.DIM


def _times(now: Situation) -> Line:
    pieces: list[Piece] = [(f"  {clock(now.elapsed)}", Tone.PLAIN)]
    step = running(now.state)
    if now.eta is not None and step:
        pieces.append((f"  ETA {clock(now.eta)}", Tone.STRONG))
    return tuple(pieces)


def _first(now: Situation, width: int, glyphs: Glyphs) -> Line:
    kind, tone = kind_word(now.state)
    word = state_word(now)
    head: Line = ((f" {kind} ", tone),)
    right: Line = (word, *_times(now))
    room = width - width_of(head) - width_of(right) - 2
    name = now.state.run_id or now.folder.name
    return apart((*head, (" " + elide(name, room, glyphs), Tone.STRONG)), right, width)


def _second(now: Situation, width: int, glyphs: Glyphs) -> Line:
    engine = engine_word(now)
    target = target_label(now.state)
    source = now.state.source.path if now.state.source else "source"
    full = width - len(engine[0]) - 2
    taken = len(target) + len(glyphs.arrow) + 2
    room = max(full - taken, 12)
    left: Line = (
        (elide(source, room, glyphs, left=True), Tone.PLAIN),
        (f" {glyphs.arrow} ", Tone.DIM),
        (elide(target, max(width - room - len(glyphs.arrow) - 2, 8), glyphs), Tone.PLAIN),
    )
    return apart(left, (engine,), width)


class Masthead(Lines):
    """Three lines in 80 columns; more where the sentence on safety needs them, or something holds the run up."""

    def __init__(self) -> None:
        super().__init__(id="masthead")
        self._now: Situation | None = None

    def show(self, now: Situation) -> None:
        """Show a moment of a run."""
        self._now = now
        self.repaint()

    def paint(self, width: int) -> Iterable[Line]:
        """Return the header's lines."""
        now = self._now
        if now is None:
            return []
        sentence, tone = is_my_data_safe(now)
        safe = paragraph(sentence, width, tone, head=(f"{_SAFE_WORDS[tone]} ", tone))
        held = hindrance(now)
        slow = paragraph(held[0], width, held[1])[:2] if held else []
        return [_first(now, width, self.glyphs), _second(now, width, self.glyphs), *safe, *slow]


_SAFE_WORDS = {Tone.GOOD: "SAFE", Tone.WARN: "SAFE", Tone.BAD: "CARE"}
