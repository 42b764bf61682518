"""What the journal tells of time, and how it is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenni_tui.model import events as e
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId
from zenni_tui.report.history import Bar, history
from zenni_tui.report.plots import WIDTH, speed, timeline, took

BEGUN = e.RunStarted(
    "r", RunKind.REHEARSE, e.SourceFacts("/s.db"), e.TargetFacts("h", 1, "d", "public"), STEPS_OF[RunKind.REHEARSE], 1
)
GONE = e.Problem("gone")


def _journal(*told: tuple[float, e.AnyEvent]) -> list[e.Entry]:
    return [e.Entry(number, at, what) for number, (at, what) in enumerate(told, 1)]


def test_steps_waits_and_deaths_become_bars() -> None:
    """A step is drawn until it ends or its engine died, a wait until the next word, and what lasts has no end."""
    entries = _journal(
        (0, BEGUN),
        (1, e.StepStarted(StepId.REACH)),
        (2, e.StepDone(StepId.REACH, 1, "")),
        (2, e.Waiting(StepId.PREPARE, "?")),
        (9, e.Commanded("go", "x")),
        (10, e.StepStarted(StepId.COPY)),
        (11, e.Retrying(StepId.COPY, "away", "there", "why", 11, 12, 99, 1)),
        (12, e.Retrying(StepId.COPY, "away", "there", "why", 11, 14, 99, 2)),
        (15, e.Recovered(StepId.COPY, 4, 2)),
        (16, e.Progress(StepId.COPY, 1, 9, "rows")),
        (60, BEGUN),
        (61, e.StepStarted(StepId.COPY)),
        (62, e.Paused("x")),
        (63, e.Unpaused("x")),
        (70, e.StepFailed(StepId.COPY, 9, GONE)),
        (71, e.UndoStarted(StepId.COPY)),
    )
    assert history(entries).bars == [
        Bar("reach", 1, 2, "done"),
        Bar("operator", 2, 10, "pause"),
        Bar("copy", 10, 16, "stopped"),
        Bar("target away", 11, 15, "pause"),
        Bar("copy", 61, 70, "failed"),
        Bar("paused", 62, 63, "pause"),
        Bar("copy", 71, None, "running"),
    ]


@given(st.lists(st.tuples(st.floats(0.001, 50), st.integers(0, 10_000)), min_size=1, max_size=300))
def test_a_rate_loses_no_row(steps: list[tuple[float, int]]) -> None:
    """Over all its stretches a rate adds up to the rows that were told, however unevenly they were."""
    at, done = 5.0, 0
    told: list[tuple[float, e.AnyEvent]] = [(0, BEGUN), (at, e.StepStarted(StepId.COPY))]
    for seconds, rows in steps:
        at, done = at + seconds, done + rows
        told.append((at, e.Progress(StepId.COPY, done, done, "rows")))
    (rate,) = history(_journal(*told)).rates
    assert sum(rate.values) * rate.seconds == pytest.approx(done, abs=1e-3)
    assert rate.seconds * len(rate.values) == pytest.approx(at - 5)
    assert all(value >= 0 for value in rate.values)
    points = speed(rate).findall("polyline")[0].get("points") or ""
    assert all(0 <= float(part.split(",")[0]) <= WIDTH for part in points.split())


def test_only_the_last_attempt_and_only_rows_make_a_rate() -> None:
    """What an earlier attempt did, or what is counted otherwise, is no speed of this one."""
    entries = _journal(
        (0, e.StepStarted(StepId.VERIFY)),
        (1, e.Progress(StepId.VERIFY, 500, 1000, "rows")),
        (10, e.StepStarted(StepId.VERIFY)),
        (12, e.Progress(StepId.VERIFY, 100, 1000, "rows")),
        (13, e.Progress(StepId.VERIFY, 7, 10, "rows one by one")),
    )
    (rate,) = history(entries).rates
    assert (rate.step, rate.seconds, rate.values) == (StepId.VERIFY, 2.0, (50.0,))
    assert history(_journal((0, BEGUN))).rates == []


@pytest.mark.parametrize(("lane", "kind"), [("operator", "pause"), ("catch_up", "done"), ("watch", "stopped")])
def test_a_night_of_waiting_does_not_flatten_the_work(lane: str, kind: str) -> None:
    """Twelve hours of waiting or following between two steps of ten seconds are cut out, and said."""
    night = 12 * 3600.0
    bars = [Bar("copy", 0, 10, "done"), Bar(lane, 10, night, kind), Bar("switch", night, night + 10, "done")]
    drawing = timeline(bars, night + 10)
    copy, idle, switch = (float(r.get("width") or 0) for r in drawing.findall("rect"))
    assert min(copy, switch) > WIDTH / 4
    assert idle < 60
    assert f"// {took(night - 10)}" in [t.text for t in drawing.findall("text")]


def test_bars_lie_on_the_drawing_whatever_the_times() -> None:
    """Steps of no time, at one moment, and one that still lasts."""
    bars = [Bar("a", 5, 5, "done"), Bar("b", 5, 5, "failed"), Bar("c", 5, None, "running")]
    for end in (5.0, 6.0, 1e9):
        for rect in timeline(bars, end).findall("rect"):
            assert float(rect.get("x") or -1) >= 0
            assert float(rect.get("x") or 0) + float(rect.get("width") or 0) <= WIDTH


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.254, "0.25 s"),
        (42.4, "42 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (18_125, "5 h 02 min"),
        (300_000, "3 days 11 h"),
    ],
)
def test_spans_read_well(seconds: float, words: str) -> None:
    """A span of time is told as finely as it matters."""
    assert took(seconds) == words
