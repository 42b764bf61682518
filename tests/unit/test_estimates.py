"""What earlier runs took is what the next one is told, by size, and by where it went."""

from pathlib import Path

import pytest

from zenni_tui.engine import estimates, folders
from zenni_tui.model import events as e
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId, StepState
from zenni_tui.model.state import RunState, StepView, TableView

THERE = {"host": "db.example", "port": "5432", "dbname": "zenni"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep figures in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return folders.state_home()


def asked(target: dict[str, str] | None) -> Request:
    """Return a run's orders."""
    return Request("r", RunKind.REHEARSE, "app.db", target)


def ran(rows: int, copy_seconds: float) -> RunState:
    """Return the state of a run of so many rows whose copy took that long, and whose reach took 2 s."""
    seconds = {StepId.COPY: copy_seconds, StepId.REACH: 2.0}
    steps = tuple(StepView(i, StepState.DONE, seconds=seconds.get(i, 0.0)) for i in STEPS_OF[RunKind.REHEARSE])
    return RunState(source=e.SourceFacts("app.db", rows * 100), steps=steps, tables={"t": TableView("t", "t", rows)})


def copy_of(told: e.Expected | None) -> tuple[float, float, float]:
    """Return what is said of the copy."""
    assert told is not None
    found = next(p for p in told.steps if p.step is StepId.COPY)
    return found.low, found.typical, found.high


def test_nothing_is_known_at_first() -> None:
    """Without earlier runs nothing is foretold."""
    assert estimates.expected(asked(None), ran(1000, 0)) is None


def test_figures_grow_with_the_rows_and_keep_their_spread() -> None:
    """Three runs on this target tell least, median and most, for ten times the rows ten times as long."""
    for seconds in (10.0, 12.0, 20.0):
        estimates.keep(asked(THERE), ran(1000, seconds))
    told = estimates.expected(asked(THERE), ran(10_000, 0))
    assert copy_of(told) == (100.0, 120.0, 200.0)
    assert told is not None
    assert next(p for p in told.steps if p.step is StepId.REACH).typical == 2.0
    assert told.same_target
    assert "from 3 runs on this target" in told.words


def test_another_target_is_said_to_be_another() -> None:
    """Runs into embedded servers stand in for a target that is new, and it is said; those on other targets don't."""
    estimates.keep(asked({**THERE, "host": "elsewhere"}), ran(1000, 99.0))
    assert estimates.expected(asked(THERE), ran(1000, 0)) is None
    estimates.keep(asked(None), ran(1000, 5.0))
    told = estimates.expected(asked(THERE), ran(1000, 0))
    assert copy_of(told)[1] == 5.0
    assert told is not None
    assert "may be slower" in told.words


def test_the_file_names_nobody_and_is_bounded(home: Path) -> None:
    """No host stands in it, only its owner reads it, and it keeps the last two hundred runs."""
    for _ in range(205):
        estimates.keep(asked(THERE), ran(1000, 1.0))
    (kept,) = home.glob("estimates*")
    assert b"example" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    assert len(kept.read_bytes().splitlines()) == 200


def test_a_line_of_another_version_is_passed_over(home: Path) -> None:
    """What can't be read is left out, not an error."""
    estimates.keep(asked(THERE), ran(1000, 1.0))
    (kept,) = home.glob("estimates*")
    kept.write_bytes(b'{"old": 1}\nrubbish\n' + kept.read_bytes())
    assert copy_of(estimates.expected(asked(THERE), ran(1000, 0))) == (1.0, 1.0, 1.0)
