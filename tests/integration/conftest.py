"""What tests of the screens share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ui_pilot import Runs

from zenni_tui.engine import folders


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Return a maker of runs in the usual place, which is this test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    runs = Runs(folders.runs_home())
    yield runs
    runs.close()
