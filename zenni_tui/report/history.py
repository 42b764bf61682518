"""What the journal tells of time: when each step was at work, what held it up, and how fast rows went by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId

JOURNAL = "events.jsonl"
_ENTRY = msgspec.json.Decoder(e.Entry)
_MEASURED = (StepId.COPY, StepId.VERIFY)
_UNIT = "rows"
_BUCKETS = 120


@dataclass(frozen=True)
class Bar:
    """One stretch of time on a lane, in seconds since 1970; `end` is None while it lasts.

    `kind` is `done`, `failed`, `stopped`, `undone`, `pause` (somebody or something was waited for) or `running`.
    """

    lane: str
    begin: float
    end: float | None
    kind: str


@dataclass(frozen=True)
class Rate:
    """How many rows a second a step did, in even stretches of `seconds` from its beginning."""

    step: StepId
    seconds: float
    values: tuple[float, ...]


@dataclass
class History:
    """Bars in the order of their beginnings, and the rates of copy and verification."""

    bars: list[Bar] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)


def read(folder: Path) -> tuple[e.Entry, ...]:
    """Return a run directory's journal; a last line that is still being written is left out. Raises OSError."""
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    return tuple(_ENTRY.decode(line) for line in lines if line.endswith(b"\n"))


def history(entries: Sequence[e.Entry]) -> History:
    """Return what a journal tells of time."""
    bars = _Bars()
    for entry in entries:
        bars.take(entry)
    rates = (_rate_of(entries, step) for step in _MEASURED)
    return History(bars.all(), [rate for rate in rates if rate is not None])


_OPERATOR = "operator"
_WHILE_WAITING = (e.Waiting, e.Commanded, e.Chosen, e.FindingMade)
_BEGINNINGS: dict[type[e.Event], tuple[str, str]] = {
    e.StepStarted: ("", "running"),
    e.UndoStarted: ("", "running"),
    e.Waiting: (_OPERATOR, "pause"),
    e.Paused: ("paused", "pause"),
    e.Retrying: ("target away", "pause"),
}
"""The lane, empty for the step's own, and the kind of the bar that an event opens."""
_ENDS: dict[type[e.Event], tuple[str, str]] = {
    e.StepDone: ("", "done"),
    e.StepFailed: ("", "failed"),
    e.StepStopped: ("", "stopped"),
    e.UndoDone: ("", "undone"),
    e.UndoFailed: ("", "failed"),
    e.Unpaused: ("paused", "pause"),
    e.Recovered: ("target away", "pause"),
}
"""The lane, and the kind of the bar that an event closes."""


def _step(what: e.Event) -> str:
    return str(getattr(what, "step", ""))


class _Bars:
    """Opens a bar where something begins and closes it where it ends."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[float, str]] = {}
        self._made: list[Bar] = []
        self._last = 0.0

    def take(self, entry: e.Entry) -> None:
        """Take in one more entry."""
        what, at = entry.what, entry.at
        if isinstance(what, e.RunStarted):
            self._died()
        if not isinstance(what, _WHILE_WAITING):
            self._close(_OPERATOR, at, "pause")
        if type(what) in _ENDS:
            lane, kind = _ENDS[type(what)]
            self._close(lane or _step(what), at, kind)
        elif type(what) in _BEGINNINGS:
            lane, kind = _BEGINNINGS[type(what)]
            self._open.setdefault(lane or _step(what), (at, kind))
        self._last = at

    def _died(self) -> None:
        """Close what was open when an engine died."""
        for lane, (_, kind) in tuple(self._open.items()):
            self._close(lane, self._last, "stopped" if kind == "running" else kind)

    def _close(self, lane: str, at: float, kind: str) -> None:
        begun = self._open.pop(lane, None)
        if begun is not None:
            self._made.append(Bar(lane, begun[0], at, kind))

    def all(self) -> list[Bar]:
        """Return all bars, those that are still open at the end of the journal too."""
        still = [Bar(lane, begin, None, kind) for lane, (begin, kind) in self._open.items()]
        return sorted([*self._made, *still], key=lambda bar: bar.begin)


def _rate_of(entries: Sequence[e.Entry], step: StepId) -> Rate | None:
    """Return the rate of a step's last attempt, None when it has told of no rows."""
    starts = [at for at, entry in enumerate(entries) if entry.what == e.StepStarted(step)]
    if not starts:
        return None
    begun, after = entries[starts[-1]].at, entries[starts[-1] :]
    told = [(x.at - begun, x.what) for x in after if isinstance(x.what, e.Progress)]
    points = [(at, what.done) for at, what in told if what.step is step and what.unit == _UNIT]
    return _rate(step, points) if points else None


def _rate(step: StepId, points: Sequence[tuple[float, int]]) -> Rate:
    """Return the rate in even stretches; what was done between two words is spread evenly between them."""
    whole = max(points[-1][0], 0.001)
    width = whole / min(_BUCKETS, len(points))
    values = [0.0] * min(_BUCKETS, len(points))
    before, done_before = 0.0, 0
    for at, done in points:
        _spread(values, width, (before, at), done - done_before)
        before, done_before = at, max(done, done_before)
    return Rate(step, width, tuple(value / width for value in values))


def _spread(values: list[float], width: float, span: tuple[float, float], amount: float) -> None:
    first, last = span
    if amount <= 0:
        return
    length = max(last - first, 1e-9)
    for at in range(min(len(values) - 1, int(first / width)), min(len(values) - 1, int(last / width)) + 1):
        shared = min(last, (at + 1) * width) - max(first, at * width)
        values[at] += amount * max(0.0, shared) / length
