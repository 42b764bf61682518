"""The pace of a worker: limits that act at once, and the word to let go."""

import threading
import time

import pytest

from zenni_tui.steps.pace import GRACE, Held, Pace, Signals


def test_without_a_limit_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No nap is taken however much is done."""
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("slept"))
    pace = Pace(Signals())
    pace.spend(1_000_000_000, 1_000_000_000)


@pytest.mark.parametrize("limits", [(1.0, 0.0), (0.0, 1.0)])
def test_a_limit_lifted_ends_the_wait(limits: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that a limit would hold back for hours goes on as soon as the limit is gone."""
    signals = Signals()
    signals.limits = limits
    pace = Pace(signals)
    naps: list[int] = []

    def nap(_: float) -> None:
        naps.append(1)
        if len(naps) == 2:
            signals.limits = (0.0, 0.0)

    monkeypatch.setattr(time, "sleep", nap)
    pace.spend(100_000, 100_000)
    assert len(naps) == 2


def test_whoever_waits_lets_go_when_told() -> None:
    """A hold raises out of the wait, after a grace, and the next job begins anew."""
    signals = Signals()
    signals.limits = (1.0, 0.0)
    pace = Pace(signals)
    threading.Timer(0.2, lambda: setattr(signals, "hold", True)).start()
    with pytest.raises(Held):
        pace.spend(100_000, 0)
    assert pace.let_go
    signals.hold = False
    pace.begin()
    assert not pace.let_go
    assert not pace.held


def test_what_is_nearly_done_may_end() -> None:
    """Within the grace a worker that was told to let go still finishes."""
    signals = Signals()
    signals.hold = True
    pace = Pace(signals)
    assert not pace.held
    time.sleep(GRACE + 0.05)
    assert pace.held
