"""The screen's share of a core."""

from types import SimpleNamespace

import pytest

from zenni_tui.ui import share


def test_costly_looks_come_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs nothing is done again soon; what takes processor time, so that it takes a twentieth of a core."""
    spent = [0.0]
    # What else this process does meanwhile, such as collecting garbage, is not the looks' cost.
    monkeypatch.setattr(share, "time", SimpleNamespace(process_time=lambda: spent[0]))
    looks = share.Share()
    assert looks.pause() == 0.4
    spent[0] += 0.03
    assert looks.pause() == pytest.approx(0.6)
    spent[0] += 0.06
    assert looks.pause() == 1.0
    assert looks.pause() == 0.4
