"""Plots as SVG: who was at work when, and how fast it went."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from zenni_tui.model.runbook import StepId

from .history import Bar, Rate
from .markup import element

WIDTH = 960
_LEFT, _RIGHT, _LANE, _HEAD, _FOOT = 110, 96, 22, 8, 28
_LEAST = 2.0
_BREAK = 46.0
_LONG_IDLE = 0.15
_FOLLOWING = frozenset({StepId.CATCH_UP, StepId.WATCH})
"""Steps that last for hours or days, beside which all others would be too small to see."""
_PLOT_HEIGHT = 150
_LONGEST = 16
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def took(seconds: float) -> str:
    """Return a span of time for people: `0.25 s`, `42 s`, `3 min 20 s`, `5 h 02 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - finer for short ones
    seconds = round(seconds)
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:02.0f} s"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:02.0f} min"
    return f"{seconds // _DAY:.0f} days {seconds % _DAY // _HOUR:.0f} h"


def moment(at: float) -> str:
    """Return a moment as people and machines read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


class _Axis:
    """Time across the page; a long stretch in which nothing worked is cut short, and `cuts` says where and how long."""

    def __init__(self, bars: Sequence[Bar], end: float) -> None:
        busy_bars = (b for b in bars if b.kind != "pause" and b.lane not in _FOLLOWING)
        work = sorted((b.begin, b.end if b.end is not None else end) for b in busy_bars)
        self._runs: list[list[float]] = []
        busy = sum(e - b for b, e in work)
        start = min((b.begin for b in bars), default=end)
        for begin, stop in [(start, start), *work, (end, end)]:
            if self._runs and begin - self._runs[-1][1] <= max(busy * _LONG_IDLE, 1.0):
                self._runs[-1][1] = max(self._runs[-1][1], stop)
            else:
                self._runs.append([begin, stop])
        shown = sum(e - b for b, e in self._runs) or 1.0
        self._scale = (WIDTH - _LEFT - _RIGHT - _BREAK * (len(self._runs) - 1)) / shown

    def x(self, at: float) -> float:
        """Return where a moment lies."""
        x = float(_LEFT)
        for number, (begin, end) in enumerate(self._runs):
            if at < begin and number:
                before = self._runs[number - 1][1]
                return x - _BREAK + _BREAK * max(0.0, at - before) / (begin - before)
            if at <= end:
                return x + max(0.0, at - begin) * self._scale
            x += (end - begin) * self._scale + _BREAK
        return x - _BREAK

    def cuts(self) -> list[tuple[float, float]]:
        """Return the middle of each cut and the seconds it leaves out."""
        pairs = zip(self._runs, self._runs[1:], strict=False)
        return [(self.x(b[1]) + _BREAK / 2, a[0] - b[1]) for b, a in pairs]


def timeline(bars: Sequence[Bar], end: float) -> Element:
    """Return one lane for each step or cause of waiting, in the order of their first bars; `end` closes open bars."""
    lanes = list(dict.fromkeys(bar.lane for bar in bars))
    axis = _Axis(bars, end)
    bottom = _HEAD + _LANE * len(lanes)
    parts = [element("line", class_="axis", x1=_LEFT, x2=WIDTH - _RIGHT, y1=bottom, y2=bottom)]
    for middle, seconds in axis.cuts():
        parts.append(element("line", class_="grid", x1=_px(middle), x2=_px(middle), y1=_HEAD, y2=bottom))
        parts.append(_text(f"// {took(seconds)}", middle, bottom + 18, "dim middle"))
    for number, lane in enumerate(lanes):
        mine = [b for b in bars if b.lane == lane]
        parts += _lane(lane, mine, axis, (_HEAD + _LANE * number, end))
    return _svg(bottom + _FOOT, parts, "When each step was at work")


def _lane(lane: str, bars: Sequence[Bar], axis: _Axis, place: tuple[float, float]) -> list[Element]:
    y, end = place
    parts = [_text(lane if len(lane) <= _LONGEST else f"{lane[: _LONGEST - 1]}…", _LEFT - 8, y + 15, "end")]
    right = float(_LEFT)
    for bar in bars:
        begin, stop = axis.x(bar.begin), axis.x(bar.end if bar.end is not None else end)
        width = max(stop - begin, _LEAST)
        drawn = element("rect", class_=bar.kind, x=_px(begin), y=_px(y + 4), width=_px(width), height=_LANE - 8)
        parts.append(drawn)
        right = max(right, begin + width)
    seconds = sum((b.end if b.end is not None else end) - b.begin for b in bars)
    words = "" if {b.kind for b in bars} <= {"done"} else f" {bars[-1].kind}"
    parts.append(_text(f"{took(seconds)}{words}", right + 5, y + 15, "dim"))
    return parts


def speed(rate: Rate) -> Element:
    """Return rows a second over the seconds of a step."""
    most = max([*rate.values, 1.0])
    bottom, span = _HEAD + _PLOT_HEIGHT, WIDTH - _LEFT - _RIGHT
    wide = span / len(rate.values)
    points = []
    for at, value in enumerate(rate.values):
        y = bottom - (_PLOT_HEIGHT - 12) * value / most
        points += [f"{_px(_LEFT + at * wide)},{_px(y)}", f"{_px(_LEFT + (at + 1) * wide)},{_px(y)}"]
    curve = " ".join(points)
    parts = [
        element("polygon", class_="area", points=f"{_LEFT},{bottom} {curve} {WIDTH - _RIGHT},{bottom}"),
        element("polyline", class_="curve", points=curve),
        element("polyline", class_="axis", points=f"{_LEFT},{_HEAD} {_LEFT},{bottom} {WIDTH - _RIGHT},{bottom}"),
        _text(f"{most:,.0f}", _LEFT - 8, _HEAD + 16, "end"),
        _text("rows/s", _LEFT - 8, _HEAD + 32, "dim end"),
        _text("0", _LEFT - 8, bottom, "end"),
        _text("0 s", _LEFT, bottom + 18, "dim"),
        _text(took(rate.seconds * len(rate.values)), WIDTH - _RIGHT, bottom + 18, "dim end"),
    ]
    return _svg(bottom + _FOOT, parts, f"Rows a second of {rate.step}")


def _svg(height: float, parts: Sequence[Element], label: str) -> Element:
    size = {"width": WIDTH, "height": _px(height)}
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {_px(height)}", role="img", aria_label=label, **size)


def _text(words: str, x: float, y: float, kind: str) -> Element:
    return element("text", words, x=_px(x), y=_px(y), class_=kind)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
