"""The screen's share of a core."""

import time

from zenni_tui.ui.share import Share


def test_costly_looks_come_less_often() -> None:
    """What costs nothing is done again soon; what takes processor time, so that it takes a twentieth of a core."""
    share = Share()
    assert share.pause() == 0.4
    _spend(0.03)
    assert 0.6 <= share.pause() <= 1.0
    _spend(0.06)
    assert share.pause() == 1.0
    assert share.pause() == 0.4


def _spend(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
